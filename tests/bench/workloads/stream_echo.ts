import { BASELINE, type Goal, OURS, type Workload } from "../framework/workload.ts";
import { MEDIAN, P99, processorPer, rateOf } from "./metrics.ts";
import { attack, echoInC, serverRound, servers, startServer, type Transport, TRANSPORT_NAMES } from "./stream.ts";

const LATENCY = [MEDIAN, P99];
const RATE = [rateOf("round trips")];

function goal(metric: string, bound: number, against = BASELINE): Goal {
  return { metric, of: OURS, against, bound };
}

/** What is to be reached at so many connections. */
function goals(connections: number, c: string): Goal[] {
  if (connections === 1) return [goal("median", 0.9), goal("processor", 1.1)];
  const [rate, processor] = connections < 128 ? [1.15, 0.9] : [1.25, 0.85];
  return [goal("rate", rate), goal("processor", processor), goal("rate", 0.8, c)];
}

function echo(transport: Transport, connections: number): Workload {
  const many = connections === 1 ? "1 connection" : `${connections} connections`;
  const c = echoInC(transport);
  return {
    name: `${transport}_echo_${connections}`,
    title: `${TRANSPORT_NAMES[transport]}, echo of 64 bytes, ${many}`,
    load: "stream_load, epoll",
    metrics: [...connections === 1 ? [...LATENCY, ...RATE] : [...RATE, ...LATENCY], processorPer("round trip")],
    subjects: [...servers(transport, "echo"), c],
    goals: goals(connections, c.name),
    round: (subject) => serverRound(subject, { mode: "echo", connections }),
  };
}

/** Sparse traffic: what waiting costs. Each server is warmed by busy traffic first, since at a thousand round trips a
 * second its compiler would be what is measured. */
function paced(transport: Transport): Workload {
  return {
    name: `${transport}_echo_paced`,
    title: `${TRANSPORT_NAMES[transport]}, echo of 64 bytes, one a millisecond`,
    load: "stream_load, one connection",
    metrics: [...LATENCY, processorPer("round trip")],
    subjects: [...servers(transport, "echo"), echoInC(transport)],
    goals: [goal("median", 1.1), goal("processor", 1.3)],
    async round(subject) {
      await using server = await startServer(subject);
      await attack(server, { mode: "echo", connections: 1 });
      return await attack(server, { mode: "paced", connections: 1, period: 1000 });
    },
  };
}

export const streamEcho: readonly Workload[] = (["tcp", "unix"] as const).flatMap((transport) => [
  ...[1, 16, 128].map((connections) => echo(transport, connections)),
  paced(transport),
]);
