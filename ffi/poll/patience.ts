/** How long the Reactor looks without blocking, after it last found something, before it hands the wait to a thread. Milliseconds.
 *
 * A look costs one turn of the event loop, about 2.5 µs; a thread costs about 15 µs of latency and as much processor time, every time. So looking
 * for about as long as a thread costs is never much worse than the better of the two. While the thread's answers come soon, more looking
 * would have been quicker and cheaper, and the limit grows; when they come late, every look was wasted, and it shrinks. */
const LONGEST = 0.4;
const SHORTEST = 0.03;

/** An answer to a thread that came so soon could have been waited for. */
const SOON = 0.4;

export class Patience {
  #limit = 0.1;
  /** When the first of the looks in vain was. */
  #since = 0;
  #handedOver = 0;

  /** Whether to look once more, after a look that found something or nothing. The clock is read only while nothing is found. */
  lookAgain(found: boolean): boolean {
    if (found) {
      this.#since = 0;
      return true;
    }
    const now = performance.now();
    if (this.#since === 0) this.#since = now;
    return now - this.#since < this.#limit;
  }

  /** Somebody begins to wait after nobody did. */
  begin(): void {
    this.#since = 0;
  }

  handedOver(): void {
    this.#handedOver = performance.now();
    this.#since = 0;
  }

  /** The thread came back, with something or because its time was up. */
  answered(found: boolean): void {
    const soon = found && performance.now() - this.#handedOver < SOON;
    this.#limit = soon ? Math.min(this.#limit * 2, LONGEST) : Math.max(this.#limit / 2, SHORTEST);
  }
}
