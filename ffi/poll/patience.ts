/** How often the Reactor looks without blocking before it hands the wait to a thread.
 *
 * A look costs one turn of the event loop, about 2.5 µs; a thread costs about 15 µs and its processor time, every time. While answers
 * come soon, looking is quicker and cheaper; when they do not, each look is wasted. So the limit follows what the last waits
 * showed: an answer that came soon after the thread took over would have been worth more looks, one that came late would not.
 */
const MOST_LOOKS = 64;
const FEWEST_LOOKS = 2;

/** Milliseconds within which an answer to a thread counts as soon. */
const SOON = 0.2;

export class Patience {
  #limit = 16;
  #looks = 0;
  #handedOver = 0;

  /** Whether to look once more, after a look that found something or nothing. */
  lookAgain(found: boolean): boolean {
    if (found) this.#looks = 0;
    else this.#looks++;
    return this.#looks < this.#limit;
  }

  handedOver(): void {
    this.#handedOver = performance.now();
  }

  /** The thread came back, with something or because its time was up. */
  answered(found: boolean): void {
    this.#looks = 0;
    if (!found) return;
    const soon = performance.now() - this.#handedOver < SOON;
    this.#limit = soon ? Math.min(this.#limit * 2, MOST_LOOKS) : Math.max(this.#limit >> 1, FEWEST_LOOKS);
  }
}
