/** What the runtime's own sockets and timers lose beside a busy socket in the same process. */

import { both } from "../framework/subjects.ts";
import { startContender, startLoad } from "../framework/processes.ts";
import { receiveResult } from "../framework/protocol.ts";
import { BASELINE, OURS, type Sample, type Subject, type Workload } from "../framework/workload.ts";
import { MEDIAN, P99 } from "./metrics.ts";
import type { Load } from "./stream.ts";

/** Milliseconds of the load, and of what is measured beside it. */
const LOAD = { warmUp: 500, window: 1800 };
const BESIDE = { warmUp: 700, window: 1400 };

/** Microseconds between two round trips of the quiet connection. */
const PERIOD = 1500;

const LOADS: readonly { name: string; words: string; load: Load }[] = [
  { name: "paced", words: "one round trip every 0.1 ms", load: { mode: "paced", connections: 1, period: 100 } },
  { name: "16", words: "16 busy connections", load: { mode: "echo", connections: 16 } },
  { name: "128", words: "128 busy connections", load: { mode: "echo", connections: 128 } },
];

interface Addresses {
  readonly busy: string;
  readonly quiet: string;
}

/** Puts load on an address until the block ends. */
async function startBusy(address: string, { mode, connections, period = 0 }: Load) {
  const generator = await startLoad("stream_load", mode, address, connections, 0, LOAD.warmUp, LOAD.window, period);
  return {
    async [Symbol.asyncDispose](): Promise<void> {
      await generator.finished();
      await generator[Symbol.asyncDispose]();
    },
  };
}

async function echoRound(subject: Subject, load: Load): Promise<Sample> {
  await using child = await startContender(subject, "echo");
  const { busy, quiet } = await receiveResult<Addresses>(child);
  await using _busy = await startBusy(busy, load);
  await using client = await startLoad("stream_load", "paced", quiet, 1, 0, BESIDE.warmUp, BESIDE.window, PERIOD);
  await receiveResult(client);
  return await receiveResult<Sample>(client);
}

async function timersRound(subject: Subject, load: Load): Promise<Sample> {
  await using child = await startContender(subject, "timers", BESIDE.warmUp, BESIDE.window);
  const { busy } = await receiveResult<Addresses>(child);
  await using _busy = await startBusy(busy, load);
  return await receiveResult<Sample>(child);
}

const common = { metrics: [MEDIAN, P99], subjects: both("children/neighbour.ts") };

export const neighbour: readonly Workload[] = LOADS.flatMap(({ name, words, load }): Workload[] => [
  {
    ...common,
    name: `neighbour_echo_${name}`,
    title: `Echo on a socket of Deno's own every 1.5 ms, beside ${words}`,
    load: "stream_load, one for each server",
    goals: [
      { metric: "median", of: OURS, against: BASELINE, bound: 2 },
      { metric: "p99", of: OURS, against: BASELINE, bound: 3 },
    ],
    round: (subject) => echoRound(subject, load),
  },
  {
    ...common,
    name: `neighbour_timers_${name}`,
    title: `setTimeout() of 5 ms, how late, beside ${words}`,
    load: "stream_load",
    goals: [{ metric: "median", of: OURS, bound: 1000 }],
    round: (subject) => timersRound(subject, load),
  },
]);
