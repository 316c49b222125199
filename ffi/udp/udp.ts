import { libc } from "../libc/libc.ts";
import { unwrap } from "../libc/socket_error.ts";
import { type Datagram, LONGEST_DATAGRAM, tooLong } from "./datagram.ts";
import { DatagramBatch } from "./batch.ts";
import {
  type Outgoing,
  readDatagram,
  requireList,
  type SegmentOffload,
  SendingDatagram,
  SendingMany,
  SendingSegments,
} from "./send.ts";
import { type DatagramSource, holdsUnread, ReceivingBatch, ReceivingDatagram, ReceivingPair } from "./receive.ts";
import { encodeSource, featuresOf, SEND_OPTIONS, type SendOptions, type UdpFeatures } from "./packet_info.ts";
import { decodeInet, decodeNet, formatAddress } from "../address/address.ts";
import { lengthOf, refusedBytes, requireBytes } from "../validate/bytes.ts";
import type { Descriptor } from "../io/descriptor.ts";
import { type Destination, Destinations } from "./destinations.ts";
import { UntilClosed } from "../socket/endpoint.ts";
import type { WaitOptions } from "../validate/options.ts";
import { setOption } from "../option/option.ts";
import { copyOptions, optionsShape } from "../validate/options.ts";
import { quote } from "../validate/quote.ts";
import type { IpFamily } from "./membership.ts";
import { peerName, socketName } from "../address/sockname.ts";
import { sockopt } from "../option/sockopt.ts";
import { MulticastEndpoint } from "./multicast_endpoint.ts";

interface ReceiveMessageOptions extends WaitOptions {
  maxLength?: number;
}

const RECEIVE_MESSAGE = optionsShape<ReceiveMessageOptions>("receiveMessage of UDP sockets", "{ signal, maxLength }", {
  signal: "signal",
  maxLength: "any",
});

let make: (descriptor: Descriptor, features?: UdpFeatures) => UdpSocket;

/** The UDP socket that a descriptor is, with what is switched on at it where that is known. */
export function udpSocket(descriptor: Descriptor, features?: UdpFeatures): UdpSocket {
  return make(descriptor, features);
}

/** A UDP socket: `Deno.DatagramConn` with options before bind, source-filtered multicast of both families, a fixed
 * peer, deadlines and signals. {@linkcode listenDatagram} makes one.
 *
 * Receives and sends that wait are served in the order they were asked for. They reject with {@linkcode SocketError}s,
 * with the signal's reason when aborted, with Deno.errors.TimedOut past a deadline, and with Deno.errors.Interrupted
 * when the socket is closed meanwhile.
 *
 * @example
 * ```ts
 * import { listenDatagram } from "@berkeley/sockets";
 *
 * using a = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
 * using b = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
 * await a.send(new TextEncoder().encode("hello"), b.addr);
 * const [data, from] = await b.receive();
 * console.log(new TextDecoder().decode(data), from.port === a.addr.port); // hello true
 * ```
 */
export class UdpSocket extends MulticastEndpoint implements Deno.DatagramConn {
  readonly #descriptor: Descriptor;
  readonly #family: IpFamily;
  readonly #source: DatagramSource;
  readonly #offload: SegmentOffload = { refusedFrom: Infinity };
  readonly #destinations: Destinations;
  /** Where it was bound, to go back there. */
  readonly #bound: Uint8Array<ArrayBuffer>;
  #addr: Deno.NetAddr;
  #remoteAddr: Deno.NetAddr | null;

  private constructor(descriptor: Descriptor, features?: UdpFeatures) {
    const bound = socketName(descriptor.fd).slice();
    const family = decodeInet(bound)?.family ?? "inet";
    super(descriptor, family);
    this.#descriptor = descriptor;
    this.#family = family;
    this.#bound = bound;
    const told = features ?? featuresOf(descriptor.fd, family);
    this.#source = { descriptor, features: told, waiting: null, error: null };
    descriptor.holdsUnread = () => holdsUnread(this.#source);
    this.#destinations = new Destinations(family);
    this.#addr = decodeNet("udp", bound);
    const peer = peerName(descriptor.fd);
    this.#remoteAddr = peer === null ? null : decodeNet("udp", peer);
  }

  static {
    make = (descriptor, features) => new UdpSocket(descriptor, features);
  }

  /** "UdpSocket". */
  get kind(): "UdpSocket" {
    return "UdpSocket";
  }

  /** The local address: getsockname(2). */
  get addr(): Deno.NetAddr {
    return this.#addr;
  }

  /** The fixed peer, null without one: getpeername(2). */
  get remoteAddr(): Deno.NetAddr | null {
    return this.#remoteAddr;
  }

  /** Takes one datagram: into `p`, cutting what is longer, or into memory of its own, whole. What resolves is a view of
   * `p`. recvmsg(2).
   *
   * @throws {TypeError} for a buffer that is detached or shared
   * @throws {Deno.errors.ConnectionRefused} on a connected socket, when an earlier datagram found nobody
   */
  receive(p?: Uint8Array, options?: WaitOptions): Promise<[Uint8Array<ArrayBuffer>, Deno.NetAddr]> {
    const refusal = p === undefined ? null : refusedBytes(p);
    if (refusal !== null) return Promise.reject(refusal);
    const receiving = new ReceivingPair(this.#source, p as Uint8Array<ArrayBuffer> | undefined);
    return this.#descriptor.reads.run(receiving, options);
  }

  /** Takes one datagram with what the kernel knows of it, recvmsg(2). `maxLength` is the longest taken whole, 65,507
   * bytes by default.
   *
   * @throws {RangeError} for a `maxLength` beyond 0 to 65,535
   * @throws {Deno.errors.ConnectionRefused} on a connected socket, when an earlier datagram found nobody
   */
  receiveMessage(options: WaitOptions & { maxLength?: number } = {}): Promise<Datagram> {
    try {
      const { maxLength = LONGEST_DATAGRAM, signal } = copyOptions(options, RECEIVE_MESSAGE);
      if (!Number.isInteger(maxLength) || maxLength < 0 || maxLength > 65_535) {
        throw new RangeError(`Invalid maxLength: ${quote(maxLength)}, expected 0 to 65535 bytes`);
      }
      return this.#descriptor.reads.run(new ReceivingDatagram(this.#source, maxLength), { signal });
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Waits for at least one datagram and takes what is there, as many as the batch holds, in one system call:
   * recvmmsg(2). Resolves to `batch.length`. With `receiveOffload` each message may hold many datagrams, which the
   * batch tells apart.
   *
   * @throws {TypeError} for anything but a DatagramBatch
   */
  receiveMany(batch: DatagramBatch, options?: WaitOptions): Promise<number> {
    if (!(batch instanceof DatagramBatch)) {
      return Promise.reject(new TypeError(`Expected a DatagramBatch, got ${quote(batch)}`));
    }
    return this.#descriptor.reads.run(new ReceivingBatch(this.#source, batch), options);
  }

  /** Sends one datagram, to `addr` or to the connected peer, and resolves to its length: sendmsg(2). A name is looked
   * up every time.
   *
   * @throws {RangeError} for more than 65,507 bytes; its `code` is "EMSGSIZE"
   * @throws {TypeError} for an address of the other family, none at all, or a buffer that is detached or shared
   * @throws {Deno.errors.ConnectionRefused} on a connected socket, when an earlier datagram found nobody
   * @throws {Deno.errors.NotCapable} without `--allow-net` for the destination
   */
  send(p: Uint8Array, addr?: Deno.Addr, options?: SendOptions): Promise<number> {
    const refusal = refusedBytes(p) ?? this.#descriptor.refusal();
    if (refusal !== null) return Promise.reject(refusal);
    if (lengthOf(p) > LONGEST_DATAGRAM) return Promise.reject(tooLong(lengthOf(p)));
    try {
      const asked = options === undefined ? options : copyOptions(options, SEND_OPTIONS);
      const to = this.#destination(addr as Deno.NetAddr | undefined);
      const control = this.#control(asked);
      const wait = asked?.signal ? { signal: asked.signal } : undefined;
      if (to instanceof Promise) return this.#sendLater(p, to, control, wait);
      return this.#descriptor.writes.run(new SendingDatagram(this.#descriptor, p, to, control), wait);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Sends datagrams in order, as many with one system call as the kernel takes, waiting when it takes no more:
   * sendmmsg(2). Resolves to how many were handed over: all. An error has in `sent` how many had gone before it.
   *
   * On a connected socket an error may be about a datagram sent earlier, as with {@linkcode UdpSocket.send}; those go
   * one by one, so that none is lost or told of the wrong one.
   *
   * @throws as {@linkcode UdpSocket.send} does; bad input is refused before anything is sent
   */
  async sendMany(
    datagrams: readonly { data: Uint8Array; addr?: Deno.NetAddr }[],
    options?: WaitOptions,
  ): Promise<number> {
    const outgoing: Outgoing[] = [];
    try {
      requireList(datagrams);
      for (const datagram of datagrams) {
        const { data, addr } = readDatagram(datagram);
        const to = this.#destination(addr);
        outgoing.push({ data, to: to instanceof Promise ? await to : to });
      }
      const refusal = this.#descriptor.refusal();
      if (refusal !== null) throw refusal;
    } catch (error) {
      throw Object.assign(error as Error, { sent: 0 });
    }
    const sending = new SendingMany(this.#descriptor, outgoing, this.#remoteAddr !== null);
    return await this.#descriptor.writes.run(sending, options);
  }

  /** Sends one buffer as many datagrams of `segmentSize` bytes, the last perhaps shorter: UDP_SEGMENT of udp(7) where
   * there is one, up to 64 a call; sendMany's way elsewhere. Resolves to the bytes handed over; an error has them in
   * `bytesWritten`.
   *
   * @throws {RangeError} for a segment size beyond 1 to 65,507
   * @throws as {@linkcode UdpSocket.send} does
   */
  async sendSegments(
    p: Uint8Array,
    segmentSize: number,
    addr?: Deno.NetAddr,
    options?: WaitOptions,
  ): Promise<number> {
    requireBytes(p);
    if (!Number.isInteger(segmentSize) || segmentSize < 1 || segmentSize > LONGEST_DATAGRAM) {
      throw new RangeError(`Invalid segmentSize: ${quote(segmentSize)}, expected 1 to ${LONGEST_DATAGRAM} bytes`);
    }
    const to = this.#destination(addr);
    // Without a name to look up nothing is waited for: it keeps its place among other sends.
    const found = to instanceof Promise ? await to : to;
    const sending = new SendingSegments(this.#descriptor, p, segmentSize, found, this.#offload);
    return await this.#descriptor.writes.run(sending, options);
  }

  /** Fixes the peer: sends without an address go there, and nothing from elsewhere is heard. `null` undoes it and keeps
   * the local port. connect(2).
   *
   * @throws {TypeError} for a name or an address of the other family
   * @throws {Deno.errors.NotCapable} without `--allow-net` for the address
   */
  connect(addr: Deno.NetAddr | null): void {
    try {
      this.#connect(addr);
    } finally {
      // Whatever became of it, these are the addresses that the system goes by now.
      const peer = peerName(this.#descriptor.fd);
      this.#remoteAddr = peer === null ? null : decodeNet("udp", peer);
      this.#addr = decodeNet("udp", socketName(this.#descriptor.fd));
    }
  }

  #connect(addr: Deno.NetAddr | null): void {
    const { c, system } = libc();
    const fd = this.#descriptor.fd;
    if (addr !== null) {
      const to = this.#destinations.findLiteral(addr);
      unwrap(c.connect(fd, to.sockaddr, to.sockaddr.length), "connect", to.text);
    } else {
      this.#dissolve(fd, system.constants.AF_UNSPEC);
    }
  }

  /** Sets how many routers unicast may pass, 1 to 255: IP_TTL, IPV6_UNICAST_HOPS.
   *
   * @throws {RangeError} for a number beyond that
   */
  setTTL(ttl: number): void {
    if (!Number.isInteger(ttl) || ttl < 1 || ttl > 255) {
      throw new RangeError(`Invalid TTL: ${quote(ttl)}, expected 1 to 255`);
    }
    setOption(this.#descriptor.fd, this.#family === "inet" ? sockopt.IP_TTL : sockopt.IPV6_UNICAST_HOPS, ttl);
  }

  /** Sets whether datagrams may go to broadcast addresses: SO_BROADCAST.
   *
   * @throws {TypeError} for anything but a boolean
   */
  setBroadcast(broadcast: boolean): void {
    setOption(this.#descriptor.fd, sockopt.SO_BROADCAST, broadcast);
  }

  /** Iterates over what is received, until the socket is closed. Leaving the loop leaves the socket open. */
  [Symbol.asyncIterator](): AsyncIterableIterator<[Uint8Array<ArrayBuffer>, Deno.NetAddr]> {
    return new UntilClosed((options) => this.receive(undefined, options));
  }

  /** Where a datagram goes: null to the connected peer, a promise for a name. */
  #destination(addr: Deno.NetAddr | undefined): Destination | null | Promise<Destination> {
    if (addr !== undefined) return this.#destinations.find(addr);
    if (this.#remoteAddr !== null) return null;
    throw new TypeError("No address given, and the socket is not connected: pass one, or call connect() first");
  }

  async #sendLater(
    p: Uint8Array,
    to: Promise<Destination>,
    control: Uint8Array | null,
    options: WaitOptions | undefined,
  ): Promise<number> {
    const sending = new SendingDatagram(this.#descriptor, p, await to, control);
    return await this.#descriptor.writes.run(sending, options);
  }

  #control(options: SendOptions | undefined): Uint8Array | null {
    if (options?.source === undefined) return null;
    return encodeSource(this.#family, options.source, options.interfaceIndex ?? 0);
  }

  /** connect(2) to an address of no family. Linux lets go of a port it had chosen itself, so the socket is bound there
   * once more. */
  #dissolve(fd: number, unspecified: number): void {
    const nowhere = new Uint8Array(this.#bound.length);
    nowhere[libc().system.layout.sockaddrHasLength ? 1 : 0] = unspecified;
    if (libc().system.layout.sockaddrHasLength) nowhere[0] = nowhere.length;
    const { c, errno, system: { errors } } = libc();
    if (c.connect(fd, nowhere, nowhere.length) === -1) {
      const code = errno();
      // BSD dissolves the association and complains about the address all the same.
      if (code !== errors.EAFNOSUPPORT && code !== errors.EINVAL) unwrap(-1, "connect");
    }
    if (decodeNet("udp", socketName(fd)).port !== 0) return;
    unwrap(c.bind(fd, this.#bound, this.#bound.length), "bind", formatAddress(decodeNet("udp", this.#bound)));
  }
}
