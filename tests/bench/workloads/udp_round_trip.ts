import { both, nodeApi } from "../framework/subjects.ts";
import { startContender, startLoad } from "../framework/processes.ts";
import { receiveResult } from "../framework/protocol.ts";
import { BASELINE, OURS, type Workload } from "../framework/workload.ts";
import { MEDIAN, P99, processorPer } from "./metrics.ts";

/** Time limit of an echo server, in seconds. */
const LIMIT = 20;

export const udpRoundTrip: Workload = {
  name: "udp_round_trip",
  title: "UDP, 64 bytes sent and waited for, one after another",
  load: "udp_echo in another process",
  metrics: [MEDIAN, P99, processorPer("round trip")],
  subjects: [
    ...both("children/udp.ts", "round_trip"),
    ...nodeApi("node:dgram", "children/udp_node.mjs", "round_trip"),
  ],
  goals: [{ metric: "median", of: OURS, against: BASELINE, bound: 1 }],
  async round(subject) {
    await using echo = await startLoad("udp_echo", LIMIT);
    const { port } = await receiveResult<{ port: number }>(echo);
    await using client = await startContender(subject, port);
    return await receiveResult(client);
  },
};
