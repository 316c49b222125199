/**
 * Plain sockets for tests: bound to loopback, connected to each other.
 *
 * @module
 */
import { Socket } from "../../mod.ts";
import { decodeNet } from "../../ffi/address/address.ts";
import { socketName } from "../../ffi/address/sockname.ts";
import { text } from "../support/bytes.ts";

/** A TCP address of loopback. */
export function tcpAt(port: number, hostname = "127.0.0.1"): Deno.NetAddr {
  return { transport: "tcp", hostname, port };
}

/** The address a socket is bound to. */
export function nameOf(socket: Socket): Deno.NetAddr {
  return decodeNet("tcp", socketName(socket.fd));
}

/** A socket that listens on a free port of loopback. */
export function openListener(): Socket {
  const listener = Socket.open("inet", "stream");
  listener.bind(tcpAt(0));
  listener.listen();
  return listener;
}

/** Two ends of a TCP connection. */
export async function connectedPair(): Promise<{ client: Socket; server: Socket } & Disposable> {
  using listener = openListener();
  const client = Socket.open("inet", "stream");
  const [server] = await Promise.all([listener.accept(), client.connect(nameOf(listener))]);
  return {
    client,
    server,
    [Symbol.dispose]: () => {
      client[Symbol.dispose]();
      server[Symbol.dispose]();
    },
  };
}

/** Reads until the end, or as many bytes. */
export async function read(socket: Socket, most = Infinity): Promise<string> {
  let all = "";
  const buffer = new Uint8Array(1024);
  for (;;) {
    const { length } = await socket.receive(buffer);
    all += text(buffer.subarray(0, length));
    if (length === 0 || all.length >= most) return all;
  }
}
