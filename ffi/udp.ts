import { libc } from "./libc/libc.ts";
import { unwrap } from "./libc/system_error.ts";
import {
  type Datagram,
  LONGEST_DATAGRAM,
  ReceivingDatagram,
  ReceivingPair,
  SendingDatagram,
  tooLong,
} from "./datagram.ts";
import {
  type IpFamily,
  joinGroup,
  type MulticastMembership,
  type MulticastOptions,
  setInterface,
  setLoopback,
  setMulticastHops,
} from "./multicast.ts";
import { decodeInet, decodeNet, formatAddress } from "./socket/addresses.ts";
import { refusedBytes } from "./socket/buffers.ts";
import type { Descriptor } from "./socket/descriptor.ts";
import { type Destination, Destinations } from "./socket/destinations.ts";
import { Endpoint, untilClosed } from "./socket/endpoint.ts";
import type { WaitOptions } from "./socket/operation.ts";
import { setOption } from "./socket/option.ts";
import { peerName, socketName } from "./socket/sockname.ts";
import { sockopt } from "./socket/sockopt.ts";

/** A UDP socket: `Deno.DatagramConn` with options before bind, source-filtered multicast of both families, a fixed peer, deadlines and
 * signals. {@linkcode listenDatagram} makes one.
 *
 * Receives and sends that wait are served in the order they were asked for. They reject with {@linkcode SocketError}s, with the signal's
 * reason when aborted, with Deno.errors.TimedOut past a deadline, and with Deno.errors.Interrupted when the socket is closed meanwhile.
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
export class UdpSocket extends Endpoint implements Deno.DatagramConn {
  readonly #family: IpFamily;
  readonly #destinations: Destinations;
  /** Where it was bound, to go back there. */
  readonly #bound: Uint8Array<ArrayBuffer>;
  #addr: Deno.NetAddr;
  #remoteAddr: Deno.NetAddr | null;

  /** @ignore */
  constructor(descriptor: Descriptor) {
    super(descriptor);
    this.#bound = socketName(descriptor.fd);
    this.#family = decodeInet(this.#bound)?.family ?? "inet";
    this.#destinations = new Destinations(this.#family);
    this.#addr = decodeNet("udp", this.#bound);
    const peer = peerName(descriptor.fd);
    this.#remoteAddr = peer === null ? null : decodeNet("udp", peer);
  }

  /** The local address: getsockname(2). */
  get addr(): Deno.NetAddr {
    return this.#addr;
  }

  /** The fixed peer, null without one. */
  get remoteAddr(): Deno.NetAddr | null {
    return this.#remoteAddr;
  }

  /** Takes one datagram: into `p`, cutting what is longer, or into memory of its own, whole. What resolves is a view of `p`.
   *
   * @throws {TypeError} for a buffer that is detached or shared
   */
  receive(p?: Uint8Array, options?: WaitOptions): Promise<[Uint8Array<ArrayBuffer>, Deno.NetAddr]> {
    const refusal = p === undefined ? null : refusedBytes(p);
    if (refusal !== null) return Promise.reject(refusal);
    return this.descriptor.reads.run(
      new ReceivingPair(this.descriptor, p as Uint8Array<ArrayBuffer> | undefined),
      options,
    );
  }

  /** Takes one datagram with what the kernel knows of it, recvmsg(2). `maxLength` is the longest taken whole, 65,507 bytes by default. */
  receiveMessage(options: WaitOptions & { maxLength?: number } = {}): Promise<Datagram> {
    const { maxLength = LONGEST_DATAGRAM } = options;
    if (!Number.isInteger(maxLength) || maxLength < 0 || maxLength > 65_535) {
      return Promise.reject(new RangeError(`Invalid maxLength: ${maxLength}, expected 0 to 65535 bytes`));
    }
    return this.descriptor.reads.run(new ReceivingDatagram(this.descriptor, maxLength), options);
  }

  /** Sends one datagram, to `addr` or to the connected peer, and resolves to its length: sendmsg(2). A name is looked up every time.
   *
   * @throws {RangeError} for more than 65,507 bytes; its `code` is "EMSGSIZE"
   * @throws {TypeError} for an address of the other family, none at all, or a buffer that is detached or shared
   * @throws {Deno.errors.ConnectionRefused} on a connected socket, when an earlier datagram found nobody
   * @throws {Deno.errors.NotCapable} without `--allow-net` for the destination
   */
  send(p: Uint8Array, addr?: Deno.Addr, options?: WaitOptions): Promise<number> {
    const refusal = refusedBytes(p) ?? this.descriptor.refusal();
    if (refusal !== null) return Promise.reject(refusal);
    if (p.length > LONGEST_DATAGRAM) return Promise.reject(tooLong(p.length));
    let to: Destination | null;
    try {
      to = this.#destination(addr);
    } catch (error) {
      return Promise.reject(error);
    }
    if (to === null && addr !== undefined) return this.#sendToName(p, addr as Deno.NetAddr, options);
    return this.descriptor.writes.run(new SendingDatagram(this.descriptor, p, to), options);
  }

  /** Fixes the peer: sends without an address go there, and nothing from elsewhere is heard. `null` undoes it and keeps the local port.
   *
   * @throws {TypeError} for a name or an address of the other family
   */
  connect(addr: Deno.NetAddr | null): void {
    const { c, system } = libc();
    const fd = this.descriptor.fd;
    if (addr !== null) {
      const to = this.#destinations.find(addr);
      if (to === null) {
        throw new TypeError(`Not an IP address: ${JSON.stringify(addr.hostname)}; resolveAddress looks names up`);
      }
      unwrap(c.connect(fd, to.sockaddr, to.sockaddr.length), "connect", to.text);
      this.#remoteAddr = decodeNet("udp", peerName(fd)!);
    } else {
      this.#dissolve(fd, system.constants.AF_UNSPEC);
      this.#remoteAddr = null;
    }
    this.#addr = decodeNet("udp", socketName(fd));
  }

  /** Joins a group of the socket's family, of any source or of one: MCAST_JOIN_GROUP, MCAST_JOIN_SOURCE_GROUP.
   *
   * @throws {TypeError} for an address that is no multicast group or of the other family
   * @throws {Deno.errors.NotFound} for an interface that is not there
   * @throws {Deno.errors.AddrInUse} for a group that the socket has joined on that interface
   *
   * @example
   * ```ts
   * import { listenDatagram } from "@berkeley/sockets";
   *
   * using udp = listenDatagram({ transport: "udp", hostname: "239.255.0.1", port: 0, loopback: true });
   * using membership = udp.joinMulticast("239.255.0.1", { interface: "127.0.0.1" });
   * udp.setMulticastInterface("127.0.0.1");
   * await udp.send(new Uint8Array(3), { transport: "udp", hostname: membership.group, port: udp.addr.port });
   * console.log((await udp.receive())[0].length); // 3
   * ```
   */
  joinMulticast(group: string, options?: MulticastOptions): MulticastMembership {
    return joinGroup(this.descriptor, this.#family, group, options);
  }

  /** As Deno's: joins an IPv4 group on the interface that has this address, "0.0.0.0" for the system's choice. */
  joinMulticastV4(address: string, networkInterface: string): Promise<MulticastMembership> {
    return Promise.try(() => this.joinMulticast(address, { interface: networkInterface }));
  }

  /** As Deno's: joins an IPv6 group on the interface of this index, 0 for the system's choice. */
  joinMulticastV6(address: string, networkInterface: number): Promise<MulticastMembership> {
    return Promise.try(() => this.joinMulticast(address, { interface: networkInterface }));
  }

  /** Sets the interface that multicast leaves by, as its name, index or IPv4 address: IP_MULTICAST_IF, IPV6_MULTICAST_IF. */
  setMulticastInterface(networkInterface: string | number): void {
    setInterface(this.descriptor.fd, this.#family, networkInterface);
  }

  /** Sets how many routers multicast may pass, 0 to 255: IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS. The system's default is 1. */
  setMulticastTTL(ttl: number): void {
    setMulticastHops(this.descriptor.fd, this.#family, ttl);
  }

  /** Sets whether multicast that is sent comes back to this host: IP_MULTICAST_LOOP, IPV6_MULTICAST_LOOP. */
  setMulticastLoopback(loopback: boolean): void {
    setLoopback(this.descriptor.fd, this.#family, loopback);
  }

  /** Sets how many routers unicast may pass, 1 to 255: IP_TTL, IPV6_UNICAST_HOPS. */
  setTTL(ttl: number): void {
    if (!Number.isInteger(ttl) || ttl < 1 || ttl > 255) throw new RangeError(`Invalid TTL: ${ttl}, expected 1 to 255`);
    setOption(this.descriptor.fd, this.#family === "inet" ? sockopt.IP_TTL : sockopt.IPV6_UNICAST_HOPS, ttl);
  }

  /** Sets whether datagrams may go to broadcast addresses: SO_BROADCAST. */
  setBroadcast(broadcast: boolean): void {
    setOption(this.descriptor.fd, sockopt.SO_BROADCAST, broadcast);
  }

  /** Iterates over what is received, until the socket is closed. */
  [Symbol.asyncIterator](): AsyncIterableIterator<[Uint8Array<ArrayBuffer>, Deno.NetAddr]> {
    return untilClosed(() => this.receive());
  }

  #destination(addr: Deno.Addr | undefined): Destination | null {
    if (addr !== undefined) return this.#destinations.find(addr as Deno.NetAddr);
    if (this.#remoteAddr !== null) return null;
    throw new TypeError("No address given, and the socket is not connected: pass one, or call connect() first");
  }

  async #sendToName(p: Uint8Array, addr: Deno.NetAddr, options: WaitOptions | undefined): Promise<number> {
    const to = await this.#destinations.lookUp(addr, options);
    return await this.descriptor.writes.run(new SendingDatagram(this.descriptor, p, to), options);
  }

  /** connect(2) to an address of no family. Linux lets go of a port it had chosen itself, so the socket is bound there once more. */
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
