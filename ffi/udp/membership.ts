import { libc } from "../libc/libc.ts";
import { systemError } from "../libc/socket_error.ts";
import { encodeGroupRequest, encodeGroupSourceRequest } from "../struct/group_req.ts";
import { parseIPv4 } from "../struct/ip.ts";
import type { InetAddress } from "../struct/sockaddr.ts";
import { formatHost, isMulticast, parseHost } from "../address/address.ts";
import type { Descriptor } from "../io/descriptor.ts";
import { interfaceIndex } from "../address/interface.ts";
import { setOption, writeOption } from "../option/option.ts";
import { copyOptions, optionsShape } from "../validate/options.ts";
import { quote } from "../validate/quote.ts";
import { sockopt } from "../option/sockopt.ts";

/** Which interface and which sender a membership is about.
 *
 * @example
 * ```ts
 * import { listenDatagram } from "@berkeley/sockets";
 *
 * using udp = listenDatagram({ transport: "udp", hostname: "239.255.0.1", port: 0 });
 * using heard = udp.joinMulticast("239.255.0.1", { interface: "127.0.0.1", source: "127.0.0.1" });
 * console.log(heard.group); // 239.255.0.1
 * ```
 */
export interface MulticastOptions {
  /** Name ("eth0"), index, or an IPv4 address of the interface; the system's choice where left out. */
  interface?: string | number;
  /** Source-specific: only datagrams from this address are heard. */
  source?: string;
}

/** A socket's membership of one group, from {@linkcode MulticastEndpoint.joinMulticast} on. It ends with `leave`, with
 * dispose, or with the socket.
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
  /** The group's address. */
  readonly group: string;
  /** Ends the membership: MCAST_LEAVE_GROUP, MCAST_LEAVE_SOURCE_GROUP.
   *
   * @throws {Deno.errors.AddrNotAvailable} the second time
   */
  leave(): Promise<void>;
  /** Whether multicast the socket sends comes back to this host. It holds for every group: IP_MULTICAST_LOOP,
   * IPV6_MULTICAST_LOOP. */
  setLoopback(loopback: boolean): Promise<void>;
  /** How many routers multicast the socket sends may pass, 0 to 255. It holds for every group: IP_MULTICAST_TTL,
   * IPV6_MULTICAST_HOPS.
   *
   * @throws {RangeError} for a number beyond that
   */
  setTTL(ttl: number): Promise<void>;
  /** Hears no more from this sender: MCAST_BLOCK_SOURCE. Any-source memberships only.
   *
   * @throws {TypeError} for a membership of one source, and for what is no IP address of the group's family
   * @throws {Deno.errors.AddrNotAvailable} for a source that is blocked already
   */
  blockSource(source: string): void;
  /** Hears from a blocked sender again: MCAST_UNBLOCK_SOURCE.
   *
   * @throws {TypeError} for a membership of one source, and for what is no IP address of the group's family
   * @throws {Deno.errors.AddrNotAvailable} for a source that is not blocked
   */
  unblockSource(source: string): void;
}

const OPTIONS = optionsShape<MulticastOptions>("memberships", "{ interface, source }", {
  interface: "any",
  source: "any",
});

export type IpFamily = "inet" | "inet6";

/** An address that takes part in a membership: a literal of the socket's family. */
function parseMember(what: string, text: string, family: IpFamily): InetAddress {
  const address = typeof text === "string" ? parseHost(text, 0) : null;
  if (address === null) throw new TypeError(`Invalid ${what}: ${quote(text)}, expected an IP address`);
  if (address.family !== family) {
    const [version, hostname] = family === "inet" ? ["IPv4", "::"] : ["IPv6", "0.0.0.0"];
    throw new TypeError(
      `The ${what} ${text} is of the other family: this is an ${version} socket; open one with hostname: "${hostname}"`,
    );
  }
  return address;
}

function parseGroup(text: string, family: IpFamily): InetAddress {
  const group = parseMember("group", text, family);
  if (isMulticast(group)) return group;
  throw new TypeError(
    `Not a multicast group: ${quote(text)}, expected 224.0.0.0 to 239.255.255.255 or ff00::/8`,
  );
}

/** Whether multicast comes back to this host. */
export function setLoopback(fd: number, family: IpFamily, loopback: boolean): void {
  setOption(fd, family === "inet" ? sockopt.IP_MULTICAST_LOOP : sockopt.IPV6_MULTICAST_LOOP, loopback);
}

/** Routers that multicast may pass. */
export function setMulticastHops(fd: number, family: IpFamily, ttl: number): void {
  if (!Number.isInteger(ttl) || ttl < 0 || ttl > 255) {
    throw new RangeError(`Invalid TTL: ${quote(ttl)}, expected 0 to 255`);
  }
  setOption(fd, family === "inet" ? sockopt.IP_MULTICAST_TTL : sockopt.IPV6_MULTICAST_HOPS, ttl);
}

/** The interface that multicast leaves by. */
export function setInterface(fd: number, family: IpFamily, networkInterface: string | number): void {
  const index = interfaceIndex(networkInterface);
  if (family === "inet6") return setOption(fd, sockopt.IPV6_MULTICAST_IF, index);
  const { IPPROTO_IP, IP_MULTICAST_IF } = libc().system.constants;
  // struct ip_mreqn: the index decides. An address becomes the source of what is sent, which else follows the default
  // route.
  const request = new Uint8Array(12);
  const address = parseIPv4(String(networkInterface));
  if (address !== null) request.set(address, 4);
  new DataView(request.buffer).setInt32(8, index, true);
  writeOption(fd, IPPROTO_IP, IP_MULTICAST_IF, request, `IP_MULTICAST_IF ${networkInterface}`);
}

/** Joins a group: MCAST_JOIN_GROUP or MCAST_JOIN_SOURCE_GROUP, which RFC 3678 defines for both families. */
export function joinGroup(
  descriptor: Descriptor,
  family: IpFamily,
  group: string,
  options: MulticastOptions = {},
): MulticastMembership {
  return new Membership(descriptor, family, group, copyOptions(options, OPTIONS));
}

/** Hints by operation and errno. */
const HELP: Readonly<Record<string, string>> = {
  "join EADDRINUSE": "the socket has joined this group on this interface before",
  "join EADDRNOTAVAIL": "the socket has joined this group from this source before",
  "join EINVAL": "the socket has joined this group on this interface before, from any source or from certain ones",
  "join ENOBUFS": "the limits are net.ipv4.igmp_max_memberships (20 by default) and net.core.optmem_max",
  "join ENODEV": "no interface has a route to it: pass interface to name one",
  "block EINVAL": "the socket is no longer a member of the group from any source",
  "unblock EINVAL": "the socket is no longer a member of the group from any source",
  "block EADDRNOTAVAIL": "the source is blocked already",
  "unblock EADDRNOTAVAIL": "the source is not blocked",
};

class Membership implements MulticastMembership {
  readonly group: string;
  readonly #descriptor: Descriptor;
  readonly #family: IpFamily;
  readonly #index: number;
  readonly #group: InetAddress;
  readonly #source: InetAddress | null;
  #left = false;

  constructor(descriptor: Descriptor, family: IpFamily, group: string, options: MulticastOptions) {
    this.#descriptor = descriptor;
    this.#family = family;
    this.#group = parseGroup(group, family);
    this.#source = options.source === undefined ? null : parseMember("source", options.source, family);
    this.#index = interfaceIndex(options.interface ?? (this.#group.scopeId || undefined));
    this.group = formatHost(this.#group);
    const { MCAST_JOIN_GROUP, MCAST_JOIN_SOURCE_GROUP } = libc().system.constants;
    if (this.#source === null) this.#request(MCAST_JOIN_GROUP, "join");
    else this.#requestSource(MCAST_JOIN_SOURCE_GROUP, this.#source, "join");
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
    this.#filter(libc().system.constants.MCAST_BLOCK_SOURCE, source, "block");
  }

  unblockSource(source: string): void {
    this.#filter(libc().system.constants.MCAST_UNBLOCK_SOURCE, source, "unblock");
  }

  [Symbol.dispose](): void {
    if (!this.#left && !this.#descriptor.closed) this.#leave();
  }

  #leave(): void {
    const { constants, errors } = libc().system;
    // The kernel would let go of a membership that another object has taken since.
    if (this.#left) {
      throw systemError(errors.EADDRNOTAVAIL!, "setsockopt", this.group, "this membership was left before");
    }
    if (this.#source === null) this.#request(constants.MCAST_LEAVE_GROUP, "leave");
    else this.#requestSource(constants.MCAST_LEAVE_SOURCE_GROUP, this.#source, "leave");
    this.#left = true;
  }

  #filter(name: number, source: string, verb: string): void {
    if (this.#source !== null) {
      throw new TypeError(`The membership of ${this.group} is source-specific already: it has no sources to ${verb}`);
    }
    this.#requestSource(name, parseMember("source", source, this.#family), verb);
  }

  #request(name: number, verb: string): void {
    const value = encodeGroupRequest(libc().system, this.#index, this.#group);
    writeOption(
      this.#descriptor.fd,
      this.#level,
      name,
      value,
      `${verb} ${this.group}`,
      (code) => HELP[`${verb} ${code}`],
    );
  }

  #requestSource(name: number, source: InetAddress, verb: string): void {
    const value = encodeGroupSourceRequest(libc().system, this.#index, this.#group, source);
    const what = `${verb} ${this.group} from ${formatHost(source)}`;
    writeOption(this.#descriptor.fd, this.#level, name, value, what, (code) => HELP[`${verb} ${code}`]);
  }

  get #level(): number {
    const { IPPROTO_IP, IPPROTO_IPV6 } = libc().system.constants;
    return this.#family === "inet" ? IPPROTO_IP : IPPROTO_IPV6;
  }
}
