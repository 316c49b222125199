/** struct ifaddrs of getifaddrs(3), the same on all supported systems, and the addresses it points to. */

import type { NetworkTable } from "../libc/network.ts";

/** sizeof(struct ifaddrs). */
export const IFADDRS_SIZE = 56;

const NEXT = 0;
const NAME = 8;
const FLAGS = 16;
const ADDRESS = 24;
const NETMASK = 32;
const DESTINATION = 40;
const DATA = 48;

/** The members of a struct ifaddrs. Pointers are addresses, 0 where there is nothing. */
export interface Ifaddrs {
  readonly next: bigint;
  readonly name: bigint;
  readonly flags: number;
  readonly address: bigint;
  readonly netmask: bigint;
  /** The broadcast address, or the other end of a point-to-point link. */
  readonly destination: bigint;
  readonly data: bigint;
}

export function readIfaddrs(bytes: Uint8Array<ArrayBuffer>): Ifaddrs {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    next: view.getBigUint64(NEXT, true),
    name: view.getBigUint64(NAME, true),
    flags: view.getUint32(FLAGS, true),
    address: view.getBigUint64(ADDRESS, true),
    netmask: view.getBigUint64(NETMASK, true),
    destination: view.getBigUint64(DESTINATION, true),
    data: view.getBigUint64(DATA, true),
  };
}

/** Bytes of a link-layer sockaddr that hold its lengths: enough for `linkAddressLength`. */
export const LINK_ADDRESS_HEAD = 12;

/** The length in bytes of a struct sockaddr_ll or sockaddr_dl whose first LINK_ADDRESS_HEAD bytes are given. */
export function linkAddressLength({ layout }: NetworkTable, head: Uint8Array): number {
  const { sockaddr_ll, sockaddr_dl } = layout;
  if (sockaddr_ll !== null) return sockaddr_ll.addr + head[sockaddr_ll.halen]!;
  return sockaddr_dl!.data + head[sockaddr_dl!.nlen]! + head[sockaddr_dl!.alen]!;
}

/** The interface's index and its hardware address, which has no bytes where there is none: packet(7), link_addr(3). */
export function readLinkAddress(
  { layout }: NetworkTable,
  bytes: Uint8Array<ArrayBuffer>,
): { index: number; address: Uint8Array } {
  const { sockaddr_ll, sockaddr_dl } = layout;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (sockaddr_ll !== null) {
    const { ifindex, halen, addr } = sockaddr_ll;
    return { index: view.getInt32(ifindex, true), address: bytes.subarray(addr, addr + bytes[halen]!) };
  }
  const { index, nlen, alen, data } = sockaddr_dl!;
  const start = data + bytes[nlen]!;
  return { index: view.getUint16(index, true), address: bytes.subarray(start, start + bytes[alen]!) };
}

/** The bits of a netmask up to the first that is not set. BSD leaves out bytes of zero at the end. */
export function prefixLengthOf(mask: Uint8Array): number {
  let length = 0;
  for (const byte of mask) {
    if (byte !== 0xff) return length + Math.clz32(~(byte << 24));
    length += 8;
  }
  return length;
}
