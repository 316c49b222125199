import { both, inBun, inC, inGo, nodeApi, oursBy } from "../framework/subjects.ts";
import { startContender, startLoad } from "../framework/processes.ts";
import { receiveResult } from "../framework/protocol.ts";
import { BASELINE, type Goal, OURS, type Sample, type Subject, type Workload } from "../framework/workload.ts";
import { processorPer, rateOf } from "./metrics.ts";

/** Bytes of a datagram. */
const LENGTH = 64;
/** Time limit of a flood, in seconds. */
const LIMIT = 20;

const FASTER: Goal = { metric: "rate", of: OURS, against: BASELINE, bound: 1.5 };
const NO_DEARER: Goal = { metric: "processor", of: OURS, against: BASELINE, bound: 1 };

/** One datagram a call. */
const ONE_BY_ONE: readonly Subject[] = [
  ...both("children/udp.ts", "receive"),
  ...nodeApi("node:dgram", "children/udp_node.mjs", "receive"),
  inBun("udpSocket", "children/udp_bun.mjs", "receive"),
  inGo("ReadFromUDPAddrPort"),
];

/** What the kernel and the sender allow at all. */
const RECVMSG = inC("recvmsg", "udp_receive", "recvmsg");
const RECVMMSG = inC("recvmmsg", "udp_receive", "recvmmsg");
const GRO = inC("recvmsg with UDP_GRO", "udp_receive", "gro");

const MANY = oursBy("receiveMany", "children/udp_batch.ts", "receive_many");
const OFFLOAD = oursBy("receiveMany with offload", "children/udp_batch.ts", "receive_offload");

const BATCHES: readonly Goal[] = [
  { metric: "rate", of: MANY.name, against: BASELINE, bound: 2 },
  { metric: "rate", of: MANY.name, against: RECVMMSG.name, bound: 0.9 },
];
const OFFLOADED: readonly Goal[] = [
  { metric: "rate", of: OFFLOAD.name, against: BASELINE, bound: 30 },
  { metric: "rate", of: OFFLOAD.name, against: GRO.name, bound: 0.5 },
];

interface Flood {
  /** Datagrams a system call, by UDP_SEGMENT. */
  segments: number;
  /** Datagrams a second; 0 is as many as it can. */
  rate: number;
}

async function round(subject: Subject, { segments, rate }: Flood): Promise<Sample> {
  await using receiver = await startContender(subject);
  const { port } = await receiveResult<{ port: number }>(receiver);
  await using _flood = await startLoad("udp_flood", port, LENGTH, LIMIT, segments, rate);
  return await receiveResult(receiver);
}

const shared = {
  title: "UDP, datagrams of 64 bytes received",
  metrics: [rateOf("datagrams"), processorPer("datagram")],
};

/** The receiver is what limits. */
const flooded: Workload = {
  ...shared,
  name: "udp_receive",
  load: "udp_flood by UDP_SEGMENT, 64 a message: more than any subject takes",
  subjects: [...ONE_BY_ONE, MANY, OFFLOAD, RECVMSG, RECVMMSG, GRO],
  goals: [FASTER, NO_DEARER, ...BATCHES, ...OFFLOADED],
  round: (subject) => round(subject, { segments: 64, rate: 0 }),
};

/** Over loopback the sender's call does most of the kernel's work for both: the rows for C say what is to be had at all. */
const single: Workload = {
  ...shared,
  name: "udp_receive_single",
  title: `${shared.title}, each a message of its own`,
  load: "udp_flood by sendmmsg, as fast as one core sends",
  subjects: [...ONE_BY_ONE, MANY, RECVMSG, RECVMMSG],
  goals: [FASTER, NO_DEARER, ...BATCHES],
  round: (subject) => round(subject, { segments: 1, rate: 0 }),
};

/** Nobody is short of anything: what waiting costs. */
const paced: Workload = {
  ...shared,
  name: "udp_receive_paced",
  title: `${shared.title}, 20,000 a second`,
  load: "udp_flood, one every 50 µs",
  subjects: ONE_BY_ONE,
  goals: [{ ...NO_DEARER, bound: 1.3 }],
  round: (subject) => round(subject, { segments: 1, rate: 20_000 }),
};

export const udpReceive: readonly Workload[] = [flooded, single, paced];
