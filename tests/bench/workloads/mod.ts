import type { Workload } from "../framework/workload.ts";
import { idle } from "./idle.ts";
import { neighbour } from "./neighbour.ts";
import { startup } from "./startup.ts";
import { streamAccept } from "./stream_accept.ts";
import { streamBulk } from "./stream_bulk.ts";
import { streamEcho } from "./stream_echo.ts";
import { udpReceive } from "./udp_receive.ts";
import { udpRoundTrip } from "./udp_round_trip.ts";
import { udpSend } from "./udp_send.ts";

/** Every workload, in the order they are shown. */
export const workloads: readonly Workload[] = [
  ...udpReceive,
  udpSend,
  udpRoundTrip,
  ...streamEcho,
  ...streamBulk,
  ...streamAccept,
  ...neighbour,
  ...idle,
  startup,
];
