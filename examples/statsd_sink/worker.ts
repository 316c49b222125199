/**
 * A Worker of statsd_sink.ts: takes over a UDP socket, adds up what it receives, and reports it when asked.
 *
 * @module
 */
/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
import { DatagramBatch, fromFd, type UdpSocket } from "../../mod.ts";
import { Metrics, type Snapshot } from "./metrics.ts";

/** What a Worker is sent: the descriptor to receive on, or to report. */
export type Order = { fd: number } | "report";

/** A message of a Worker: how many datagrams it has just taken, or what it has collected since the last report. */
export type Report = { taken: number } | { snapshot: Snapshot };

let metrics = new Metrics();

async function receive(socket: UdpSocket): Promise<void> {
  const batch = new DatagramBatch({ maxLength: 8192 });
  const decoder = new TextDecoder();
  for (;;) {
    const taken = await socket.receiveMany(batch);
    for (let i = 0; i < taken; i++) metrics.take(decoder.decode(batch.data(i)));
    self.postMessage({ taken } satisfies Report);
  }
}

self.onmessage = ({ data }: MessageEvent<Order>) => {
  if (data !== "report") {
    receive(fromFd(data.fd) as UdpSocket);
    return;
  }
  self.postMessage({ snapshot: metrics.snapshot } satisfies Report);
  metrics = new Metrics(metrics);
};
