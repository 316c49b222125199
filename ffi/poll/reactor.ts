import type { Libc } from "../libc/libc.ts";
import { libc } from "../libc/libc.ts";
import { override } from "../libc/env.ts";
import { Epoll } from "./epoll.ts";
import { EventLoopSearch } from "./event_loop.ts";
import { Kqueue } from "./kqueue.ts";
import { MAX_BUSY_ALONE, MAX_SLEEP, MAX_SLEEP_ALONE, WaitPolicy } from "./wait_policy.ts";
import { Poll } from "./poll.ts";
import { LOOP_SLOT, MAX_WAIT, type Poller, READABLE, WRITABLE } from "./poller.ts";
import { type Registration, Registrations, type Watcher } from "./registrations.ts";
import { ThreadCheck } from "./thread_check.ts";

/** Milliseconds between polls while no operation waits that keeps the process alive: a wait on a thread would hold it. */
const UNREF_INTERVAL = 5;

/** Passes through a thread that one turn for the event loop takes at the most. The runtime looks at its own descriptors
 * when the event loop blocks, and a thread that is back before that prevents it: about one in two. */
const MAX_YIELDS = 6;
/** As many where the event loop's descriptor is not known, and nothing says whether it was enough. */
const YIELDS_ALONE = 2;

/** Operations between two looks at the clock, and the milliseconds they may take in one turn of the event loop. */
const BUDGET = 16;
const BUDGET_TIME = 0.3;

/** What the Reactor is doing: nothing; polling in every turn of the event loop; waiting on a thread; polling now and
 * then. */
type State = "idle" | "polling" | "parked" | "unref";

/** Turns readiness into calls of `ready`, for all sockets of a thread.
 *
 * It does nothing while nothing waits. While an operation does, it polls in the turns of the event loop as WaitPolicy says,
 * and leaves the wait to a thread after that. The runtime serves its own sockets, files and timers only when the event
 * loop has nothing to do, which polling in every turn would prevent: so the event loop's own descriptor is watched too,
 * and when it is readable the next wait goes to a thread, however short. Where that descriptor is not known, this
 * happens after every MAX_BUSY_ALONE of polling. */
export class Reactor {
  readonly #open: () => Poller;
  #poller: Poller | null = null;
  readonly #policy = new WaitPolicy();
  readonly #search: EventLoopSearch | null;
  #loopFd = -1;
  #loopWatched = false;
  readonly #registrations = new Registrations();
  readonly #threadCheck = new ThreadCheck(() => this.#pollForThread());
  #state: State = "idle";
  #waiting = 0;
  #referenced = 0;
  /** Milliseconds that the next poll waits, if nothing speaks against it by then. */
  #sleep = 0;
  /** When the last poll that found something began and ended, as WaitPolicy wants it. */
  #started = 0;
  #ended = 0;
  #unrefTimer: ReturnType<typeof setTimeout> | undefined;
  /** When the event loop had its last turn of its own. */
  #unparked = 0;
  /** Events of the last poll that have not been passed on yet. */
  #pending = 0;
  #parks = 0;
  #scheduled: Watcher[] = [];
  #turnPending = false;
  #budget = BUDGET;
  /** When the budget ends; 0 while it was not asked about in this turn. */
  #budgetEnds = 0;

  constructor(open: () => Poller, search: EventLoopSearch | null = null) {
    this.#open = open;
    this.#search = search;
    this.#poller = open();
  }

  /** Whether a thread has yet to come back whose wait is no longer needed. */
  get leaving(): boolean {
    return (this.#state === "parked" && this.#referenced === 0) || this.#threadCheck.asking;
  }

  /** A wait on a thread that keeps descriptors open which have been closed; null where none does. */
  get keeping(): Promise<unknown> | null {
    return this.#poller?.keeping ?? null;
  }

  /** Whether readiness has to be asked for again after it was told. */
  get oneShot(): boolean {
    return this.#poller?.oneShot ?? true;
  }

  add(fd: number, watcher: Watcher, interest: number): Registration {
    this.#poller ??= this.#reopen();
    const registration = this.#registrations.prepare(watcher, interest);
    try {
      this.#poller.add(fd, registration, interest);
    } catch (error) {
      this.#registrations.release(registration);
      throw error;
    }
    this.#registrations.set(registration);
    if (this.#state === "idle" && this.#waiting > 0) this.#start();
    return registration;
  }

  modify(fd: number, registration: Registration, interest: number): void {
    const all = registration.interest | interest;
    this.#poller?.modify(fd, registration, this.oneShot ? interest : all);
    // Only now: what the system refuses is not watched.
    registration.interest = all;
  }

  /** Before the descriptor is closed. An event already taken in finds no registration. */
  delete(fd: number, registration: Registration): void {
    if (this.#registrations.delete(registration)) this.#poller?.delete(fd, registration);
  }

  /** Somebody waits for room to write. */
  expectRoom(): void {
    this.#policy.expectRoom();
  }

  /** Somebody began to wait. `referenced` says whether that keeps the process alive. */
  addWaiter(referenced: boolean): void {
    this.#waiting++;
    if (referenced) this.#referenced++;
    if (this.#state === "idle") this.#start();
    else if (referenced) this.#resume();
  }

  /** Somebody stopped waiting, with what they wanted or without. */
  removeWaiter(referenced: boolean): void {
    this.#waiting--;
    if (referenced) this.#referenced--;
    this.#letGo();
  }

  /** Waiters of one socket began or ceased to keep the process alive. */
  changeReferenced(by: number): void {
    this.#referenced += by;
    if (by > 0) this.#resume();
    else this.#letGo();
  }

  /** Calls `ready` in the next turn of the event loop. */
  schedule(watcher: Watcher): void {
    this.#scheduled.push(watcher);
    this.#needTurn();
  }

  /** Whether one more operation may be carried out in this turn of the event loop. What is refused is to be scheduled:
   * operations that succeed at once would otherwise go on for as long as their peers keep up. */
  spend(): boolean {
    return --this.#budget > 0 || this.#renewBudget();
  }

  #renewBudget(): boolean {
    const now = performance.now();
    if (this.#budgetEnds === 0) {
      this.#budgetEnds = now + BUDGET_TIME;
      this.#needTurn();
    } else if (now > this.#budgetEnds) return false;
    this.#budget = BUDGET;
    return true;
  }

  /** Sees to it that a turn comes in which what is scheduled runs and the budget is renewed. */
  #needTurn(): void {
    if (this.#turnPending || this.#state === "polling") return;
    this.#turnPending = true;
    setImmediate(() => {
      this.#turnPending = false;
      this.#beginTurn();
      this.#runScheduled();
    });
  }

  #beginTurn(): void {
    this.#budget = BUDGET;
    this.#budgetEnds = 0;
  }

  #runScheduled(): boolean {
    if (this.#scheduled.length === 0) return false;
    const watchers = this.#scheduled;
    this.#scheduled = [];
    for (const watcher of watchers) watcher.ready(READABLE | WRITABLE);
    return true;
  }

  /** A thread that waits holds the process, so it must not stay when it is not needed. */
  #letGo(): void {
    if (this.#referenced === 0 && this.#state === "parked") this.#poller?.wake();
    if (this.#referenced === 0) this.#threadCheck.stop();
    if (this.#waiting === 0 && this.#state === "unref") {
      clearTimeout(this.#unrefTimer);
      this.#state = "idle";
    }
  }

  /** Somebody waits again who holds the process. */
  #resume(): void {
    this.#threadCheck.start();
    if (this.#state !== "unref") return;
    clearTimeout(this.#unrefTimer);
    this.#start();
  }

  #start(): void {
    if (this.#poller === null) return;
    this.#policy.begin();
    this.#unparked = performance.now();
    this.#poll(0);
  }

  /** Polls in the next turn, for at most `milliseconds`. */
  #poll(milliseconds: number): void {
    this.#state = "polling";
    this.#sleep = milliseconds;
    setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    this.#state = "polling";
    this.#beginTurn();
    if (this.#waiting === 0 && this.#scheduled.length === 0) return this.#rest();
    if (this.#isBusyAlone()) return this.#yield(0);
    this.#pollNow(this.#referenced > 0 && this.#scheduled.length === 0 ? this.#sleep : 0);
  };

  #pollNow(milliseconds: number): void {
    const started = milliseconds > 0 ? performance.now() : 0;
    let count: number;
    try {
      count = this.#poller!.poll(milliseconds);
    } catch (error) {
      return this.#fail(error);
    }
    const loopReady = this.#reportsLoop(count);
    // The event loop first: what was found here is as much again, and the runtime's share would wait for all of it.
    if (loopReady && (count > 1 || this.#scheduled.length > 0)) this.#yield(count);
    else this.#serve(count, started, loopReady);
  }

  #reportsLoop(count: number): boolean {
    if (!this.#loopWatched) return false;
    for (let index = 0; index < count; index++) if (this.#poller!.slot(index) === LOOP_SLOT) return true;
    return false;
  }

  /** Where the event loop's descriptor is not watched, only the clock says when it should have its turn. */
  #isBusyAlone(): boolean {
    return !this.#loopWatched && performance.now() - this.#unparked > MAX_BUSY_ALONE;
  }

  /** Passes on what a poll found, and decides what comes next. */
  #serve(count: number, started: number, loopReady: boolean): void {
    this.#started = started;
    this.#ended = count > 0 ? this.#policy.endOfGap(started) : 0;
    let found = this.#dispatch(count);
    if (this.#runScheduled()) found = true;
    // Behind the microtasks of those who were told: what they do next need not wait for that.
    if (found) queueMicrotask(this.#afterFinding);
    else if (this.#waiting === 0 && this.#scheduled.length === 0) this.#rest();
    else this.#idle(started, loopReady);
  }

  /** Decides what comes after a poll that found something. Most who were told will wait again by the next turn. */
  readonly #afterFinding = (): void => {
    if (this.#state !== "polling") return;
    const sleeps = this.#policy.found(this.#started, this.#ended) && this.#loopWatched;
    this.#poll(sleeps ? MAX_SLEEP : 0);
  };

  /** Decides what comes after a poll that found nothing. */
  #idle(started: number, loopReady: boolean): void {
    const now = performance.now();
    const step = this.#policy.next(started === 0 ? now : started, now);
    if (this.#referenced === 0) {
      if (step === "spin" || step === "turn") this.#poll(0);
      else this.#pollNowAndThen();
    } else if (step === "block" || loopReady) this.#park();
    else if (step === "sleep") this.#sleepFor(this.#loopWatched ? MAX_SLEEP : MAX_SLEEP_ALONE, started);
    else {
      // Where the processors are busy, spinning would keep the peer from running.
      if (step === "spin") libc().c.sched_yield();
      this.#poll(0);
    }
  }

  /** After a poll that did not wait, at once: nothing else had the event loop since the last turn. */
  #sleepFor(milliseconds: number, started: number): void {
    if (started === 0) this.#pollNow(milliseconds);
    else this.#poll(milliseconds);
  }

  #rest(): void {
    this.#state = "idle";
    this.#threadCheck.stop();
  }

  #pollNowAndThen(): void {
    this.#state = "unref";
    const timer = this.#unrefTimer = setTimeout(() => {
      this.#unparked = performance.now();
      this.#turn();
    }, UNREF_INTERVAL);
    Deno.unrefTimer(timer);
  }

  /** Gives the event loop a turn of its own. `count` events of the last poll are passed on after that. */
  #yield(count: number): void {
    const parks = this.#beginPark();
    this.#pending = count;
    this.#passThroughThreads().then(() => {
      if (this.#state === "parked" && parks === this.#parks) this.#endYield();
    }, this.#fail);
    this.#threadCheck.begin(false);
  }

  #endYield(): void {
    this.#endPark();
    const count = this.#pending;
    this.#pending = 0;
    this.#serve(count, 0, false);
  }

  async #passThroughThreads(): Promise<void> {
    if (this.#search?.due) await this.#searchLoop(this.#search);
    const most = this.#loopWatched ? MAX_YIELDS : YIELDS_ALONE;
    for (let yields = 0; yields < most; yields++) {
      await this.#poller?.yield();
      if (this.#loopWatched && this.#poller?.loopReady() !== true) return;
    }
  }

  /** Waits on a thread. `idle` says that the last such wait found nothing. */
  #park(idle = false): void {
    if (this.#search?.due) return this.#yield(0);
    const parks = this.#beginPark();
    this.#poller!.wait(MAX_WAIT).then((count) => {
      if (this.#state === "parked" && parks === this.#parks) this.#endWait(count);
    }, this.#fail);
    this.#threadCheck.begin(idle);
  }

  #endWait(count: number): void {
    this.#endPark();
    const found = this.#dispatch(count);
    if (found) this.#policy.foundByThread();
    if (this.#waiting === 0 && this.#scheduled.length === 0) this.#rest();
    else if (found || this.#scheduled.length > 0) this.#poll(0);
    else if (this.#referenced === 0) this.#pollNowAndThen();
    else this.#park(true);
  }

  /** Returns the number of the park, which distinguishes one that was given up from the current one. */
  #beginPark(): number {
    this.#state = "parked";
    return ++this.#parks;
  }

  /** From here on a wake-up would be for a thread that has already come back. */
  #endPark(): void {
    this.#state = "polling";
    this.#threadCheck.end();
    if (!this.#loopWatched) this.#unparked = performance.now();
    this.#beginTurn();
  }

  /** The first waits on a thread look for the event loop's descriptor instead. */
  async #searchLoop(search: EventLoopSearch): Promise<void> {
    const fd = await search.run();
    if (fd === null) return;
    this.#loopFd = fd;
    this.#loopWatched = this.#poller?.watchLoop(fd) ?? false;
  }

  /** Polls while a wait may have no thread. */
  #pollForThread(): boolean {
    let found = this.#dispatch(this.#pending);
    this.#pending = 0;
    try {
      if (this.#dispatch(this.#poller!.poll(0))) found = true;
    } catch (error) {
      this.#fail(error);
    }
    return found;
  }

  #dispatch(count: number): boolean {
    return this.#registrations.dispatch(this.#poller!, count);
  }

  #reopen(): Poller {
    const poller = this.#open();
    if (this.#loopFd !== -1) this.#loopWatched = poller.watchLoop(this.#loopFd);
    return poller;
  }

  /** The poller has failed: all who wait for it are told. The next registration opens another. */
  readonly #fail = (error: unknown): void => {
    const registrations = this.#registrations.clear();
    this.#poller = null;
    this.#loopWatched = false;
    this.#pending = 0;
    this.#rest();
    this.#threadCheck.end();
    for (const { watcher } of registrations) watcher.fail(error);
    if (this.#scheduled.length > 0) this.#needTurn();
  };
}

function choosePoller(libc: Libc): Poller {
  if (libc.system.backend === "kqueue") return new Kqueue(libc);
  return override("BERKELEY_POLLER") === "poll" ? new Poll(libc) : new Epoll(libc);
}

let started: Reactor | undefined;

/** The Reactor of this thread, made when the first socket is opened. */
export function reactor(): Reactor {
  return started ??= new Reactor(() => choosePoller(libc()), new EventLoopSearch(libc()));
}
