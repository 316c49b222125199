import { BASELINE, OURS, type Workload } from "../framework/workload.ts";
import { processorPer, rateOf } from "./metrics.ts";
import { serverRound, servers } from "./stream.ts";

export const tcpAccept: Workload = {
  name: "tcp_accept",
  title: "TCP, connections accepted and closed",
  load: "stream_load, 16 at a time",
  metrics: [rateOf("connections"), processorPer("connection")],
  subjects: servers("tcp", "close"),
  goals: [{ metric: "rate", of: OURS, against: BASELINE, bound: 1 }],
  round: (subject) => serverRound(subject, { mode: "accept", connections: 16 }),
};
