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
