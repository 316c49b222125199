import { run } from "../../support/process.ts";
import { both } from "../framework/subjects.ts";
import { median } from "../framework/statistics.ts";
import { OURS, type Workload } from "../framework/workload.ts";

/** Pairs of runs in a round. */
const PAIRS = 7;

/** Milliseconds from start to end. */
async function timed([program, ...args]: readonly string[]): Promise<number> {
  const start = performance.now();
  const { success, report } = await run(program!, args);
  if (!success) throw new Error(report);
  return performance.now() - start;
}

export const startup: Workload = {
  name: "startup",
  title: "Import and first socket, over a script without",
  load: "none",
  metrics: [{ key: "time", title: "ms", better: "less", digits: 1 }],
  subjects: both("children/startup.ts"),
  goals: [{ metric: "time", of: OURS, bound: 40 }],
  async round({ command }) {
    const words = await command();
    const neither = [...words.slice(0, -1), "neither"];
    const differences: number[] = [];
    for (let pair = 0; pair < PAIRS; pair++) differences.push(-(await timed(neither)) + await timed(words));
    return { time: median(differences) };
  },
};
