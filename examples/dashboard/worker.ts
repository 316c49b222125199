/**
 * A Worker of dashboard.ts: takes over a UDP socket and a TCP listener and counts datagrams and connections.
 *
 * @module
 */
/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
import { DatagramBatch, fromFd, type TcpListener, type UdpSocket } from "../../mod.ts";

/** Descriptor numbers. They are valid in every Worker, since descriptors belong to the process. */
export interface Sockets {
  udp: number;
  tcp: number;
}

/** The counts so far. */
export interface Seen {
  datagrams: number;
  connections: number;
}

const seen: Seen = { datagrams: 0, connections: 0 };

async function countDatagrams(socket: UdpSocket): Promise<void> {
  const batch = new DatagramBatch();
  for (;;) seen.datagrams += await socket.receiveMany(batch);
}

async function countConnections(listener: TcpListener): Promise<void> {
  for await (const conn of listener) {
    seen.connections++;
    conn.close();
  }
}

self.onmessage = async ({ data }: MessageEvent<Sockets>) => {
  setInterval(() => self.postMessage(seen), 100);
  await Promise.all([
    countDatagrams(fromFd(data.udp) as UdpSocket),
    countConnections(fromFd(data.tcp) as TcpListener),
  ]);
};
