/** struct in_pktinfo and struct in6_pktinfo: ip(7), ipv6(7), RFC 3542. Their layout is the same on every system that has
 * them. */

import { structView } from "./view.ts";

/** When receiving, the address a datagram was sent to and the interface it arrived on; when sending, the source address
 * and the interface to send through. */
export type PacketInfo = {
  /** Interface index; 0 when the system is to choose. */
  interfaceIndex: number;
  /** 4 or 16 bytes in network order. When decoded, a view of the control message, valid until the next receive. */
  address: Uint8Array;
};

/** A received struct in_pktinfo. */
export type ReceivedPacketInfo4 = PacketInfo & {
  /** ipi_spec_dst: the local address of the datagram, from which it is to be answered. Zero on some systems. */
  local: Uint8Array;
};

/** sizeof(struct in_pktinfo). */
export const IN_PKTINFO_SIZE = 12;
/** sizeof(struct in6_pktinfo). */
export const IN6_PKTINFO_SIZE = 20;

/** Decodes a received struct in_pktinfo: ipi_ifindex, and ipi_addr, the destination address of the IP header. */
export function decodePacketInfo4(bytes: Uint8Array): ReceivedPacketInfo4 {
  const view = structView("struct in_pktinfo", bytes, IN_PKTINFO_SIZE);
  return { interfaceIndex: view.getUint32(0, true), address: bytes.subarray(8, 12), local: bytes.subarray(4, 8) };
}

/** Decodes a received struct in6_pktinfo. */
export function decodePacketInfo6(bytes: Uint8Array): PacketInfo {
  const view = structView("struct in6_pktinfo", bytes, IN6_PKTINFO_SIZE);
  return { interfaceIndex: view.getUint32(16, true), address: bytes.subarray(0, 16) };
}

/** Encodes a struct in_pktinfo for sending. The address goes to ipi_spec_dst, which for sendmsg(2) is the source. */
export function encodePacketInfo4(info: PacketInfo): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(IN_PKTINFO_SIZE);
  new DataView(bytes.buffer).setUint32(0, info.interfaceIndex, true);
  bytes.set(info.address.subarray(0, 4), 4);
  return bytes;
}

/** Encodes a struct in6_pktinfo for sending. */
export function encodePacketInfo6(info: PacketInfo): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(IN6_PKTINFO_SIZE);
  new DataView(bytes.buffer).setUint32(16, info.interfaceIndex, true);
  bytes.set(info.address.subarray(0, 16), 0);
  return bytes;
}
