import { listenDatagram } from "../../../mod.ts";
import { both, inBun, nodeApi, oursBy } from "../framework/subjects.ts";
import { startContender } from "../framework/processes.ts";
import { receiveResult } from "../framework/protocol.ts";
import { BASELINE, OURS, type Workload } from "../framework/workload.ts";
import { processorPer, rateOf } from "./metrics.ts";

const MANY = oursBy("sendMany", "children/udp_batch.ts", "send_many");
const SEGMENTS = oursBy("sendSegments", "children/udp_batch.ts", "send_segments");
const BUN_MANY = inBun("sendMany", "children/udp_bun.mjs", "send_many");

export const udpSend: Workload = {
  name: "udp_send",
  title: "UDP, datagrams of 64 bytes sent",
  load: "none, they go to a bound socket with UDP_GRO that is not read",
  metrics: [rateOf("datagrams"), processorPer("datagram")],
  subjects: [
    ...both("children/udp.ts", "send"),
    ...nodeApi("node:dgram", "children/udp_node.mjs", "send"),
    inBun("send", "children/udp_bun.mjs", "send"),
    MANY,
    BUN_MANY,
    SEGMENTS,
  ],
  goals: [
    { metric: "rate", of: OURS, against: BASELINE, bound: 2 },
    { metric: "rate", of: MANY.name, against: BASELINE, bound: 2 },
    { metric: "rate", of: MANY.name, against: BUN_MANY.name, bound: 1 },
    { metric: "rate", of: SEGMENTS.name, against: BASELINE, bound: 20 },
  ],
  async round(subject) {
    // As a receiver of segments does, it takes them uncut: cutting would be done within the sender's call.
    using sink = listenDatagram({ transport: "udp", hostname: "127.0.0.1", receiveOffload: true });
    await using sender = await startContender(subject, sink.addr.port);
    return await receiveResult(sender);
  },
};
