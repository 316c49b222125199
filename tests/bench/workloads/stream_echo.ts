import { BASELINE, type Goal, OURS, type Workload } from "../framework/workload.ts";
import { MEDIAN, P99, processorPer, rateOf } from "./metrics.ts";
import { serverRound, servers, type Transport, TRANSPORT_NAMES } from "./stream.ts";

function goals(connections: number): Goal[] {
  const goal = (metric: string, bound: number): Goal => ({ metric, of: OURS, against: BASELINE, bound });
  if (connections === 1) return [goal("median", 1), goal("p99", 1.2)];
  return [goal("rate", connections < 128 ? 1 : 1.2), goal("processor", 1)];
}

function echo(transport: Transport, connections: number): Workload {
  const many = connections === 1 ? "1 connection" : `${connections} connections`;
  const latency = [MEDIAN, P99];
  const rate = [rateOf("round trips")];
  return {
    name: `${transport}_echo_${connections}`,
    title: `${TRANSPORT_NAMES[transport]}, echo of 64 bytes, ${many}`,
    load: "stream_load, epoll",
    metrics: [...connections === 1 ? [...latency, ...rate] : [...rate, ...latency], processorPer("round trip")],
    subjects: servers(transport, "echo"),
    goals: goals(connections),
    round: (subject) => serverRound(subject, { mode: "echo", connections }),
  };
}

export const streamEcho: readonly Workload[] = [
  ...[1, 16, 128].map((connections) => echo("tcp", connections)),
  ...[1, 128].map((connections) => echo("unix", connections)),
];
