/**
 * Every operation of the module that takes the caller's bytes, ready to be given odd ones.
 *
 * @module
 */
import { listenDatagram, socketPair } from "../../mod.ts";
import { LOOPBACK } from "../support/loopback.ts";
import { connectedPair } from "../tcp/support.ts";

/** Something to send bytes by. */
export interface Sender extends Disposable {
  /** The operation under test. */
  give(p: Uint8Array): Promise<unknown>;
  /** What came out at the other end, once `give` has resolved. */
  arrived(): Promise<Uint8Array>;
}

/** Something to receive bytes by. */
export interface Receiver extends Disposable {
  /** Sends bytes to it. */
  put(bytes: Uint8Array): Promise<unknown>;
  /** The operation under test: resolves to the bytes received. */
  take(p: Uint8Array<ArrayBuffer>): Promise<number | null>;
}

/** Bytes that arrive as one piece. */
const ROOM = 4096;

interface Reader {
  read(p: Uint8Array): Promise<number | null>;
}

async function readOnce(conn: Reader): Promise<Uint8Array> {
  const p = new Uint8Array(ROOM);
  return p.subarray(0, await conn.read(p) ?? 0);
}

function closing(...things: Disposable[]): { [Symbol.dispose](): void } {
  return {
    [Symbol.dispose]() {
      for (const thing of things) thing[Symbol.dispose]();
    },
  };
}

function udpPair(receiveOffload = false) {
  const to = listenDatagram({ transport: "udp", hostname: LOOPBACK, receiveOffload });
  const from = listenDatagram({ transport: "udp", hostname: LOOPBACK });
  return { to, from, close: closing(to, from) };
}

function unixDatagrams() {
  const to = listenDatagram({ transport: "unixgram", path: "" });
  const from = listenDatagram({ transport: "unixgram" });
  return { to, from, close: closing(to, from) };
}

/** The sockets under a connected pair. */
function bareSockets() {
  const { to, from, close } = udpPair();
  from.connect(to.addr);
  return { to: to.socket, from: from.socket, close };
}

/** Opens what is to be sent by, by the name of the operation. */
export const SENDERS: Readonly<Record<string, () => Sender | Promise<Sender>>> = {
  "TcpConn.write": async () => {
    const { one, two } = await connectedPair();
    return { give: (p) => one.write(p), arrived: () => readOnce(two), ...closing(one, two) };
  },
  "TcpConn.write of several": async () => {
    const { one, two } = await connectedPair();
    return { give: (p) => one.write([new Uint8Array(0), p]), arrived: () => readOnce(two), ...closing(one, two) };
  },
  "TcpConn.writable": async () => {
    const { one, two } = await connectedPair();
    const writer = one.writable.getWriter();
    writer.closed.catch(() => {});
    return { give: (p) => writer.write(p), arrived: () => readOnce(two), ...closing(one, two) };
  },
  "UnixConn.write": () => {
    const [one, two] = socketPair("stream");
    return { give: (p) => one.write(p), arrived: () => readOnce(two), ...closing(one, two) };
  },
  "UnixConn.sendMessage": () => {
    const [one, two] = socketPair("stream");
    const arrived = async () => (await two.receiveMessage())!.data;
    return { give: (data) => one.sendMessage({ data }), arrived, ...closing(one, two) };
  },
  "SeqpacketConn.send": () => {
    const [one, two] = socketPair("seqpacket");
    return { give: (p) => one.send(p), arrived: async () => (await two.receive())!, ...closing(one, two) };
  },
  "SeqpacketConn.sendMessage": () => {
    const [one, two] = socketPair("seqpacket");
    return {
      give: (data) => one.sendMessage({ data }),
      arrived: async () => (await two.receive())!,
      ...closing(one, two),
    };
  },
  "UdpSocket.send": () => {
    const { to, from, close } = udpPair();
    return { give: (p) => from.send(p, to.addr), arrived: async () => (await to.receive())[0], ...close };
  },
  "UdpSocket.sendMany": () => {
    const { to, from, close } = udpPair();
    const give = (data: Uint8Array) => from.sendMany([{ data, addr: to.addr }]);
    return { give, arrived: async () => (await to.receive())[0], ...close };
  },
  "UdpSocket.sendMany, connected": () => {
    const { to, from, close } = udpPair();
    from.connect(to.addr);
    return { give: (data) => from.sendMany([{ data }]), arrived: async () => (await to.receive())[0], ...close };
  },
  "UdpSocket.sendSegments": () => {
    const { to, from, close } = udpPair();
    return { give: (p) => from.sendSegments(p, 1000, to.addr), arrived: async () => (await to.receive())[0], ...close };
  },
  "UnixDatagram.send": () => {
    const { to, from, close } = unixDatagrams();
    return { give: (p) => from.send(p, to.addr), arrived: async () => (await to.receive())[0], ...close };
  },
  "UnixDatagram.sendMessage": () => {
    const { to, from, close } = unixDatagrams();
    const give = (data: Uint8Array) => from.sendMessage({ data }, to.addr);
    return { give, arrived: async () => (await to.receiveMessage())!.data, ...close };
  },
  "Socket.send of several": () => {
    const { to, from, close } = bareSockets();
    const arrived = async () => {
      const p = new Uint8Array(ROOM);
      return p.subarray(0, (await to.receive(p)).length);
    };
    return { give: (p) => from.send([p, new Uint8Array(0)]), arrived, ...close };
  },
  "Socket.send": () => {
    const { to, from, close } = bareSockets();
    const arrived = async () => {
      const p = new Uint8Array(ROOM);
      return p.subarray(0, (await to.receive(p)).length);
    };
    return { give: (p) => from.send(p), arrived, ...close };
  },
};

/** Opens what is to be received by, by the name of the operation. */
export const RECEIVERS: Readonly<Record<string, () => Receiver | Promise<Receiver>>> = {
  "TcpConn.read": async () => {
    const { one, two } = await connectedPair();
    return { put: (bytes) => two.write(bytes), take: (p) => one.read(p), ...closing(one, two) };
  },
  "UnixConn.read": () => {
    const [one, two] = socketPair("stream");
    return { put: (bytes) => two.write(bytes), take: (p) => one.read(p), ...closing(one, two) };
  },
  "TcpConn.peek": async () => {
    const { one, two } = await connectedPair();
    return { put: (bytes) => two.write(bytes), take: (p) => one.peek(p), ...closing(one, two) };
  },
  "Socket.receive with control messages": () => {
    const { to, from, close } = bareSockets();
    const take = async (p: Uint8Array<ArrayBuffer>) => (await to.receive(p, { controlLength: 256 })).length;
    return { put: (bytes) => from.send(bytes), take, ...close };
  },
  "UdpSocket.receive": () => {
    const { to, from, close } = udpPair();
    const take = async (p: Uint8Array<ArrayBuffer>) => (await to.receive(p))[0].length;
    return { put: (bytes) => from.send(bytes, to.addr), take, ...close };
  },
  "UdpSocket.receive with receiveOffload": () => {
    const { to, from, close } = udpPair(true);
    const take = async (p: Uint8Array<ArrayBuffer>) => (await to.receive(p))[0].length;
    return { put: (bytes) => from.send(bytes, to.addr), take, ...close };
  },
  "UdpSocket.receive of a coalesced datagram": () => {
    const { to, from, close } = udpPair(true);
    const put = async (bytes: Uint8Array) => {
      const two = new Uint8Array(bytes.length * 2);
      two.set(bytes, bytes.length);
      await from.sendSegments(two, bytes.length, to.addr);
      await to.receive();
    };
    return { put, take: async (p) => (await to.receive(p))[0].length, ...close };
  },
  "UnixDatagram.receive": () => {
    const { to, from, close } = unixDatagrams();
    const take = async (p: Uint8Array<ArrayBuffer>) => (await to.receive(p))[0].length;
    return { put: (bytes) => from.send(bytes, to.addr), take, ...close };
  },
  "Socket.receive": () => {
    const { to, from, close } = bareSockets();
    return { put: (bytes) => from.send(bytes), take: async (p) => (await to.receive(p)).length, ...close };
  },
};
