/**
 * What nc.ts sends by and receives by: streams of bytes, datagrams and messages look alike.
 *
 * @module
 */
import type { SeqpacketConn, TcpConn, UdpSocket, UnixConn, UnixDatagram, WaitOptions } from "../../mod.ts";

/** Bytes that are read at once. */
const BUFFER = 65_536;

/** One end of a connection, or a datagram socket. */
export interface Channel extends Disposable {
  /** Who is at the other end, for people. */
  readonly peer: string;
  /** Whether the other end can end it: datagrams have no end. */
  readonly hasEnd: boolean;
  /** The next bytes, valid until the next call; null at the end. */
  receive(options: WaitOptions): Promise<Uint8Array | null>;
  send(data: Uint8Array, options: WaitOptions): Promise<void>;
  /** Shuts down the write side, where there is one. */
  closeWrite(): Promise<void>;
}

/** "127.0.0.1 port 80", "[::1] port 80", a path or "@name". */
export function describe(addr: Deno.NetAddr | { path: string | null }): string {
  if ("hostname" in addr) return `${addr.hostname} port ${addr.port}`;
  return addr.path === null || addr.path === "" ? "an unnamed socket" : addr.path.replace(/^\0/, "@");
}

export class StreamChannel implements Channel {
  readonly hasEnd = true;
  readonly #conn: TcpConn | UnixConn;
  readonly #buffer = new Uint8Array(BUFFER);

  constructor(conn: TcpConn | UnixConn) {
    this.#conn = conn;
  }

  get peer(): string {
    return describe(this.#conn.remoteAddr as Deno.NetAddr);
  }

  async receive(options: WaitOptions): Promise<Uint8Array | null> {
    const length = await this.#conn.read(this.#buffer, options);
    return length === null ? null : this.#buffer.subarray(0, length);
  }

  async send(data: Uint8Array, options: WaitOptions): Promise<void> {
    await this.#conn.write(data, options);
  }

  closeWrite(): Promise<void> {
    return this.#conn.closeWrite();
  }

  [Symbol.dispose](): void {
    this.#conn[Symbol.dispose]();
  }
}

/** SOCK_SEQPACKET: what is read from the input at once is one message. */
export class MessageChannel implements Channel {
  readonly hasEnd = true;
  readonly #conn: SeqpacketConn;

  constructor(conn: SeqpacketConn) {
    this.#conn = conn;
  }

  get peer(): string {
    return describe(this.#conn.remoteAddr);
  }

  receive(options: WaitOptions): Promise<Uint8Array | null> {
    return this.#conn.receive(options);
  }

  async send(data: Uint8Array, options: WaitOptions): Promise<void> {
    await this.#conn.send(data, options);
  }

  closeWrite(): Promise<void> {
    return this.#conn.closeWrite();
  }

  [Symbol.dispose](): void {
    this.#conn[Symbol.dispose]();
  }
}

/** Datagrams, to a fixed peer or back to whoever sent last. */
export class DatagramChannel implements Channel {
  readonly hasEnd = false;
  readonly #socket: UdpSocket | UnixDatagram;
  #to: Deno.Addr | undefined;

  /** Without `to`, the sender of the first datagram is the peer. */
  constructor(socket: UdpSocket | UnixDatagram, to?: Deno.Addr) {
    this.#socket = socket;
    this.#to = to;
  }

  get peer(): string {
    return this.#to === undefined ? "no peer yet" : describe(this.#to as Deno.NetAddr);
  }

  async receive(options: WaitOptions): Promise<Uint8Array> {
    const [data, from] = await this.#socket.receive(undefined, options);
    // An unnamed Unix socket cannot be answered.
    if ("hostname" in from || from.path) this.#to = from;
    return data;
  }

  async send(data: Uint8Array, options: WaitOptions): Promise<void> {
    if (this.#to === undefined) throw new Error("no datagram has been received that could be answered");
    await this.#socket.send(data, this.#to, options);
  }

  closeWrite(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }
}
