/**
 * Opens what nc.ts relays by, from its command line.
 *
 * @module
 */
import { connect, listen, listenDatagram, resolveAddress } from "../../mod.ts";
import { type Channel, DatagramChannel, describe, MessageChannel, StreamChannel } from "./channel.ts";

/** What the command line asks for. */
export interface Wanted {
  kind: "tcp" | "udp" | "unix" | "unixgram" | "seqpacket";
  hostname: string;
  port: number;
  /** Of a Unix socket; "\0name" is an abstract one. */
  path: string;
  /** Where to send from. */
  source: { hostname?: string; port?: number };
  interface: string | undefined;
  /** A group to join, for datagrams that are received. */
  group: string | undefined;
  ttl: number | undefined;
  /** Milliseconds that a dial may take, or Infinity. */
  timeout: number;
  signal: AbortSignal;
}

/** Only what was asked for: an option that is undefined is none. */
function byInterface(wanted: Wanted): { interface?: string } {
  return wanted.interface === undefined ? {} : { interface: wanted.interface };
}

/** Connects, or opens a socket for datagrams to one peer. */
export async function dial(wanted: Wanted): Promise<Channel> {
  const { kind, hostname, port, path, signal, source } = wanted;
  const limit = wanted.timeout === Infinity ? signal : AbortSignal.any([signal, AbortSignal.timeout(wanted.timeout)]);
  switch (kind) {
    case "tcp": {
      const local = source.hostname === undefined && source.port === undefined ? {} : { localAddress: source };
      const deadline = wanted.timeout === Infinity ? null : wanted.timeout;
      return new StreamChannel(await connect({ hostname, port, signal, deadline, ...local, ...byInterface(wanted) }));
    }
    case "unix":
      return new StreamChannel(await connect({ transport: "unix", path, signal: limit }));
    case "seqpacket":
      return new MessageChannel(await connect({ transport: "seqpacket", path, signal: limit }));
    case "unixgram": {
      // A name of the system's choice, so that the peer can answer.
      const socket = listenDatagram({ transport: "unixgram", path: "" });
      return new DatagramChannel(socket, { transport: "unixpacket", path });
    }
    case "udp":
      return await dialUdp(wanted);
  }
}

async function dialUdp(wanted: Wanted): Promise<Channel> {
  const peer = await resolveAddress("udp", `${bracketed(wanted.hostname)}:${wanted.port}`, { signal: wanted.signal });
  const hostname = wanted.source.hostname ?? (peer.hostname.includes(":") ? "::" : "0.0.0.0");
  const socket = listenDatagram({ transport: "udp", hostname, port: wanted.source.port ?? 0, loopback: true });
  if (wanted.interface !== undefined) socket.setMulticastInterface(wanted.interface);
  if (wanted.ttl !== undefined) {
    socket.setTTL(wanted.ttl);
    socket.setMulticastTTL(wanted.ttl);
  }
  // Of a connected socket it is known that there is no listener. A group answers from other addresses.
  if (!isGroup(peer.hostname)) socket.connect(peer);
  return new DatagramChannel(socket, peer);
}

function isGroup(hostname: string): boolean {
  return /^(22[4-9]|23\d)\.|^ff/i.test(hostname);
}

export function bracketed(hostname: string): string {
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}

/** Where channels come from: connections, one after another, or one socket for datagrams. */
export interface Source extends Disposable {
  readonly at: string;
  next(): Promise<Channel>;
}

/** Listens. */
export function open(wanted: Wanted): Source {
  const { kind, hostname, port, path, signal } = wanted;
  if (kind === "udp") return openUdp(wanted);
  if (kind === "unixgram") {
    const socket = listenDatagram({ transport: "unixgram", path, replaceStale: true });
    return {
      at: describe({ path: socket.addr.path }),
      next: () => Promise.resolve(new DatagramChannel(socket)),
      [Symbol.dispose]: () => socket[Symbol.dispose](),
    };
  }
  if (kind === "seqpacket") {
    const listener = listen({ transport: "seqpacket", path, replaceStale: true });
    return {
      at: describe(listener.addr),
      next: async () => new MessageChannel(await listener.accept({ signal })),
      [Symbol.dispose]: () => listener[Symbol.dispose](),
    };
  }
  const listener = kind === "unix"
    ? listen({ transport: "unix", path, replaceStale: true })
    : listen({ hostname, port, ...byInterface(wanted) });
  return {
    at: describe(listener.addr as Deno.NetAddr),
    next: async () => new StreamChannel(await listener.accept({ signal })),
    [Symbol.dispose]: () => listener[Symbol.dispose](),
  };
}

function openUdp(wanted: Wanted): Source {
  const { hostname, port, group } = wanted;
  const socket = group === undefined
    ? listenDatagram({ transport: "udp", hostname, port, ...byInterface(wanted) })
    : listenDatagram({ transport: "udp", hostname: group, port, loopback: true });
  if (group !== undefined) socket.joinMulticast(group, byInterface(wanted));
  return {
    at: describe(socket.addr),
    next: () => Promise.resolve(new DatagramChannel(socket)),
    [Symbol.dispose]: () => socket[Symbol.dispose](),
  };
}
