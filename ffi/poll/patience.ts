/** How long the Reactor looks without blocking, after it last found something, before it hands the wait to a thread. Milliseconds.
 *
 * A look costs one turn of the event loop, about 2.5 µs; a thread costs about 15 µs of latency and twice that in processor time, every
 * time. So looking pays while something comes within about as long as a thread costs, and is wasted when it comes later. What comes is
 * foretold by what came: the gaps between findings, averaged, the latest counting for an eighth. Where gaps are short the limit is what
 * bounds the waste at the end of the traffic; where they are long the thread takes over at once, and costs less than looking would.
 */
const WORTH = 0.045;

/** How long looking goes on while gaps are short: a gap may be several times the average. */
const LIMIT = 0.1;

/** The longest that a gap counts as: one long gap among many short ones, as when the other side was held up, says little. */
const LONGEST = 2 * WORTH;

/** How much longer a gap seems when a thread waited for its end. */
const HOP = 0.015;

const WEIGHT = 1 / 8;

export class Patience {
  #averageGap = 0;
  /** When the first look in vain was; 0 while looks find something. */
  #since = 0;

  /** Somebody begins to wait after nobody did. */
  begin(): void {
    this.#since = 0;
  }

  /** Whether to look once more, after a look that found something or nothing. Time that the program took for itself is no gap: the clock
   * starts with the first look in vain. */
  lookAgain(found: boolean): boolean {
    if (found) {
      this.#learn(this.#since === 0 ? 0 : performance.now() - this.#since);
      return true;
    }
    const now = performance.now();
    if (this.#since === 0) this.#since = now;
    return now - this.#since < (this.#averageGap > WORTH ? 0 : LIMIT);
  }

  /** The thread came back, with something or because its time was up. */
  answered(found: boolean): void {
    if (found) this.#learn(performance.now() - this.#since - HOP);
  }

  #learn(gap: number): void {
    this.#since = 0;
    this.#averageGap += (Math.min(gap, LONGEST) - this.#averageGap) * WEIGHT;
  }
}
