/** What the processes of a round tell each other: JSON, one value a line of standard output. */

import type { Child } from "../../support/process.ts";

/** No step of a round lasts longer. */
const TIME_LIMIT = 60_000;

/** The next thing a child says. Throws with all it wrote when it ends or hangs without a word. */
export async function receiveResult<T>(child: Child): Promise<T> {
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, TIME_LIMIT);
  try {
    const line = await child.stdout.next();
    if (line !== undefined) return JSON.parse(line);
    const { report } = await child.finished();
    throw new Error(late ? `Nothing said within ${TIME_LIMIT / 1000} seconds: ${report}` : report);
  } finally {
    clearTimeout(timer);
  }
}

/** Microseconds of user and system time that a process has used, all its threads together. NaN where the system has no /proc. */
export async function processorTime(pid: number): Promise<number> {
  try {
    const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
    // The name in parentheses may hold anything: count from behind it. USER_HZ is 100 on every Linux that Deno runs on.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 10_000;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return NaN;
    throw error;
  }
}

/** Kilobytes of a process that are in memory: VmRSS. NaN where the system has no /proc. */
export async function residentMemory(pid: number): Promise<number> {
  try {
    const status = await Deno.readTextFile(`/proc/${pid}/status`);
    return Number(status.match(/^VmRSS:\s+(\d+) kB$/m)?.[1] ?? NaN);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return NaN;
    throw error;
  }
}
