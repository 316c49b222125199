/** What the Reactor does after a poll that found nothing: poll again in the next turn of the event loop ("spin", and
 * "turn" where a sleep is to follow when nothing else has had the event loop meanwhile), wait in the kernel on this
 * thread for a moment ("sleep"), or leave the wait to a thread ("block"). All times are milliseconds.
 *
 * | step | costs | holds up |
 * | --- | --- | --- |
 * | spin | a turn, 2 to 3 µs, of a whole core | nothing |
 * | sleep | a wake-up by the kernel, some 5 µs of latency | the event loop, MAX_SLEEP; not its own descriptors |
 * | block | 15 µs of latency, and twice that in processor time | nothing |
 *
 * The next gap is predicted by moving averages with weight 1/8 over past gaps: the time from the first poll that found
 * nothing, by when the program is done with what was found before, to the next that finds something. */

/** Gaps up to this average are spun through. Spinning longer costs more than waking up: with datagrams every 50 µs it
 * took 1.7 to 1.9 times the processor time of Deno's own socket. */
const SPIN = 0.03;

/** A wait for room to write is spun through for this long: a peer that reads makes room soon, and bulk writing that slept
 * for it took 1.5 times the processor time, in wake-ups. */
const WRITE_SPIN = 0.1;

/** Gaps up to this average are slept through. Threads for gaps of 1 ms took 2.8 times Deno's processor time and 2.2
 * times its latency. Timers of the program are late by what is left of a gap, so by half of this at the median. */
const SLEEP = 2;

/** A gap counts as no more than this: one long gap says little about the next. */
const LONGEST_SPIN_GAP = 4 * SPIN;
const LONGEST_GAP = 2 * SLEEP;

/** The longest single wait on this thread where the event loop's own descriptors end it too. Longer than the kernel's tick,
 * which is 4 ms mostly: a timer that ends before the next tick has to be set in hardware, and each gap of 1 ms took 6 µs
 * more with 1 to 3 ms than with 5 or 10. Traffic that stops delays timers by that much, once. */
export const MAX_SLEEP = 5;

/** The longest where they do not. */
export const MAX_SLEEP_ALONE = 0.1;

/** The longest that polling goes on between two waits on a thread where the event loop's descriptors are not watched:
 * only in such a wait does the runtime serve its own sockets, files and timers. */
export const MAX_BUSY_ALONE = 1;

/** A turn of the event loop that took longer had other work in it, and sleeping would hold that up. On a slow machine it is
 * so many times the shortest turn there was, but no more than the last of these. */
const SHARED_TURN = 0.02;
const SHARED_TURNS = 4;
const LONGEST_SHARED_TURN = 0.1;

/** Gaps for which a turn that was not shared is taken to say that the event loop has nothing else to do. */
const TRUSTED_GAPS = 16;

/** By this much a gap seems longer when a thread waited for its end. */
const THREAD_LATENCY = 0.015;

const WEIGHT = 1 / 8;

export type Step = "spin" | "turn" | "sleep" | "block";

export class WaitPolicy {
  #averageSpinGap = 0;
  #averageGap = 0;
  /** When the gap began; 0 while polls find something. */
  #since = 0;
  /** When the last poll that found nothing ended. */
  #polled = 0;
  /** The next poll is made in the same turn of the event loop, and waits. */
  #sleepsAtOnce = false;
  /** Milliseconds of the shortest turn of the event loop so far. */
  #shortestTurn = Infinity;
  /** Whether an operation waits for room to write since the last finding. */
  #writing = false;
  /** Gaps until it is looked again whether the event loop has other work. */
  #trusted = 0;

  /** The first operation begins to wait. */
  begin(): void {
    this.#since = 0;
  }

  /** Somebody waits for room to write. */
  expectRoom(): void {
    this.#writing = true;
  }

  /** The time at which a poll ended, begun at `started` if it waited, for `found`; 0 where it ended no gap. */
  endOfGap(started: number): number {
    return this.#since === 0 && started === 0 ? 0 : performance.now();
  }

  /** A poll, begun at `started` if it waited, found something; `ended` is its endOfGap. Returns whether the next is to
   * sleep at once: the gap is expected to be worth it, and nothing else has had the event loop of late. */
  found(started: number, ended: number): boolean {
    const since = this.#since === 0 ? started : this.#since;
    this.#learn(since === 0 ? 0 : ended - since);
    return !this.#writing && this.#averageSpinGap > SPIN && this.#averageGap <= SLEEP && --this.#trusted > 0;
  }

  /** A wait on a thread found something. */
  foundByThread(): void {
    this.#learn(this.#since === 0 ? 0 : Math.max(0, performance.now() - this.#since - THREAD_LATENCY));
  }

  /** What to do after a poll, begun at `started`, that found nothing by `now`. */
  next(started: number, now: number): Step {
    const first = this.#since === 0;
    if (first) this.#since = started;
    const shared = this.#isShared(started, first);
    this.#polled = now;
    const step = this.#step(now - this.#since, first || shared);
    this.#sleepsAtOnce = step === "sleep" && started === now;
    return step;
  }

  /** Whether something else had the event loop since the last poll that found nothing. */
  #isShared(started: number, first: boolean): boolean {
    if (this.#sleepsAtOnce) return false;
    const turn = started - this.#polled;
    const shared = turn > Math.max(SHARED_TURN, Math.min(SHARED_TURNS * this.#shortestTurn, LONGEST_SHARED_TURN));
    // The turn after a finding had the program's own work in it, whatever else it had.
    if (!first && turn < this.#shortestTurn) this.#shortestTurn = turn;
    return shared;
  }

  #step(waited: number, shared: boolean): Step {
    if (this.#writing ? waited < WRITE_SPIN : this.#averageSpinGap <= SPIN && waited < SPIN) return "spin";
    if (this.#averageGap > SLEEP || waited >= SLEEP) return "block";
    if (this.#trusted > 0) return "sleep";
    if (shared) return "turn";
    this.#trusted = TRUSTED_GAPS;
    return "sleep";
  }

  #learn(gap: number): void {
    this.#since = 0;
    this.#writing = false;
    this.#averageSpinGap += (Math.min(gap, LONGEST_SPIN_GAP) - this.#averageSpinGap) * WEIGHT;
    this.#averageGap += (Math.min(gap, LONGEST_GAP) - this.#averageGap) * WEIGHT;
  }
}
