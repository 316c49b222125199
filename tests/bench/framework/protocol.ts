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

/** Microseconds that a process has had a processor, all its threads together: /proc/PID/task/TID/schedstat, in
 * nanoseconds, since the ticks of /proc/PID/stat are too coarse for what is quiet. NaN where the system has no /proc. */
export async function processorTime(pid: number): Promise<number> {
  try {
    let nanoseconds = 0;
    for await (const { name } of Deno.readDir(`/proc/${pid}/task`)) {
      nanoseconds += Number((await Deno.readTextFile(`/proc/${pid}/task/${name}/schedstat`)).split(" ")[0]);
    }
    return nanoseconds / 1000;
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
