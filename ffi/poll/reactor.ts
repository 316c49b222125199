import type { Libc } from "../libc/libc.ts";
import { libc } from "../libc/libc.ts";
import { override } from "../libc/env.ts";
import { Epoll } from "./epoll.ts";
import { Kqueue } from "./kqueue.ts";
import { type Next, Patience } from "./wait_policy.ts";
import { Poll } from "./poll.ts";
import { type Poller, READABLE, WAKE_TOKEN, WRITABLE } from "./poller.ts";

/** What hears of readiness. It is told once and tries for itself. */
export interface Watcher {
  ready(readiness: number): void;
}

/** Milliseconds between looks while only sockets wait that do not hold the process: a thread would hold it. */
const DOZE = 5;

/** What the Reactor is doing: nothing; looking in every turn of the event loop; waiting on a thread; looking now and
 * then. */
type State = "idle" | "looking" | "blocked" | "dozing";

/** Turns readiness into calls of `ready`, for all sockets of a thread.
 *
 * It does nothing while nobody waits. While somebody does it looks without blocking for as long as Patience lasts, and
 * then leaves the wait to a thread, if someone waits who holds the process alive. */
export class Reactor {
  readonly #poller: Poller;
  readonly #watchers = new Map<number, Watcher>();
  readonly #patience = new Patience();
  #lastToken = WAKE_TOKEN;
  #state: State = "idle";
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waiting = 0;
  #holding = 0;
  #next: Watcher[] = [];
  #nextScheduled = false;
  #napping = false;

  constructor(poller: Poller) {
    this.#poller = poller;
  }

  /** Whether nobody wants the wait on the thread any more, and the thread has not come back yet. */
  get leaving(): boolean {
    return this.#state === "blocked" && this.#holding === 0;
  }

  /** A token binds a watcher to one descriptor's life: the number of the descriptor comes back, the token does not. */
  register(watcher: Watcher): number {
    const token = ++this.#lastToken;
    this.#watchers.set(token, watcher);
    return token;
  }

  watch(fd: number, token: number, interest: number): void {
    this.#poller.watch(fd, token, interest);
  }

  /** Before the descriptor is closed. An event already taken in finds no watcher. */
  forget(fd: number, token: number): void {
    this.#watchers.delete(token);
    this.#poller.forget(fd, token);
  }

  /** Somebody began to wait. `holds` says whether that keeps the process alive. */
  begin(holds: boolean): void {
    this.#waiting++;
    if (holds) this.#holding++;
    if (this.#state === "idle") this.#look();
    else if (this.#state === "dozing" && holds) this.#rouse();
  }

  /** Somebody stopped waiting, with what they wanted or without. */
  end(held: boolean): void {
    this.#waiting--;
    if (held) this.#holding--;
    this.#letGo();
  }

  /** Waiters of one socket began or ceased to hold the process. */
  change(holding: number): void {
    this.#holding += holding;
    if (holding > 0 && this.#state === "dozing") this.#rouse();
    else this.#letGo();
  }

  /** Calls `ready` in the next turn of the event loop, for a socket that has had its share of this one. */
  soon(watcher: Watcher): void {
    this.#next.push(watcher);
    if (this.#nextScheduled || this.#state === "looking") return;
    this.#nextScheduled = true;
    setImmediate(() => {
      this.#nextScheduled = false;
      this.#runNext();
    });
  }

  #runNext(): boolean {
    if (this.#next.length === 0) return false;
    const watchers = this.#next;
    this.#next = [];
    for (const watcher of watchers) watcher.ready(READABLE | WRITABLE);
    return true;
  }

  /** The thread holds the process, so it must not stay when nobody wants that. */
  #letGo(): void {
    if (this.#holding === 0 && this.#state === "blocked") this.#poller.wake();
    if (this.#waiting === 0 && this.#state === "dozing") {
      clearTimeout(this.#timer);
      this.#state = "idle";
    }
  }

  #rouse(): void {
    clearTimeout(this.#timer);
    this.#look();
  }

  #look(): void {
    this.#state = "looking";
    this.#patience.begin();
    setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    this.#state = "looking";
    const started = performance.now();
    const found = this.#dispatch(this.#napping ? this.#poller.nap() : this.#poller.look());
    const ran = this.#runNext();
    this.#napping = false;
    if (found || ran) this.#patience.found();
    if (this.#waiting === 0 && this.#next.length === 0) this.#state = "idle";
    else if (found || ran) setImmediate(this.#turn);
    else this.#goOn(this.#patience.inVain(started));
  };

  #goOn(next: Next): void {
    if (next === "hand over") return this.#block();
    this.#napping = next === "nap";
    // Where the processors are busy, looking would keep the peer from running.
    if (next === "look") libc().c.sched_yield();
    setImmediate(this.#turn);
  }

  #block(): void {
    if (this.#holding === 0) return this.#doze();
    this.#state = "blocked";
    this.#poller.wait().then(this.#answered);
  }

  readonly #answered = (count: number): void => {
    // From here on a wake-up would be for a thread that has already come back.
    this.#state = "looking";
    const found = this.#dispatch(count);
    this.#patience.answered(found);
    if (found || this.#next.length > 0) setImmediate(this.#turn);
    else if (this.#waiting === 0) this.#state = "idle";
    else this.#block();
  };

  #doze(): void {
    this.#state = "dozing";
    const timer = this.#timer = setTimeout(this.#turn, DOZE);
    Deno.unrefTimer(timer);
  }

  #dispatch(count: number): boolean {
    let found = false;
    for (let index = 0; index < count; index++) {
      const watcher = this.#watchers.get(this.#poller.token(index));
      if (watcher === undefined) continue;
      found = true;
      watcher.ready(this.#poller.readiness(index));
    }
    return found;
  }
}

function choosePoller(libc: Libc): Poller {
  if (libc.system.backend === "kqueue") return new Kqueue(libc);
  return override("BERKELEY_POLLER") === "poll" ? new Poll(libc) : new Epoll(libc);
}

let started: Reactor | undefined;

/** The Reactor of this thread, made when the first socket is opened. */
export function reactor(): Reactor {
  return started ??= new Reactor(choosePoller(libc()));
}

/** Whether a thread has yet to come back: tests let it, for a sanitizer would take it for a leak. */
export function threadIsLeaving(): boolean {
  return started?.leaving ?? false;
}
