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
  type Source,
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

/** Makes the UDP socket of a descriptor. `features` are those enabled on it, if known; otherwise the kernel is asked. */
export function udpSocket(descriptor: Descriptor, features?: UdpFeatures): UdpSocket {
  return make(descriptor, features);
}

/** A UDP socket, made by {@linkcode listenDatagram}. It has the members of `Deno.DatagramConn`, and socket options,
 * source-specific multicast of both families, `connect`, batches, deadlines and signals. See udp(7).
 *
 * Any number of receives and sends can wait; each direction is served in call order. They reject with a
 * {@linkcode SocketError}, with the signal's reason when aborted, with Deno.errors.TimedOut when a deadline expires, and
 * with Deno.errors.Interrupted when the socket is closed meanwhile. No method blocks the event loop.
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
  /** The address that the socket was bound to, to bind it again. */
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

  /** Always "UdpSocket". */
  get kind(): "UdpSocket" {
    return "UdpSocket";
  }

  /** The local address: getsockname(2). */
  get addr(): Deno.NetAddr {
    return this.#addr;
  }

  /** The address of the connected peer, null without one: getpeername(2). */
  get remoteAddr(): Deno.NetAddr | null {
    return this.#remoteAddr;
  }

  /** Receives one datagram and resolves to its payload and its sender: recvmsg(2).
   *
   * @param p the buffer to receive into; the payload is then a view of it, and a longer datagram is truncated. By default
   * the payload is complete and in new memory.
   * @throws {TypeError} for a buffer that is detached or shared
   * @throws {Deno.errors.ConnectionRefused} on a connected socket, if an earlier datagram was refused
   */
  receive(p?: Uint8Array, options?: WaitOptions): Promise<[Uint8Array<ArrayBuffer>, Deno.NetAddr]> {
    const refusal = p === undefined ? null : refusedBytes(p);
    if (refusal !== null) return Promise.reject(refusal);
    const receiving = new ReceivingPair(this.#source, p as Uint8Array<ArrayBuffer> | undefined);
    return this.#descriptor.reads.run(receiving, options);
  }

  /** Receives one datagram with its details (packet information, timestamp): recvmsg(2).
   *
   * @param options `maxLength`: the length in bytes to which longer datagrams are truncated, from 0 to 65,535, 65,507 by
   * default; `signal`: aborts the operation
   * @throws {RangeError} for a `maxLength` outside 0 to 65,535 bytes
   * @throws {Deno.errors.ConnectionRefused} on a connected socket, if an earlier datagram was refused
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

  /** Waits for at least one datagram and receives all available ones, up to the capacity of the batch, in one system
   * call: recvmmsg(2). Resolves to the number of datagrams, `batch.length`. With `receiveOffload` each message can
   * contain several datagrams, which the batch splits.
   *
   * @throws {TypeError} for a value that is not a DatagramBatch
   */
  receiveMany(batch: DatagramBatch, options?: WaitOptions): Promise<number> {
    if (!(batch instanceof DatagramBatch)) {
      return Promise.reject(new TypeError(`Expected a DatagramBatch, got ${quote(batch)}`));
    }
    return this.#descriptor.reads.run(new ReceivingBatch(this.#source, batch), options);
  }

  /** Sends one datagram and resolves to its length in bytes: sendmsg(2).
   *
   * @param p the payload, at most 65,507 bytes
   * @param addr the destination; the connected peer by default. A host name is resolved for every datagram.
   * @param options the source address and interface, and a signal
   * @throws {RangeError} for more than 65,507 bytes; its `code` is "EMSGSIZE"
   * @throws {TypeError} for an address of the other family, no address on a socket that is not connected, or a buffer that
   * is detached or shared
   * @throws {Deno.errors.ConnectionRefused} on a connected socket, if an earlier datagram was refused
   * @throws {Deno.errors.PermissionDenied} for a broadcast address without `broadcast: true`
   * @throws {Deno.errors.NotCapable} without `--allow-net` for the destination
   */
  send(p: Uint8Array, addr?: Deno.Addr, options?: SendOptions): Promise<number> {
    const refusal = refusedBytes(p) ?? this.#descriptor.refusal();
    if (refusal !== null) return Promise.reject(refusal);
    if (lengthOf(p) > LONGEST_DATAGRAM) return Promise.reject(tooLong(lengthOf(p)));
    try {
      const asked = options === undefined ? options : copyOptions(options, SEND_OPTIONS);
      const to = this.#destination(addr as Deno.NetAddr | undefined);
      const from = this.#sourceOf(asked);
      const wait = asked?.signal ? { signal: asked.signal } : undefined;
      if (to instanceof Promise) return this.#sendLater(p, to, from, wait);
      return this.#descriptor.writes.run(new SendingDatagram(this.#descriptor, p, to, from), wait);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Sends several datagrams in order, up to 64 in one system call: sendmmsg(2). Resolves to their number. An error has
   * the number of datagrams that were sent before it in `sent`.
   *
   * On a connected socket the datagrams are sent one by one, since an error can be about an earlier datagram.
   *
   * @param datagrams payloads of at most 65,507 bytes, each with its destination; the connected peer by default
   * @throws {RangeError} for more than 65,507 bytes in one datagram; nothing is sent
   * @throws {TypeError} for an invalid datagram; nothing is sent
   * @throws {Deno.errors.ConnectionRefused} on a connected socket, if an earlier datagram was refused
   * @throws {Deno.errors.NotCapable} without `--allow-net` for a destination; nothing is sent
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

  /** Sends one buffer as several datagrams, up to 64 in one system call: sendmsg(2) with UDP_SEGMENT of udp(7), or one call
   * for each datagram on systems without it. Resolves to the number of bytes sent. An error has the number of bytes that
   * were sent before it in `bytesWritten`.
   *
   * @param p the payloads of all datagrams
   * @param segmentSize length of each datagram, from 1 to 65,507 bytes; the last one can be shorter
   * @param addr the destination; the connected peer by default
   * @throws {RangeError} for a segment size outside 1 to 65,507 bytes
   * @throws {TypeError} for an address of the other family, no address on a socket that is not connected, or a buffer that
   * is detached or shared
   * @throws {Deno.errors.ConnectionRefused} on a connected socket, if an earlier datagram was refused
   * @throws {Deno.errors.NotCapable} without `--allow-net` for the destination
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
    // Without a host name this must not await, to keep its place among other sends.
    const found = to instanceof Promise ? await to : to;
    const sending = new SendingSegments(this.#descriptor, p, segmentSize, found, this.#offload);
    return await this.#descriptor.writes.run(sending, options);
  }

  /** Sets the peer: connect(2). Sends without an address go to it, and datagrams from other addresses are not received.
   *
   * @param addr the address of the peer; null dissolves the association and keeps the local port
   * @throws {TypeError} for a host name or an address of the other family
   * @throws {Deno.errors.NotCapable} without `--allow-net` for the address
   */
  connect(addr: Deno.NetAddr | null): void {
    try {
      this.#connect(addr);
    } finally {
      // Even after an error, the addresses are those of the system.
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

  /** Sets the TTL or hop limit of unicast datagrams: IP_TTL, IPV6_UNICAST_HOPS.
   *
   * @param ttl the maximum number of hops, from 1 to 255; the system's default is usually 64
   * @throws {RangeError} for a number outside 1 to 255
   */
  setTTL(ttl: number): void {
    if (!Number.isInteger(ttl) || ttl < 1 || ttl > 255) {
      throw new RangeError(`Invalid TTL: ${quote(ttl)}, expected 1 to 255`);
    }
    setOption(this.#descriptor.fd, this.#family === "inet" ? sockopt.IP_TTL : sockopt.IPV6_UNICAST_HOPS, ttl);
  }

  /** Sets whether datagrams can be sent to broadcast addresses: SO_BROADCAST.
   *
   * @throws {TypeError} for a value that is not a boolean
   */
  setBroadcast(broadcast: boolean): void {
    setOption(this.#descriptor.fd, sockopt.SO_BROADCAST, broadcast);
  }

  /** Iterates over received datagrams until the socket is closed. Leaving the loop does not close the socket. */
  [Symbol.asyncIterator](): AsyncIterableIterator<[Uint8Array<ArrayBuffer>, Deno.NetAddr]> {
    return new UntilClosed((options) => this.receive(undefined, options));
  }

  /** Returns the destination of a datagram: null for the connected peer, a promise for a host name. */
  #destination(addr: Deno.NetAddr | undefined): Destination | null | Promise<Destination> {
    if (addr !== undefined) return this.#destinations.find(addr);
    if (this.#remoteAddr !== null) return null;
    throw new TypeError("No address given, and the socket is not connected; pass an address or call connect() first");
  }

  async #sendLater(
    p: Uint8Array,
    to: Promise<Destination>,
    from: Source | null,
    options: WaitOptions | undefined,
  ): Promise<number> {
    const sending = new SendingDatagram(this.#descriptor, p, await to, from);
    return await this.#descriptor.writes.run(sending, options);
  }

  #sourceOf(options: SendOptions | undefined): Source | null {
    if (options?.source === undefined) return null;
    const { source, interfaceIndex = 0 } = options;
    return { address: source, control: encodeSource(this.#family, source, interfaceIndex) };
  }

  /** Dissolves the association: connect(2) with AF_UNSPEC. Linux releases a port that it has chosen itself, so the socket
   * is bound to it again. */
  #dissolve(fd: number, unspecified: number): void {
    const nowhere = new Uint8Array(this.#bound.length);
    nowhere[libc().system.layout.sockaddrHasLength ? 1 : 0] = unspecified;
    if (libc().system.layout.sockaddrHasLength) nowhere[0] = nowhere.length;
    const { c, errno, system: { errors } } = libc();
    if (c.connect(fd, nowhere, nowhere.length) === -1) {
      const code = errno();
      // BSD dissolves the association and returns one of these errors all the same.
      if (code !== errors.EAFNOSUPPORT && code !== errors.EINVAL) unwrap(-1, "connect");
    }
    if (decodeNet("udp", socketName(fd)).port !== 0) return;
    unwrap(c.bind(fd, this.#bound, this.#bound.length), "bind", formatAddress(decodeNet("udp", this.#bound)));
  }
}
