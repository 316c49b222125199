import type { IpFamily } from "./families.ts";
import { joinGroup, type MulticastMembership, type MulticastOptions } from "./membership.ts";
import { setInterface, setLoopback, setMulticastHops } from "./multicast_settings.ts";
import type { Descriptor } from "../io/descriptor.ts";
import { Endpoint } from "../socket/endpoint.ts";

/** The base class of {@linkcode UdpSocket} with its multicast methods. See ip(7) and ipv6(7).
 *
 * @example
 * ```ts
 * import { listenDatagram, type MulticastEndpoint } from "@berkeley/sockets";
 *
 * // Restricts multicast to this host.
 * function restrictToHost(socket: MulticastEndpoint): void {
 *   socket.setMulticastInterface("127.0.0.1");
 *   socket.setMulticastTTL(0);
 *   socket.setMulticastLoopback(true);
 * }
 * using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
 * restrictToHost(udp);
 * ```
 */
export abstract class MulticastEndpoint extends Endpoint {
  readonly #descriptor: Descriptor;
  readonly #family: IpFamily;

  /** @ignore */
  protected constructor(descriptor: Descriptor, family: IpFamily) {
    super(descriptor);
    this.#descriptor = descriptor;
    this.#family = family;
  }

  /** Joins a multicast group of the socket's family, or of either family on a dual-stack socket: setsockopt(2) with
   * MCAST_JOIN_GROUP or MCAST_JOIN_SOURCE_GROUP, or with the older options of IPv4 and IPv6 on a kernel without these.
   *
   * @param group the IP address of the group
   * @param options the interface and the source; the system's choice and any source by default
   * @returns the membership, which ends when it is left or disposed, or the socket is closed
   * @throws {TypeError} for an address that is not a multicast group, or of a family that the socket does not have
   * @throws {Deno.errors.NotFound} for an interface that does not exist
   * @throws {Deno.errors.AddrInUse} if the socket has joined the group on that interface
   * @throws {SocketError} ENOBUFS if the socket has too many memberships
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
    return joinGroup(this.#descriptor, this.#family, group, options);
  }

  /** Joins an IPv4 group, as Deno's method of the same name: setsockopt(2) with MCAST_JOIN_GROUP.
   *
   * @param address the IPv4 address of the group
   * @param networkInterface the IPv4 address of the interface; with "0.0.0.0" the system chooses it
   * @throws {TypeError} for an address that is not an IPv4 multicast group
   * @throws {Deno.errors.NotFound} if no interface has the address
   * @throws {Deno.errors.AddrInUse} if the socket has joined the group on that interface
   */
  joinMulticastV4(address: string, networkInterface: string): Promise<MulticastMembership> {
    return Promise.try(() => this.joinMulticast(address, { interface: networkInterface }));
  }

  /** Joins an IPv6 group, as Deno's method of the same name: setsockopt(2) with MCAST_JOIN_GROUP.
   *
   * @param address the IPv6 address of the group
   * @param networkInterface the index of the interface; with 0 the system chooses it
   * @throws {TypeError} for an address that is not an IPv6 multicast group
   * @throws {Deno.errors.NotFound} if no interface has the index
   * @throws {Deno.errors.AddrInUse} if the socket has joined the group on that interface
   */
  joinMulticastV6(address: string, networkInterface: number): Promise<MulticastMembership> {
    return Promise.try(() => this.joinMulticast(address, { interface: networkInterface }));
  }

  /** Sets the interface that multicast is sent through: IP_MULTICAST_IF, IPV6_MULTICAST_IF.
   *
   * @param networkInterface the name, the index or an IPv4 address of the interface
   * @throws {Deno.errors.NotFound} for an interface that does not exist
   * @throws {TypeError} for a value that is neither a string nor an index
   */
  setMulticastInterface(networkInterface: string | number): void {
    setInterface(this.#descriptor.fd, this.#family, networkInterface);
  }

  /** Sets the TTL or hop limit of multicast datagrams: IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS.
   *
   * @param ttl the maximum number of hops, from 0 to 255; 0 stays on this host. The system's default is 1.
   * @throws {RangeError} for a number outside 0 to 255
   */
  setMulticastTTL(ttl: number): void {
    setMulticastHops(this.#descriptor.fd, this.#family, ttl);
  }

  /** Sets whether sent multicast is looped back to this host: IP_MULTICAST_LOOP, IPV6_MULTICAST_LOOP.
   *
   * @throws {TypeError} for a value that is not a boolean
   */
  setMulticastLoopback(loopback: boolean): void {
    setLoopback(this.#descriptor.fd, this.#family, loopback);
  }
}
