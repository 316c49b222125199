import { BASELINE, OURS, type Work } from "../framework/workload.ts";
import { processorPer, rateOf } from "./metrics.ts";
import { serverRound, servers } from "./stream.ts";

export const tcpAccept: Work = {
  name: "tcp_accept",
  title: "TCP, connections accepted and closed",
  load: "stream_load, 16 at a time",
  metrics: [rateOf("connections"), processorPer("connection")],
  contenders: servers("tcp", "close"),
  goals: [{ metric: "rate", of: OURS, against: BASELINE, bound: 1 }],
  round: (contender) => serverRound(contender, { mode: "accept", connections: 16 }),
};
