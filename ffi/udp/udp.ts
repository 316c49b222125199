import { Association } from "./association.ts";
import type { Datagram } from "./datagram.ts";
import { DatagramBatch } from "./batch.ts";
import {
  type DatagramSource,
  holdsUnread,
  PeekingPair,
  ReceivingBatch,
  ReceivingDatagram,
  ReceivingPair,
} from "./receive.ts";
import { coalesces } from "./packet_info.ts";
import { withHint } from "./send_hints.ts";
import { Sender } from "./sender.ts";
import type { OutgoingDatagram, SendOptions } from "./source.ts";
import { decodeInet, decodeNet } from "../address/address.ts";
import { refusedBytes } from "../validate/bytes.ts";
import { type Descriptor, requireDescriptor } from "../io/descriptor.ts";
import { Destinations } from "./destinations.ts";
import { setForBoth } from "./both_families.ts";
import type { IpFamily } from "./families.ts";
import { UntilClosed } from "../socket/endpoint.ts";
import type { WaitOptions } from "../validate/options.ts";
import { setOption } from "../option/option.ts";
import { copyOptions, optionsShape } from "../validate/options.ts";
import { quote } from "../validate/quote.ts";
import { peerName, socketName } from "../address/sockname.ts";
import { sockopt } from "../option/sockopt.ts";
import { UdpEndpoint } from "./udp_endpoint.ts";

interface ReceiveMessageOptions extends WaitOptions {
  maxLength?: number;
}

const RECEIVE_MESSAGE = optionsShape<ReceiveMessageOptions>("receiveMessage of UDP sockets", "{ signal, maxLength }", {
  signal: "signal",
  maxLength: "any",
});

/** Maximum length of an IP packet in bytes, and so more than that of a datagram. */
const LONGEST_MESSAGE = 65_535;

let make: (descriptor: Descriptor, receiveOffload: boolean) => UdpSocket;

/** Makes the UDP socket of a descriptor. With `receiveOffload` batches have room for the longest datagrams, also where the
 * kernel has no UDP_GRO. */
export function udpSocket(descriptor: Descriptor, receiveOffload = false): UdpSocket {
  return make(descriptor, receiveOffload);
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
export class UdpSocket extends UdpEndpoint implements Deno.DatagramConn {
  readonly #descriptor: Descriptor;
  readonly #family: IpFamily;
  readonly #source: DatagramSource;
  readonly #destinations: Destinations;
  readonly #sender: Sender;
  readonly #association: Association;
  #addr!: Deno.NetAddr;
  #remoteAddr!: Deno.NetAddr | null;

  private constructor(descriptor: Descriptor, receiveOffload: boolean) {
    requireDescriptor(descriptor);
    const bound = socketName(descriptor.fd).slice();
    const family = decodeInet(bound)?.family ?? "inet";
    super(descriptor, family);
    this.#descriptor = descriptor;
    this.#family = family;
    this.#association = new Association(descriptor, bound);
    this.#source = {
      descriptor,
      coalesces: coalesces(descriptor.fd),
      wholeDatagrams: receiveOffload,
      waiting: null,
      error: null,
    };
    descriptor.holdsUnread = () => holdsUnread(this.#source);
    this.#destinations = new Destinations(descriptor, family);
    this.#sender = new Sender(descriptor, family, this.#destinations);
    this.#readAddresses();
    // Of the options, only this one decides how datagrams are received.
    const { afterChange } = descriptor;
    descriptor.afterChange = () => {
      afterChange?.();
      if (descriptor.closed) return;
      this.#source.coalesces = coalesces(descriptor.fd);
      this.#readAddresses();
    };
  }

  static {
    make = (descriptor, receiveOffload) => new UdpSocket(descriptor, receiveOffload);
  }

  /** Always "UdpSocket". */
  get kind(): "UdpSocket" {
    return "UdpSocket";
  }

  /** The local address: getsockname(2). */
  get addr(): Deno.NetAddr {
    // The system binds a socket that was not bound at its first send.
    if (this.#addr.port === 0 && !this.#descriptor.closed) this.#readAddresses();
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

  /** Copies the next datagram into `p` without taking it, and resolves to what was copied and the sender: recvmsg(2) with
   * MSG_PEEK. It waits for its turn among the receives; the next receive gets the same datagram.
   *
   * @throws {TypeError} for a buffer that is detached or shared
   * @throws {Deno.errors.ConnectionRefused} on a connected socket, if an earlier datagram was refused
   */
  peek(p: Uint8Array, options?: WaitOptions): Promise<[Uint8Array<ArrayBuffer>, Deno.NetAddr]> {
    const refusal = refusedBytes(p);
    if (refusal !== null) return Promise.reject(refusal);
    return this.#descriptor.reads.run(new PeekingPair(this.#source, p as Uint8Array<ArrayBuffer>), options);
  }

  /** Receives one datagram with its details (packet information, timestamp): recvmsg(2).
   *
   * @param options `maxLength`: the length in bytes to which longer datagrams are truncated, from 0 to 65,535, 65,535
   * by default; `signal`: aborts the operation
   * @throws {RangeError} for a `maxLength` outside 0 to 65,535 bytes
   * @throws {Deno.errors.ConnectionRefused} on a connected socket, if an earlier datagram was refused
   */
  receiveMessage(options: WaitOptions & { maxLength?: number } = {}): Promise<Datagram> {
    try {
      const { maxLength = LONGEST_MESSAGE, signal } = copyOptions(options, RECEIVE_MESSAGE);
      if (!Number.isInteger(maxLength) || maxLength < 0 || maxLength > LONGEST_MESSAGE) {
        throw new RangeError(`Invalid maxLength: ${quote(maxLength)}, expected 0 to ${LONGEST_MESSAGE} bytes`);
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
   * @param p the payload, one buffer or several that are sent one after the other as one datagram, at most 65,507 bytes over IPv4 and 65,527 over IPv6
   * @param addr the destination; the connected peer by default. A host name is resolved for every datagram, and the first
   * of its addresses is taken that the socket can send to. The signal, the write deadline and close end the lookup.
   * @param options the source address and interface, the TTL and the traffic class of this datagram, and a signal
   * @throws {RangeError} for more bytes, with `code` "EMSGSIZE"; for port 0
   * @throws {Deno.errors.NotFound} for a host name that is unknown or has no address that the socket can send to
   * @throws {TypeError} for an address of the other family, no address on a socket that is not connected, or a buffer that
   * is detached or shared
   * @throws {Deno.errors.ConnectionRefused} on a connected socket, if an earlier datagram was refused
   * @throws {Deno.errors.PermissionDenied} for a broadcast address without `broadcast: true`
   * @throws {Deno.errors.NotCapable} without `--allow-net` for the destination
   */
  send(p: Uint8Array | readonly Uint8Array[], addr?: Deno.Addr, options?: SendOptions): Promise<number> {
    return this.#sender.send(p, addr as Deno.NetAddr | undefined, options);
  }

  /** Sends several datagrams in order, up to 64 in one system call: sendmmsg(2). Resolves to their number. An error has
   * the number of datagrams that were sent before it in `sent`.
   *
   * On a connected socket the datagrams are sent one by one, since an error can be about an earlier datagram.
   *
   * @param datagrams payloads of at most 65,507 bytes over IPv4 and 65,527 over IPv6, each with its destination; the connected peer by default
   * @throws {RangeError} for more bytes in one datagram, and for port 0; nothing is sent
   * @throws {TypeError} for an invalid datagram, with its index in the message; nothing is sent
   * @throws {Deno.errors.ConnectionRefused} on a connected socket, if an earlier datagram was refused
   * @throws {Deno.errors.NotCapable} without `--allow-net` for a destination; nothing is sent
   */
  sendMany(
    datagrams: readonly OutgoingDatagram[],
    options?: WaitOptions,
  ): Promise<number> {
    return this.#sender.sendMany(datagrams, options);
  }

  /** Sends one buffer as several datagrams, up to 64 in one system call: sendmsg(2) with UDP_SEGMENT of udp(7), or one call
   * for each datagram on systems without it. Resolves to the number of bytes sent. An error has the number of bytes that
   * were sent before it in `bytesWritten`.
   *
   * @param p the payloads of all datagrams
   * @param segmentSize length of each datagram, from 1 to 65,507 bytes over IPv4, 65,527 over IPv6; the last one can
   * be shorter
   * @param addr the destination; the connected peer by default
   * @throws {RangeError} for another segment size, and for port 0
   * @throws {TypeError} for an address of the other family, no address on a socket that is not connected, or a buffer that
   * is detached or shared
   * @throws {Deno.errors.ConnectionRefused} on a connected socket, if an earlier datagram was refused
   * @throws {Deno.errors.NotCapable} without `--allow-net` for the destination
   */
  sendSegments(
    p: Uint8Array,
    segmentSize: number,
    addr?: Deno.NetAddr,
    options?: SendOptions,
  ): Promise<number> {
    return this.#sender.sendSegments(p, segmentSize, addr, options);
  }

  /** Sets the peer: connect(2). Sends without an address go to it, and datagrams from other addresses are not received.
   *
   * Each call chooses the local address anew. If it fails, the socket keeps the peer that it had.
   *
   * @param addr the address of the peer; null dissolves the association and keeps the local port
   * @throws {TypeError} for a host name or an address of the other family
   * @throws {RangeError} for port 0
   * @throws {Deno.errors.NotCapable} without `--allow-net` for the address
   */
  connect(addr: Deno.NetAddr | null): void {
    const { fd } = this.#descriptor;
    const to = addr === null ? null : this.#destinations.findLiteral(addr);
    try {
      if (to === null) this.#association.dissolve();
      else this.#association.connect(to);
    } catch (error) {
      throw withHint(error, fd, to, null);
    } finally {
      this.#readAddresses();
    }
  }

  /** Even after an error, the addresses are those of the system. */
  #readAddresses(): void {
    const { fd } = this.#descriptor;
    const peer = peerName(fd);
    this.#remoteAddr = peer === null ? null : decodeNet("udp", peer);
    this.#sender.connected = peer !== null;
    this.#addr = decodeNet("udp", socketName(fd));
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
    setForBoth(this.#descriptor.fd, this.#family, sockopt.IP_TTL, sockopt.IPV6_UNICAST_HOPS, ttl);
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
}
