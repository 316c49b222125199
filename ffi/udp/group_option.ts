import { libc } from "../libc/libc.ts";
import { isSocketError } from "../libc/socket_error.ts";
import { formatHost } from "../address/address.ts";
import { ipv4OfInterface } from "../address/interface.ts";
import { writeOption } from "../option/option.ts";
import {
  encodeGroupRequest,
  encodeGroupSourceRequest,
  encodeIpMembership,
  encodeIpSourceMembership,
  encodeIpv6Membership,
} from "../struct/group_req.ts";
import type { InetAddress } from "../struct/sockaddr.ts";

/** What is done with a membership. */
export type GroupVerb = "join" | "leave" | "block" | "unblock";

/** The group, interface and source of a request. An index of 0 is the system's choice, no source is any source. */
export interface GroupRequest {
  readonly group: InetAddress;
  readonly index: number;
  readonly source: InetAddress | null;
}

/** Returns the hint for a code. */
type Hint = (code: string) => string | undefined;

/** Carries a request out with the options of RFC 3678, which are the same for both families; on a kernel without them
 * (gVisor, qemu-user) with the older ones of the group's family. */
export function requestGroup(fd: number, verb: GroupVerb, request: GroupRequest, hint: Hint): void {
  const { group, source } = request;
  const { IPPROTO_IP, IPPROTO_IPV6 } = libc().system.constants;
  const level = group.family === "inet" ? IPPROTO_IP : IPPROTO_IPV6;
  const what = `${verb} ${formatHost(group)}${source === null ? "" : ` from ${formatHost(source)}`}`;
  try {
    writeOption(fd, level, protocolIndependent(verb, request), encode(request), what, hint);
  } catch (error) {
    if (!isSocketError(error) || error.code !== "ENOPROTOOPT") throw error;
    const older = olderOption(verb, request);
    if (older === null) throw error;
    writeOption(fd, level, older.name, older.value, what, hint);
  }
}

function protocolIndependent(verb: GroupVerb, { source }: GroupRequest): number {
  const { constants } = libc().system;
  if (verb === "block") return constants.MCAST_BLOCK_SOURCE;
  if (verb === "unblock") return constants.MCAST_UNBLOCK_SOURCE;
  if (source === null) return verb === "join" ? constants.MCAST_JOIN_GROUP : constants.MCAST_LEAVE_GROUP;
  return verb === "join" ? constants.MCAST_JOIN_SOURCE_GROUP : constants.MCAST_LEAVE_SOURCE_GROUP;
}

function encode({ group, index, source }: GroupRequest): Uint8Array<ArrayBuffer> {
  const { system } = libc();
  if (source === null) return encodeGroupRequest(system, index, group);
  return encodeGroupSourceRequest(system, index, group, source);
}

/** The older option for a request; null for a source of an IPv6 group, for which there is none. */
function olderOption(
  verb: GroupVerb,
  { group, index, source }: GroupRequest,
): { readonly name: number; readonly value: Uint8Array<ArrayBuffer> } | null {
  const { system } = libc();
  const { constants } = system;
  if (group.family === "inet6") {
    if (source !== null) return null;
    const name = verb === "join" ? constants.IPV6_JOIN_GROUP : constants.IPV6_LEAVE_GROUP;
    return { name, value: encodeIpv6Membership(index, group) };
  }
  if (source === null) {
    const name = verb === "join" ? constants.IP_ADD_MEMBERSHIP : constants.IP_DROP_MEMBERSHIP;
    return { name, value: encodeIpMembership(index, group) };
  }
  const names: Readonly<Record<GroupVerb, number>> = {
    join: constants.IP_ADD_SOURCE_MEMBERSHIP,
    leave: constants.IP_DROP_SOURCE_MEMBERSHIP,
    block: constants.IP_BLOCK_SOURCE,
    unblock: constants.IP_UNBLOCK_SOURCE,
  };
  const address = index === 0 ? new Uint8Array(4) : ipv4OfInterface(index);
  return { name: names[verb], value: encodeIpSourceMembership(system, address, group, source) };
}
