import type { Metric } from "../framework/workload.ts";

/** How many a second. */
export function rateOf(what: string): Metric {
  return { key: "rate", title: `${what}/s`, better: "more", digits: 0 };
}

/** Processor time of the subject, user and system, all its threads. */
export function processorPer(what: string): Metric {
  return { key: "processor", title: `µs of processor a ${what}`, better: "less", digits: 2 };
}

export const MEDIAN: Metric = { key: "median", title: "µs, median", better: "less", digits: 1 };
export const P99: Metric = { key: "p99", title: "µs, 99th percentile", better: "less", digits: 1 };
