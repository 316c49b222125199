/** The two sides of a round, each a process of its own. */

import { type Child, commandExists, start } from "../../support/process.ts";
import { loadCommand, type LoadProgram } from "./load.ts";
import type { Subject } from "./workload.ts";

/** Prefixes that keep the sides on processors of their own; empty where the system's scheduler decides. */
let loadPrefix: string[] = [];
let contenderPrefix: string[] = [];

/** Keeps all load on the last processor and the subjects off it. On few cores, the scheduler's choice to let both share one makes a
 * round trip several times quicker, and it chooses once a process. */
export async function pinProcesses(): Promise<void> {
  const last = navigator.hardwareConcurrency - 1;
  if (last < 1) throw new TypeError("--pin needs two cores");
  if (!await commandExists("taskset")) throw new TypeError("--pin needs taskset, of util-linux");
  loadPrefix = ["taskset", "-c", String(last)];
  contenderPrefix = ["taskset", "-c", `0-${last - 1}`];
}

/** Starts a subject, with what only the round knows behind its own arguments. */
export async function startContender({ command }: Subject, ...args: (string | number)[]): Promise<Child> {
  const [program, ...words] = [...contenderPrefix, ...await command(), ...args.map(String)];
  return start(program!, words);
}

/** Starts a load generator. */
export async function startLoad(name: LoadProgram, ...args: (string | number)[]): Promise<Child> {
  const [program, ...words] = [...loadPrefix, ...await loadCommand(name), ...args.map(String)];
  return start(program!, words);
}
