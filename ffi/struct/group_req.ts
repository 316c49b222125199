/** struct group_req and struct group_source_req of RFC 3678: ip(7), <netinet/in.h>. */

import { type InetAddress, type SockaddrSystem, writeInetAddress } from "./sockaddr.ts";

/** Encodes a struct group_req for MCAST_JOIN_GROUP and MCAST_LEAVE_GROUP. With an index of 0 the system chooses the
 * interface. */
export function encodeGroupRequest(
  system: SockaddrSystem,
  interfaceIndex: number,
  group: InetAddress,
): Uint8Array<ArrayBuffer> {
  const { group_req } = system.layout;
  const bytes = new Uint8Array(group_req.size);
  new DataView(bytes.buffer).setUint32(group_req.interface, interfaceIndex, true);
  writeInetAddress(system, bytes, group_req.group, group);
  return bytes;
}

/** Encodes a struct group_source_req for MCAST_JOIN_SOURCE_GROUP, MCAST_LEAVE_SOURCE_GROUP, MCAST_BLOCK_SOURCE and
 * MCAST_UNBLOCK_SOURCE. */
export function encodeGroupSourceRequest(
  system: SockaddrSystem,
  interfaceIndex: number,
  group: InetAddress,
  source: InetAddress,
): Uint8Array<ArrayBuffer> {
  const { group_source_req } = system.layout;
  const bytes = new Uint8Array(group_source_req.size);
  new DataView(bytes.buffer).setUint32(group_source_req.interface, interfaceIndex, true);
  writeInetAddress(system, bytes, group_source_req.group, group);
  writeInetAddress(system, bytes, group_source_req.source, source);
  return bytes;
}

/** Encodes a struct ip_mreqn for IP_ADD_MEMBERSHIP and IP_DROP_MEMBERSHIP: ip(7). Four zeros follow it, which Linux
 * ignores: qemu-user takes the index for a number of eight bytes, and ignores one of four. */
export function encodeIpMembership(interfaceIndex: number, group: InetAddress): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(16);
  bytes.set(group.address.subarray(0, 4), 0);
  new DataView(bytes.buffer).setInt32(8, interfaceIndex, true);
  return bytes;
}

/** Encodes a struct ip_mreq_source for IP_ADD_SOURCE_MEMBERSHIP, IP_DROP_SOURCE_MEMBERSHIP, IP_BLOCK_SOURCE and
 * IP_UNBLOCK_SOURCE, which know an interface by an IPv4 address of it. */
export function encodeIpSourceMembership(
  system: SockaddrSystem,
  interfaceAddress: Uint8Array,
  group: InetAddress,
  source: InetAddress,
): Uint8Array<ArrayBuffer> {
  const { ip_mreq_source } = system.layout;
  const bytes = new Uint8Array(ip_mreq_source.size);
  bytes.set(group.address.subarray(0, 4), 0);
  bytes.set(interfaceAddress.subarray(0, 4), ip_mreq_source.interface);
  bytes.set(source.address.subarray(0, 4), ip_mreq_source.source);
  return bytes;
}

/** Encodes a struct ipv6_mreq for IPV6_JOIN_GROUP and IPV6_LEAVE_GROUP, which Linux also calls IPV6_ADD_MEMBERSHIP and
 * IPV6_DROP_MEMBERSHIP: ipv6(7). */
export function encodeIpv6Membership(interfaceIndex: number, group: InetAddress): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(20);
  bytes.set(group.address.subarray(0, 16), 0);
  new DataView(bytes.buffer).setUint32(16, interfaceIndex, true);
  return bytes;
}
