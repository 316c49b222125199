/** How the subjects in TypeScript count. */

import process from "node:process";

/** Milliseconds before counting, and while counting. */
const WARM_UP = 400;
const WINDOW = 1000;

/** Datagrams or the like between two looks at the clock, for workloads that count them one by one. */
export const STRIDE = 64;

/** What came of a window: how often a second, at how many microseconds of processor time each, and how often at all. */
export interface Count {
  readonly rate: number;
  readonly processor: number;
  readonly count: number;
}

/** Lets a stride be done over and over for a window. It says how much it did. */
export async function countStrides(stride: () => Promise<number>): Promise<Count> {
  for (const end = performance.now() + WARM_UP; performance.now() < end;) await stride();
  let count = 0;
  const before = process.cpuUsage();
  const start = performance.now();
  let now = start;
  for (; now < start + WINDOW; now = performance.now()) count += await stride();
  const { user, system } = process.cpuUsage(before);
  return { rate: count / (now - start) * 1000, processor: (user + system) / count, count };
}

/** One line for the parent. */
export function report(value: unknown): void {
  console.log(JSON.stringify(value));
}
