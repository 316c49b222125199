/** What the Reactor does after it found nothing: look again at once, nap for a look's sake, or hand the wait to a
 * thread. Milliseconds.
 *
 * A look costs one turn of the event loop, about 2.5 µs, and all of a processor while it lasts. A nap waits in the
 * kernel on this thread, for a tenth of a millisecond at most: it costs next to nothing, and holds up what else the
 * event loop may have to do. A thread holds up nothing and costs about 15 µs of latency and twice that in processor
 * time, every time.
 *
 * What comes is foretold by what came: the gaps between the first look in vain and the next finding, averaged, the
 * latest counting for an eighth. While they are short, looking is quickest; while they are longer, but shorter than a
 * thread is worth, naps are, unless the event loop is seen to have other work; when they are long, the thread takes
 * over at once. */
const LOOKING = 0.045;
const NAPPING = 0.4;

/** The longest that a gap counts as: one long gap among many short ones, as when the other side was held up, says
 * little. */
const LONGEST = 2 * NAPPING;

/** How much longer a gap seems when a thread waited for its end. */
const HOP = 0.015;

/** A turn of the event loop that took longer was shared with other work. */
const SHARED_TURN = 0.02;

const WEIGHT = 1 / 8;

export type Next = "look" | "nap" | "hand over";

export class Patience {
  #averageGap = 0;
  /** When the first look in vain was; 0 while looks find something. */
  #since = 0;
  /** When the last turn ended, and whether others had the event loop since. */
  #turned = 0;

  /** Somebody begins to wait after nobody did. */
  begin(): void {
    this.#since = 0;
  }

  /** Looks found something. Time that the program takes for itself is no gap: the clock starts with the next look in
   * vain. */
  found(): void {
    this.#learn(this.#since === 0 ? 0 : performance.now() - this.#since);
  }

  /** What to do after a look in vain. `started` is when that look began. */
  inVain(started: number): Next {
    if (this.#since === 0) this.#since = started;
    const waited = started - this.#since;
    const shared = started - this.#turned > SHARED_TURN;
    this.#turned = performance.now();
    if (this.#averageGap <= LOOKING && waited < LOOKING) return "look";
    if (this.#averageGap <= NAPPING && waited < NAPPING) return shared ? "look" : "nap";
    return "hand over";
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
