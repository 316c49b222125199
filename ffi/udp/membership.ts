import type { SocketError } from "../libc/socket_error.ts";
import type { Descriptor } from "../io/descriptor.ts";
import { interfaceIndex } from "../address/interface.ts";
import { copyOptions, optionsShape } from "../validate/options.ts";
import { quote } from "../validate/quote.ts";
import { AllInterfaces } from "./all_interfaces.ts";
import { type IpFamily, isDualStack } from "./families.ts";
import { parseGroup, parseMember } from "./group_address.ts";
import { Membership } from "./joined.ts";

/** Options of {@linkcode MulticastEndpoint.joinMulticast}.
 *
 * @example
 * ```ts
 * import { listenDatagram } from "@berkeley/sockets";
 *
 * using udp = listenDatagram({ transport: "udp", hostname: "239.255.0.1", port: 0 });
 * using membership = udp.joinMulticast("239.255.0.1", { interface: "127.0.0.1", source: "127.0.0.1" });
 * console.log(membership.group); // 239.255.0.1
 * ```
 */
export interface MulticastOptions {
  /** The name ("eth0"), the index or an IPv4 address of the interface. The system chooses it if left out. "all": every
   * interface that is up and does multicast, those that come later as well, until the membership is left. */
  interface?: string | number;
  /** Receive only datagrams from this IP address (source-specific multicast). By default, from any source. */
  source?: string;
}

/** The membership of a socket in one group, made by {@linkcode MulticastEndpoint.joinMulticast}. It ends when it is left
 * or disposed, or when the socket is closed.
 *
 * @example
 * ```ts
 * import { listenDatagram } from "@berkeley/sockets";
 *
 * using udp = listenDatagram({ transport: "udp", hostname: "239.255.0.1", port: 0 });
 * const membership = udp.joinMulticast("239.255.0.1", { interface: "127.0.0.1" });
 * membership.blockSource("127.0.0.9");
 * await membership.leave();
 * ```
 */
export interface MulticastMembership extends Disposable {
  /** The IP address of the group. */
  readonly group: string;
  /** With `interface: "all"`: the indexes of the interfaces on which the group is joined now. Reading it throws
   * Deno.errors.NotCapable without `--allow-sys=networkInterfaces`; joining and leaving does not need that. */
  readonly interfaces?: readonly number[] | undefined;
  /** With `interface: "all"`: why the last interface that came later could not be joined, such as ENOBUFS at the system's
   * limit of memberships; undefined where it could. */
  readonly error?: SocketError | undefined;
  /** Leaves the group: setsockopt(2) with MCAST_LEAVE_GROUP or MCAST_LEAVE_SOURCE_GROUP.
   *
   * @throws {Deno.errors.AddrNotAvailable} if the membership has been left
   */
  leave(): Promise<void>;
  /** Sets whether multicast sent by the socket, to any group, is looped back to this host: IP_MULTICAST_LOOP,
   * IPV6_MULTICAST_LOOP.
   *
   * @throws {TypeError} for a value that is not a boolean
   */
  setLoopback(loopback: boolean): Promise<void>;
  /** Sets the TTL or hop limit of multicast sent by the socket, to any group: IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS.
   *
   * @param ttl the maximum number of hops, from 0 to 255
   * @throws {RangeError} for a number outside 0 to 255
   */
  setTTL(ttl: number): Promise<void>;
  /** Blocks datagrams from one sender: setsockopt(2) with MCAST_BLOCK_SOURCE. It is for any-source memberships.
   *
   * @param source the IP address of the sender
   * @throws {TypeError} for a source-specific membership, or a value that is not an IP address of the group's family
   * @throws {Deno.errors.AddrNotAvailable} if the source is blocked
   */
  blockSource(source: string): void;
  /** Unblocks a blocked sender: setsockopt(2) with MCAST_UNBLOCK_SOURCE.
   *
   * @param source the IP address of the sender
   * @throws {TypeError} for a source-specific membership, or a value that is not an IP address of the group's family
   * @throws {Deno.errors.AddrNotAvailable} if the source is not blocked
   */
  unblockSource(source: string): void;
}

const OPTIONS = optionsShape<MulticastOptions>("memberships", "{ interface, source }", {
  interface: "any",
  source: "any",
});

/** Joins a group, of either family on a dual-stack socket. */
export function joinGroup(
  descriptor: Descriptor,
  family: IpFamily,
  text: string,
  given: MulticastOptions = {},
): MulticastMembership {
  const options = copyOptions(given, OPTIONS);
  const group = parseGroup(text, isDualStack(descriptor.fd, family) ? ["inet", "inet6"] : [family]);
  const source = options.source === undefined ? null : parseMember("source", options.source, [group.family]);
  const zone = group.scopeId || source?.scopeId || undefined;
  if (options.interface !== "all") {
    return new Membership(descriptor, family, {
      group,
      source,
      index: interfaceIndex(options.interface === undefined ? zone : options.interface),
    });
  }
  if (zone === undefined) return new AllInterfaces(descriptor, family, { group, source });
  throw new TypeError(`Invalid interface: "all", and the zone in ${quote(text)} names one interface`);
}
