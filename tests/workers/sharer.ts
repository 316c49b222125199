/**
 * A Worker of sharing.ts: answers each connection or datagram with its own number, counts them, and tells how many there
 * were when it is asked to close.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { listen, listenDatagram, type TcpConn, type TcpListener, type UdpSocket } from "../../mod.ts";

/** What a Worker is asked: to open a socket on a port, 0 for any; and to close it. */
export type Order = { open: "tcp" | "udp"; port: number; index: number } | { close: true };

/** What it says when it has opened one. */
export interface Opened {
  port: number;
}

const SHARED = { hostname: "127.0.0.1", reusePort: true } as const;

let count = 0;
let socket: TcpListener | UdpSocket;

async function answer(conn: TcpConn, index: number): Promise<void> {
  using closing = conn;
  await closing.write(Uint8Array.of(index));
}

async function serveTcp(listener: TcpListener, index: number): Promise<void> {
  for await (const conn of listener) {
    count++;
    answer(conn, index);
  }
}

async function serveUdp(udp: UdpSocket, index: number): Promise<void> {
  for await (const [[round], from] of udp) {
    count++;
    await udp.send(Uint8Array.of(round!, index), from);
  }
}

function open(transport: "tcp" | "udp", port: number, index: number): void {
  if (transport === "tcp") serveTcp(socket = listen({ ...SHARED, port }), index);
  else serveUdp(socket = listenDatagram({ transport, ...SHARED, port }), index);
}

self.onmessage = ({ data }: MessageEvent<Order>) => {
  if ("open" in data) {
    open(data.open, data.port, data.index);
    const opened: Opened = { port: socket.addr.port };
    self.postMessage(opened);
  } else {
    socket.close();
    self.postMessage(count);
    self.close();
  }
};
