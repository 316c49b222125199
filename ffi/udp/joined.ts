import { libc } from "../libc/libc.ts";
import { isSocketError, systemError } from "../libc/socket_error.ts";
import type { InetAddress } from "../struct/sockaddr.ts";
import { formatHost } from "../address/address.ts";
import { type Descriptor, requireDescriptor } from "../io/descriptor.ts";
import type { IpFamily } from "./families.ts";
import { parseMember } from "./group_address.ts";
import { type GroupRequest, type GroupVerb, requestGroup } from "./group_option.ts";
import { setLoopback, setMulticastHops } from "./multicast_settings.ts";

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

/** Parses the sender that a membership is to block or to unblock.
 *
 * @throws {TypeError} for a source-specific membership, or a value that is not an IP address of the group's family
 */
export function parseFiltered(verb: "block" | "unblock", text: string, { group, source }: GroupRequest): InetAddress {
  if (source === null) return parseMember("source", text, [group.family]);
  throw new TypeError(`Cannot ${verb} a source: the membership of ${formatHost(group)} is source-specific`);
}

/** A membership of one group on one interface. */
export class Membership {
  readonly group: string;
  readonly #descriptor: Descriptor;
  /** The socket's. */
  readonly #family: IpFamily;
  readonly #request: GroupRequest;
  #left = false;

  /** Joins. `family` is the socket's. */
  constructor(descriptor: Descriptor, family: IpFamily, request: GroupRequest) {
    requireDescriptor(descriptor, "joinMulticast makes memberships");
    this.#descriptor = descriptor;
    this.#family = family;
    this.#request = request;
    this.group = formatHost(request.group);
    this.#apply("join", request);
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
    try {
      this.#apply("leave", this.#request);
    } catch (error) {
      const { index, source } = this.#request;
      if (source === null || index === 0 || !isSocketError(error) || error.code !== "ENODEV") throw error;
      this.#leaveRemoved();
    }
    this.#left = true;
  }

  /** Leaves a source of a group on an interface that was removed. Linux then refuses to leave one source, and keeps the
   * membership, which counts against the limit, until all sources are left at once. */
  #leaveRemoved(): void {
    try {
      this.#apply("leave", { ...this.#request, source: null });
    } catch (error) {
      // Another membership of the group there has left them.
      if (!isSocketError(error) || error.code !== "EADDRNOTAVAIL") throw error;
    }
  }

  #filter(verb: "block" | "unblock", text: string): void {
    this.#apply(verb, { ...this.#request, source: parseFiltered(verb, text, this.#request) });
  }

  #apply(verb: GroupVerb, request: GroupRequest): void {
    requestGroup(this.#descriptor.fd, verb, request, (code) => hintFor(verb, code, request));
  }
}
