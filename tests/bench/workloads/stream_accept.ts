import { BASELINE, OURS, type Workload } from "../framework/workload.ts";
import { processorPer, rateOf } from "./metrics.ts";
import { serverRound, servers, type Transport, TRANSPORT_NAMES } from "./stream.ts";

function accept(transport: Transport, bound: number): Workload {
  return {
    name: `${transport}_accept`,
    title: `${TRANSPORT_NAMES[transport]}, connections accepted and closed`,
    load: "stream_load, 16 at a time",
    metrics: [rateOf("connections"), processorPer("connection")],
    subjects: servers(transport, "close"),
    goals: [{ metric: "rate", of: OURS, against: BASELINE, bound }],
    round: (subject) => serverRound(subject, { mode: "accept", connections: 16 }),
  };
}

export const streamAccept: readonly Workload[] = [accept("tcp", 1), accept("unix", 1.15)];
