/** Measures the module against Deno's own sockets: `deno task bench --help`. */

import { fail, number, parseArgs, unknownArgument, wholeNumber } from "../../examples/arguments.ts";
import { chart } from "./framework/chart.ts";
import { calm } from "./framework/calm.ts";
import { cleanUp } from "./framework/load.ts";
import { describeMachine, thisMachine } from "./framework/machine.ts";
import { describeResult, figure, medians, toJson } from "./framework/report.ts";
import { pinProcesses } from "./framework/processes.ts";
import { Progress } from "./framework/progress.ts";
import { withResults } from "./framework/readme.ts";
import { takeTurns } from "./framework/turns.ts";
import type { Result, Sample, Workload } from "./framework/workload.ts";
import { workloads } from "./workloads/mod.ts";

const HELP =
  `deno task bench [--only NAME]… [--rounds N] [--json FILE] [--svg FILE] [--readme FILE] [--pin] [--calm SECONDS] [--list]

Lets the module and others run the same workload in turns, each in a process of its own, and prints medians and their ratios
to Deno's own API. Only ratios within one run mean something.

  --only NAME   a workload, or all whose name begins so; may be given several times
  --rounds N    1 to 1000, default 5
  --json FILE   writes every sample
  --svg FILE    draws a chart
  --readme FILE writes the table of a page anew, between its comments "bench" and "/bench"
  --pin         keeps the load on the last processor and the subjects off it
  --calm S      waits up to S seconds before each sample for other processes to be quiet, and counts when they were not
  --list        names the workloads`;

/** Parses the command line, and ends the program with one line for a mistake in it. */
function parse() {
  try {
    const values = parseArgs(Deno.args, {
      boolean: ["help", "list", "pin"],
      string: ["only", "rounds", "calm", "json", "svg", "readme"],
      collect: ["only"],
      default: { rounds: "5", calm: "0" },
      unknown: unknownArgument,
    });
    const [rounds, calm] = [wholeNumber("rounds", values.rounds, 1, 1000), number("calm", values.calm, 0, 3600)];
    return { ...values, rounds, calm, chosen: choose(values.only) };
  } catch (error) {
    fail("bench", error);
  }
}

const args = parse();

function choose(names: readonly string[]): readonly Workload[] {
  const exact = new Set(workloads.map(({ name }) => name).filter((name) => names.includes(name)));
  // "tcp_echo_1" is a workload, and the beginning of others.
  const fits = (name: string, given: string) => exact.has(given) ? name === given : name.startsWith(given);
  const found = workloads.filter(({ name }) => names.length === 0 || names.some((given) => fits(name, given)));
  if (found.length > 0) return found;
  throw new TypeError(`no workload is called ${names.join(" or ")}; see --list`);
}

function describeSample(workload: Workload, round: number, subject: string, sample: Sample): string {
  const figures = workload.metrics.map(({ key, title, digits }) => `${figure(sample[key] ?? NaN, digits)} ${title}`);
  return `${workload.name} round ${round + 1}: ${subject}: ${figures.join(", ")}`;
}

/** Before each sample. `disturbed` counts those that were taken all the same. */
const quiet = { wanted: args.calm, disturbed: 0 };

async function settle(): Promise<void> {
  if (quiet.wanted > 0 && !await calm(quiet.wanted)) quiet.disturbed++;
}

async function measure(rounds: number): Promise<Result[]> {
  const results: Result[] = [];
  const progress = await Progress.of(args.chosen, rounds);
  for (const workload of args.chosen) {
    quiet.disturbed = 0;
    const result = await takeTurns(
      workload,
      rounds,
      async (round, subject) => {
        progress.begin(`${workload.name} round ${round + 1}: ${subject}`);
        await settle();
      },
      (...sample) => progress.end(describeSample(workload, ...sample)),
    );
    progress.clear();
    const note = quiet.disturbed > 0 ? `  ${quiet.disturbed} samples were taken on a busy machine\n` : "";
    console.log(`${describeResult(result)}\n${note}`);
    results.push(result);
  }
  return results;
}

async function main(): Promise<void> {
  if (args.help) return console.log(HELP);
  if (args.list) return workloads.forEach(({ name, title }) => console.log(`${name.padEnd(24)} ${title}`));
  const { rounds } = args;
  if (args.pin) await pinProcesses();
  const machine = await thisMachine();
  console.log(`${describeMachine(machine)}\n${medians(rounds)}${args.pin ? ", pinned" : ""}\n`);
  try {
    const results = await measure(rounds);
    if (args.json !== undefined) await Deno.writeTextFile(args.json, toJson(machine, rounds, results));
    if (args.svg !== undefined) await Deno.writeTextFile(args.svg, chart(machine, rounds, results));
    if (args.readme !== undefined) {
      const page = await Deno.readTextFile(args.readme);
      await Deno.writeTextFile(args.readme, withResults(page, machine, rounds, results));
    }
  } finally {
    await cleanUp();
  }
}

await main();
