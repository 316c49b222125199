import {
  type IpFamily,
  joinGroup,
  type MulticastMembership,
  type MulticastOptions,
  setInterface,
  setLoopback,
  setMulticastHops,
} from "./membership.ts";
import type { Descriptor } from "../io/descriptor.ts";
import { Endpoint } from "../socket/endpoint.ts";

/** What a UDP socket can do with groups: the part of {@linkcode UdpSocket} that is about multicast.
 *
 * @example
 * ```ts
 * import { listenDatagram, type MulticastEndpoint } from "@berkeley/sockets";
 *
 * // Keeps what is sent to groups on this machine.
 * function stayHere(socket: MulticastEndpoint): void {
 *   socket.setMulticastInterface("127.0.0.1");
 *   socket.setMulticastTTL(0);
 *   socket.setMulticastLoopback(true);
 * }
 * using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
 * stayHere(udp);
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
    return joinGroup(this.#descriptor, this.#family, group, options);
  }

  /** As Deno's: joins an IPv4 group on the interface that has this address, "0.0.0.0" for the system's choice.
   * MCAST_JOIN_GROUP.
   *
   * @throws as {@linkcode MulticastEndpoint.joinMulticast} does
   */
  joinMulticastV4(address: string, networkInterface: string): Promise<MulticastMembership> {
    return Promise.try(() => this.joinMulticast(address, { interface: networkInterface }));
  }

  /** As Deno's: joins an IPv6 group on the interface of this index, 0 for the system's choice. MCAST_JOIN_GROUP.
   *
   * @throws as {@linkcode MulticastEndpoint.joinMulticast} does
   */
  joinMulticastV6(address: string, networkInterface: number): Promise<MulticastMembership> {
    return Promise.try(() => this.joinMulticast(address, { interface: networkInterface }));
  }

  /** Sets the interface that multicast leaves by, as its name, index or IPv4 address: IP_MULTICAST_IF,
   * IPV6_MULTICAST_IF.
   *
   * @throws {Deno.errors.NotFound} for an interface that is not there
   * @throws {TypeError} for what names none
   */
  setMulticastInterface(networkInterface: string | number): void {
    setInterface(this.#descriptor.fd, this.#family, networkInterface);
  }

  /** Sets how many routers multicast may pass, 0 to 255: IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS. The system's default is
   * 1.
   *
   * @throws {RangeError} for a number beyond that
   */
  setMulticastTTL(ttl: number): void {
    setMulticastHops(this.#descriptor.fd, this.#family, ttl);
  }

  /** Sets whether multicast that is sent comes back to this host: IP_MULTICAST_LOOP, IPV6_MULTICAST_LOOP. */
  setMulticastLoopback(loopback: boolean): void {
    setLoopback(this.#descriptor.fd, this.#family, loopback);
  }
}
