/**
 * Waits on a socket that is unref'd, and ends by itself: `quiet.ts <what it waits for> <"unref", or "ref" for a wait that
 * holds the process until a timer that does not closes the socket>`.
 *
 * @module
 */
import { connect, listen, listenDatagram, socketPair, type TcpConn, type UnixConn } from "../../mod.ts";
import { settled } from "../support/turns.ts";

/** A socket, and what it waits for. */
interface Wait {
  readonly socket: { ref(): void; unref(): void; close(): void };
  begin(): Promise<unknown>;
}

/** The end of a TCP connection, whose other end stays open and says nothing. */
async function connected(): Promise<TcpConn> {
  using listener = listen({ hostname: "127.0.0.1", port: 0 });
  const [conn] = await Promise.all([connect({ port: listener.addr.port }), listener.accept().then(keep)]);
  return conn;
}

const kept: unknown[] = [];

function keep(conn: unknown): void {
  kept.push(conn);
}

function pairOf(type: "stream"): UnixConn {
  const [one, two] = socketPair(type);
  keep(two);
  return one;
}

const WAYS: Readonly<Record<string, () => Wait | Promise<Wait>>> = {
  "a TCP listener"() {
    const socket = listen({ hostname: "127.0.0.1", port: 0 });
    return { socket, begin: () => socket.accept() };
  },
  "a loop over a TCP listener"() {
    const socket = listen({ hostname: "127.0.0.1", port: 0 });
    return { socket, begin: () => Array.fromAsync(socket) };
  },
  async "a read from a TCP connection"() {
    const socket = await connected();
    return { socket, begin: () => socket.read(new Uint8Array(8)) };
  },
  async "a write to a TCP connection"() {
    const socket = await connected();
    return { socket, begin: () => socket.write(new Uint8Array(64 << 20)) };
  },
  "a UDP socket"() {
    const socket = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
    return { socket, begin: () => socket.receive() };
  },
  "a Unix listener"() {
    const socket = listen({ transport: "unix", path: `\0berkeley-quiet-${Deno.pid}` });
    return { socket, begin: () => socket.accept() };
  },
  "a read from a Unix connection"() {
    const socket = pairOf("stream");
    return { socket, begin: () => socket.read(new Uint8Array(8)) };
  },
  "a Unix datagram socket"() {
    const socket = listenDatagram({ transport: "unixgram", path: "" });
    return { socket, begin: () => socket.receive() };
  },
  "a seqpacket connection"() {
    const [socket, other] = socketPair("seqpacket");
    keep(other);
    return { socket, begin: () => socket.receive() };
  },
};

addEventListener("unload", () => console.log("unloaded"));
const [what, how] = Deno.args;
const waits = await Promise.all(what === "all of them" ? Object.values(WAYS).map((way) => way()) : [WAYS[what!]!()]);
for (const { socket, begin } of waits) {
  if (how === "unref") socket.unref();
  begin().then(() => console.log("it came"), () => {});
}
await settled();
if (how === "ref") {
  Deno.unrefTimer(setTimeout(() => {
    console.log("held");
    for (const { socket } of waits) socket.close();
  }, 50));
}
