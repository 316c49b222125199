/** What only the module has: `udp_batch.ts ours receive_many|receive_offload|send_many|send_segments [PORT]`. One JSON line of results. */

import { DatagramBatch, listenDatagram } from "../../../mod.ts";
import { countStrides, report } from "./counting.ts";

/** Bytes of a datagram, and datagrams of one call. */
const LENGTH = 64;
const MANY = 64;

const [, mode, port] = Deno.args;
const receiveOffload = mode === "receive_offload";
using socket = listenDatagram({ transport: "udp", hostname: "127.0.0.1", receiveOffload });
const peer: Deno.NetAddr = { transport: "udp", hostname: "127.0.0.1", port: Number(port) };

async function receiveMany(): Promise<void> {
  const batch = new DatagramBatch();
  report({ port: socket.addr.port });
  report(await countStrides(() => socket.receiveMany(batch)));
}

async function sendMany(): Promise<void> {
  const datagrams = Array.from({ length: MANY }, () => ({ data: new Uint8Array(LENGTH), addr: peer }));
  report(await countStrides(() => socket.sendMany(datagrams)));
}

async function sendSegments(): Promise<void> {
  const run = new Uint8Array(LENGTH * MANY);
  report(await countStrides(async () => await socket.sendSegments(run, LENGTH, peer) / LENGTH));
}

const modes: Record<string, () => Promise<void>> = {
  receive_many: receiveMany,
  receive_offload: receiveMany,
  send_many: sendMany,
  send_segments: sendSegments,
};
await modes[mode!]!();
