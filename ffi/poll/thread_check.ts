import { libc } from "../libc/libc.ts";

/** Milliseconds after which a wait that has not returned is checked. */
const OVERDUE = 20;
/** The longest between two polls while it has no thread. */
const LONGEST_INTERVAL = 40;

/** Milliseconds that the second call is given, where it is made at once, before a timer is set. */
const ANSWER_TIME = 0.1;

/** Finds out whether a wait on a thread has one. The pool is shared: slow lookups and blocked files may fill it, and a
 * wait that is queued behind them would last until they are done.
 *
 * A wait that lasts is followed, after OVERDUE, by a second call, which needs a thread too. The pool serves its calls in
 * order, so its answer means that the wait has one. Until it comes, polling goes on by timer. One timer is set for all
 * waits of that time, since setting one for each and clearing it would wake the event loop as often. A wait that follows
 * one in vain is checked at once, without a timer: an idle process would otherwise set one four times a second. */
export class ThreadCheck {
  readonly #poll: () => boolean;
  /** The number of the last wait. */
  #wait = 0;
  #waiting = false;
  /** The last wait that is known to have a thread. */
  #served = 0;
  /** The wait that the timer was set for. */
  #timed = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #interval = OVERDUE;
  #asking = false;

  /** `poll` is called where there is no thread, and returns whether it found something. */
  constructor(poll: () => boolean) {
    this.#poll = poll;
  }

  /** Whether the second call has yet to be answered. */
  get asking(): boolean {
    return this.#asking;
  }

  /** A wait was begun, whose call to a thread has been made. `idle` says that the one before it found nothing. */
  begin(idle: boolean): void {
    this.#wait++;
    this.#waiting = true;
    this.#interval = OVERDUE;
    if (!idle || this.#asking) return this.start();
    this.#ask();
    this.#awaitAnswer(this.#wait, performance.now() + ANSWER_TIME);
  }

  /** The answer comes within some turns of the event loop, mostly. */
  #awaitAnswer(wait: number, until: number): void {
    if (!this.#asking || !this.#waiting || wait !== this.#wait) return;
    if (performance.now() > until) this.start();
    else setImmediate(() => this.#awaitAnswer(wait, until));
  }

  /** The wait is over. */
  end(): void {
    this.#waiting = false;
  }

  /** Checks the wait that is under way, if any, unless it is known to have a thread. */
  start(): void {
    if (this.#timer !== undefined || !this.#waiting || this.#served === this.#wait) return;
    this.#timed = this.#wait;
    this.#timer = setTimeout(this.#expired, this.#interval);
    Deno.unrefTimer(this.#timer);
  }

  /** Nothing keeps the process alive any more: nor do timers. */
  stop(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  readonly #expired = (): void => {
    this.#timer = undefined;
    if (!this.#waiting) return;
    if (this.#timed === this.#wait) {
      if (!this.#asking) this.#ask();
      this.#interval = this.#poll() ? 1 : Math.min(this.#interval * 2, LONGEST_INTERVAL);
    }
    this.start();
  };

  async #ask(): Promise<void> {
    const wait = this.#wait;
    this.#asking = true;
    await libc().c.poll_blocking(new Uint8Array(0), 0, 0);
    this.#asking = false;
    if (wait !== this.#wait) return;
    this.#served = wait;
    this.stop();
  }
}
