import { libc } from "../libc/libc.ts";
import { systemError } from "../libc/socket_error.ts";
import { parseIPv4 } from "../struct/ip.ts";
import type { InetAddress } from "../struct/sockaddr.ts";
import { formatHost, isMulticast, parseHost } from "../address/address.ts";
import type { Descriptor } from "../io/descriptor.ts";
import { interfaceIndex } from "../address/interface.ts";
import { setOption, writeOption } from "../option/option.ts";
import { inFamily, type IpFamily, isDualStack, packetFamily } from "./families.ts";
import { type GroupRequest, type GroupVerb, requestGroup } from "./group_option.ts";
import { onIPv6Socket, setForBoth } from "./both_families.ts";
import { copyOptions, optionsShape } from "../validate/options.ts";
import { quote } from "../validate/quote.ts";
import { sockopt } from "../option/sockopt.ts";

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
  /** The name ("eth0"), the index or an IPv4 address of the interface. The system chooses it if left out. */
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

/** The families of the groups that a socket can join. */
type Families = readonly IpFamily[];

/** Parses a group or a source: an IP address of a family of the socket. One that is mapped to IPv6 is an IPv4 address. */
function parseMember(what: string, text: string, families: Families): InetAddress {
  const given = typeof text === "string" ? parseHost(text, 0) : null;
  if (given === null) throw new TypeError(`Invalid ${what}: ${quote(text)}, expected an IP address`);
  const family = packetFamily(given);
  if (!families.includes(family)) {
    const [version, hostname] = family === "inet6" ? ["IPv6", "::"] : ["IPv4", "0.0.0.0"];
    throw new TypeError(
      `The ${what} ${text} is of the other family; open an ${version} socket with hostname: "${hostname}"`,
    );
  }
  return inFamily(family, given, text);
}

function parseGroup(text: string, families: Families): InetAddress {
  const group = parseMember("group", text, families);
  if (isMulticast(group)) return group;
  throw new TypeError(
    `Not a multicast group: ${quote(text)}, expected 224.0.0.0 to 239.255.255.255 or ff00::/8`,
  );
}

/** Sets whether sent multicast is looped back to this host. */
export function setLoopback(fd: number, family: IpFamily, loopback: boolean): void {
  setForBoth(fd, family, sockopt.IP_MULTICAST_LOOP, sockopt.IPV6_MULTICAST_LOOP, loopback);
}

/** Sets the TTL or hop limit of multicast. */
export function setMulticastHops(fd: number, family: IpFamily, ttl: number): void {
  if (!Number.isInteger(ttl) || ttl < 0 || ttl > 255) {
    throw new RangeError(`Invalid TTL: ${quote(ttl)}, expected 0 to 255`);
  }
  setForBoth(fd, family, sockopt.IP_MULTICAST_TTL, sockopt.IPV6_MULTICAST_HOPS, ttl);
}

/** Sets the interface that multicast is sent through. */
export function setInterface(fd: number, family: IpFamily, networkInterface: string | number): void {
  const index = interfaceIndex(networkInterface);
  if (family === "inet6") setOption(fd, sockopt.IPV6_MULTICAST_IF, index);
  if (family === "inet") setInterfaceV4(fd, index, networkInterface);
  else if (isDualStack(fd, family)) onIPv6Socket(() => setInterfaceV4(fd, index, networkInterface));
}

function setInterfaceV4(fd: number, index: number, networkInterface: string | number): void {
  const { IPPROTO_IP, IP_MULTICAST_IF } = libc().system.constants;
  // struct ip_mreqn: the index selects the interface. The address becomes the source address of sent datagrams, which
  // otherwise follows the default route.
  const request = new Uint8Array(12);
  const address = parseIPv4(String(networkInterface));
  if (address !== null) request.set(address, 4);
  new DataView(request.buffer).setInt32(8, index, true);
  writeOption(fd, IPPROTO_IP, IP_MULTICAST_IF, request, `IP_MULTICAST_IF ${networkInterface}`);
}

/** Joins a group, of either family on a dual-stack socket. */
export function joinGroup(
  descriptor: Descriptor,
  family: IpFamily,
  group: string,
  options: MulticastOptions = {},
): MulticastMembership {
  return new Membership(descriptor, family, group, copyOptions(options, OPTIONS));
}

/** Hints by operation and errno. */
const HINTS: Readonly<Record<string, string>> = {
  "join EADDRINUSE": "the socket has already joined this group on this interface",
  "join EADDRNOTAVAIL": "the socket has already joined this group with this source",
  "block EINVAL": "the socket is no longer a member of the group from any source",
  "unblock EINVAL": "the socket is no longer a member of the group from any source",
  "block EADDRNOTAVAIL": "the source is already blocked",
  "unblock EADDRNOTAVAIL": "the source is not blocked",
};

/** The limits that ENOBUFS can be about. */
function limits({ group, source }: GroupRequest): string {
  const memory = "net.core.optmem_max";
  if (group.family === "inet6") {
    return source === null ? `the limit is ${memory}` : `the limits are net.ipv6.mld_max_msf and ${memory}`;
  }
  const names = ["net.ipv4.igmp_max_memberships (20 by default)"];
  if (source !== null) names.push("net.ipv4.igmp_max_msf (10 by default)");
  return `the limits are ${names.join(", ")} and ${memory}`;
}

function hintFor(verb: GroupVerb, code: string, request: GroupRequest): string | undefined {
  if (code === "ENOBUFS" && verb !== "leave") return limits(request);
  if (code === "ENODEV" && verb === "join" && request.index === 0) {
    return "the system found no interface for the group; pass one as interface";
  }
  return HINTS[`${verb} ${code}`];
}

class Membership implements MulticastMembership {
  readonly group: string;
  readonly #descriptor: Descriptor;
  /** The socket's. */
  readonly #family: IpFamily;
  readonly #request: GroupRequest;
  #left = false;

  constructor(descriptor: Descriptor, family: IpFamily, group: string, options: MulticastOptions) {
    this.#descriptor = descriptor;
    this.#family = family;
    const parsed = parseGroup(group, isDualStack(descriptor.fd, family) ? ["inet", "inet6"] : [family]);
    const source = options.source === undefined ? null : parseMember("source", options.source, [parsed.family]);
    const index = interfaceIndex(options.interface ?? (parsed.scopeId || source?.scopeId || undefined));
    this.#request = { group: parsed, index, source };
    this.group = formatHost(parsed);
    this.#apply("join", this.#request);
  }

  leave(): Promise<void> {
    return Promise.try(() => this.#leave());
  }

  setLoopback(loopback: boolean): Promise<void> {
    return Promise.try(() => setLoopback(this.#descriptor.fd, this.#family, loopback));
  }

  setTTL(ttl: number): Promise<void> {
    return Promise.try(() => setMulticastHops(this.#descriptor.fd, this.#family, ttl));
  }

  blockSource(source: string): void {
    this.#filter("block", source);
  }

  unblockSource(source: string): void {
    this.#filter("unblock", source);
  }

  [Symbol.dispose](): void {
    if (!this.#left && !this.#descriptor.closed) this.#leave();
  }

  #leave(): void {
    const { EADDRNOTAVAIL } = libc().system.errors;
    // The kernel would end a membership that another object has joined since.
    if (this.#left) throw systemError(EADDRNOTAVAIL!, "setsockopt", this.group, "this membership has been left");
    this.#apply("leave", this.#request);
    this.#left = true;
  }

  #filter(verb: "block" | "unblock", text: string): void {
    if (this.#request.source !== null) {
      throw new TypeError(`Cannot ${verb} a source: the membership of ${this.group} is source-specific`);
    }
    const source = parseMember("source", text, [this.#request.group.family]);
    this.#apply(verb, { ...this.#request, source });
  }

  #apply(verb: GroupVerb, request: GroupRequest): void {
    requestGroup(this.#descriptor.fd, verb, request, (code) => hintFor(verb, code, request));
  }
}
