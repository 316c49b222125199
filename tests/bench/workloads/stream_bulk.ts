import { BASELINE, OURS, type Workload } from "../framework/workload.ts";
import { processorPer, rateOf } from "./metrics.ts";
import { type ServerMode, serverRound, servers, type Transport, TRANSPORT_NAMES } from "./stream.ts";

/** The ways a server moves bytes, and what the other side does meanwhile. */
const WAYS: readonly { way: ServerMode; words: string; mode: "to" | "from"; bound: number }[] = [
  { way: "read", words: "received by read()", mode: "to", bound: 0.95 },
  { way: "write", words: "sent by write()", mode: "from", bound: 0.95 },
  { way: "readable", words: "received from readable", mode: "to", bound: 1.1 },
  { way: "writable", words: "sent into writable", mode: "from", bound: 0.95 },
];

function bulk(transport: Transport, { way, words, mode, bound }: typeof WAYS[number]): Workload {
  return {
    name: `${transport}_bulk_${way}`,
    title: `${TRANSPORT_NAMES[transport]}, one way, ${words}`,
    load: "stream_load, 256 KiB a call",
    metrics: [rateOf("MiB"), processorPer("MiB")],
    subjects: servers(transport, way),
    goals: [{ metric: "rate", of: OURS, against: BASELINE, bound }],
    round: (subject) => serverRound(subject, { mode, connections: 1 }),
  };
}

export const streamBulk: readonly Workload[] = (["tcp", "unix"] as const).flatMap((transport) =>
  WAYS.map((way) => bulk(transport, way))
);
