/** struct in_pktinfo and struct in6_pktinfo: ip(7), ipv6(7), RFC 3542. The same bytes wherever there is one. */

/** Where a datagram was sent to and the interface it came in by; or where to send one from, and by which interface. */
export type PacketInfo = {
  /** 0 leaves it to the system. */
  interfaceIndex: number;
  /** Four bytes or sixteen, in network order; when read, a view of the control message, good until the next receive. */
  address: Uint8Array;
};

/** sizeof(struct in_pktinfo). */
export const IN_PKTINFO_SIZE = 12;
/** sizeof(struct in6_pktinfo). */
export const IN6_PKTINFO_SIZE = 20;

/** Reads a received struct in_pktinfo: ipi_ifindex, and ipi_addr as the header had it. */
export function decodePacketInfo4(bytes: Uint8Array): PacketInfo {
  const view = viewOf(bytes, IN_PKTINFO_SIZE);
  return { interfaceIndex: view.getUint32(0, true), address: bytes.subarray(8, 12) };
}

/** Reads a received struct in6_pktinfo. */
export function decodePacketInfo6(bytes: Uint8Array): PacketInfo {
  const view = viewOf(bytes, IN6_PKTINFO_SIZE);
  return { interfaceIndex: view.getUint32(16, true), address: bytes.subarray(0, 16) };
}

/** A struct in_pktinfo to send with: ipi_spec_dst, which despite its name is the source address. */
export function encodePacketInfo4(info: PacketInfo): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(IN_PKTINFO_SIZE);
  new DataView(bytes.buffer).setUint32(0, info.interfaceIndex, true);
  bytes.set(info.address.subarray(0, 4), 4);
  return bytes;
}

/** A struct in6_pktinfo to send with. */
export function encodePacketInfo6(info: PacketInfo): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(IN6_PKTINFO_SIZE);
  new DataView(bytes.buffer).setUint32(16, info.interfaceIndex, true);
  bytes.set(info.address.subarray(0, 16), 0);
  return bytes;
}

/** A view of a whole structure: one that was cut short is refused, not filled up from the bytes behind it. */
function viewOf(bytes: Uint8Array, size: number): DataView {
  if (bytes.length < size) {
    throw new RangeError(`Packet information has ${bytes.length} bytes, and ${size} were expected`);
  }
  return new DataView(bytes.buffer, bytes.byteOffset, size);
}
