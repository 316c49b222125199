/**
 * Metrics of statsd: parsed, added up, and as rows of a table.
 *
 * @module
 */

/** Limits of memory, and the accepted lines, which have no control characters: the senders are not trusted. */
const MOST_METRICS = 10_000;
const MOST_MEMBERS = 100_000;
const LINE = /^([\w.\-/]{1,200}):([^|:]{1,200})\|(c|g|ms|s)(?:\|@(0?\.\d+|1(?:\.0*)?))?(?:\|#.*)?$/;

/** What a Worker has collected in one interval, for the thread that prints it. */
export interface Snapshot {
  datagrams: number;
  refused: number;
  counters: Map<string, number>;
  timings: Map<string, Timing>;
  sets: Map<string, Set<string>>;
  gauges: Map<string, number>;
}

interface Timing {
  count: number;
  sum: number;
  least: number;
  most: number;
}

/** The metrics of one interval. Gauges keep their values from one interval to the next. */
export class Metrics {
  datagrams = 0;
  refused = 0;
  readonly #counters = new Map<string, number>();
  readonly #timings = new Map<string, Timing>();
  readonly #sets = new Map<string, Set<string>>();
  /** The number of members of all sets together. */
  #members = 0;
  readonly #gauges: Map<string, number>;

  constructor(before?: Metrics) {
    this.#gauges = before === undefined ? new Map() : before.#gauges;
  }

  take(text: string): void {
    this.datagrams++;
    for (const line of text.split("\n")) {
      if (line !== "" && !this.#takeLine(line)) this.refused++;
    }
  }

  #takeLine(line: string): boolean {
    const [, name, value, type, rate] = line.match(LINE) ?? [];
    if (name === undefined || value === undefined) return false;
    if (type === "s") return this.#add(name, value);
    const number = Number(value);
    if (value.trim() === "" || !Number.isFinite(number)) return false;
    // With a sampling rate, one line represents several events.
    const weight = 1 / Number(rate ?? 1);
    if (!Number.isFinite(weight)) return false;
    switch (type) {
      case "c":
        return this.#put(this.#counters, name, (this.#counters.get(name) ?? 0) + number * weight);
      case "g":
        return this.#put(this.#gauges, name, /^[+-]/.test(value) ? (this.#gauges.get(name) ?? 0) + number : number);
      default:
        return this.#time(name, number, weight);
    }
  }

  #time(name: string, value: number, weight: number): boolean {
    const { count, sum, least, most } = this.#timings.get(name) ?? { count: 0, sum: 0, least: value, most: value };
    return this.#put(this.#timings, name, {
      count: count + weight,
      sum: sum + value * weight,
      least: Math.min(least, value),
      most: Math.max(most, value),
    });
  }

  #add(name: string, value: string): boolean {
    const set = this.#sets.get(name) ?? new Set();
    if (set.has(value)) return true;
    if (this.#members === MOST_MEMBERS || !this.#put(this.#sets, name, set)) return false;
    this.#members++;
    set.add(value);
    return true;
  }

  #put<T>(metrics: Map<string, T>, name: string, value: T): boolean {
    if (metrics.size === MOST_METRICS && !metrics.has(name)) return false;
    metrics.set(name, value);
    return true;
  }

  get snapshot(): Snapshot {
    const { datagrams, refused } = this;
    const [counters, timings] = [this.#counters, this.#timings];
    return { datagrams, refused, counters, timings, sets: this.#sets, gauges: this.#gauges };
  }

  /** Adds what another thread has collected. */
  add(other: Snapshot): void {
    this.datagrams += other.datagrams;
    this.refused += other.refused;
    for (const [name, sum] of other.counters) this.#counters.set(name, (this.#counters.get(name) ?? 0) + sum);
    for (const [name, value] of other.gauges) this.#gauges.set(name, value);
    for (const [name, { count, sum, least, most }] of other.timings) {
      const before = this.#timings.get(name) ?? { count: 0, sum: 0, least, most };
      this.#timings.set(name, {
        count: before.count + count,
        sum: before.sum + sum,
        least: Math.min(before.least, least),
        most: Math.max(before.most, most),
      });
    }
    for (const [name, members] of other.sets) {
      const set = this.#sets.get(name) ?? new Set();
      for (const member of members) set.add(member);
      this.#sets.set(name, set);
    }
  }

  /** Returns name, type and value of each metric, sorted by name. */
  rows(seconds: number): string[][] {
    return [
      ...Array.from(this.#counters, ([name, sum]) => [name, "counter", `${show(sum)}  (${show(sum / seconds)}/s)`]),
      ...Array.from(this.#gauges, ([name, value]) => [name, "gauge", show(value)]),
      ...Array.from(this.#timings, ([name, { count, sum, least, most }]) => {
        const spread = [least, sum / count, most].map(show).join(" / ");
        return [name, "timing", `${show(count)} times, ${spread} ms`];
      }),
      ...Array.from(this.#sets, ([name, set]) => [name, "set", `${set.size} different`]),
    ].sort(([a], [b]) => a! < b! ? -1 : 1);
  }
}

const show = (value: number) => String(Number(value.toFixed(3)));
