/** struct iovec and struct msghdr: readv(2), sendmsg(2), <sys/socket.h>. */

import type { Layout } from "../libc/system.ts";

/** The part of a system's layout that message headers depend on. */
export type MsghdrLayout = Pick<Layout, "msghdr">;

/** The members of a struct msghdr. The owner of the header keeps the memory they point to alive. */
export type MessageHeader = {
  name: bigint;
  nameLength: number;
  iov: bigint;
  /** The number of struct iovec, not bytes. */
  iovLength: number;
  control: bigint;
  controlLength: number;
  flags?: number;
};

/** sizeof(struct iovec). */
export const IOVEC_SIZE = 16;

const TWO_TO_32 = 2 ** 32;
const TWO_TO_53 = 2 ** 53;

/** Writes a struct iovec. */
export function writeIovec(view: DataView, offset: number, address: bigint, length: number): void {
  view.setBigUint64(offset, address, true);
  writeLength(view, offset + 8, length, 8);
}

/** Writes a struct iovec whose address is a number: addresses of user space fit a double exactly, and no BigInt is made
 * on the way. */
export function setIovec(view: DataView, offset: number, address: number, length: number): void {
  setPointer(view, offset, address);
  writeLength(view, offset + 8, length, 8);
}

function setPointer(view: DataView, offset: number, address: number): void {
  view.setUint32(offset, address >>> 0, true);
  view.setUint32(offset + 4, Math.floor(address / TWO_TO_32), true);
}

/** Writes a whole struct msghdr, including its padding. */
export function writeMessageHeader(
  layout: MsghdrLayout,
  view: DataView,
  offset: number,
  fields: MessageHeader,
): void {
  const { msghdr } = layout;
  for (let at = 0; at < msghdr.size; at += 4) view.setUint32(offset + at, 0, true);
  view.setBigUint64(offset + msghdr.name, fields.name, true);
  view.setUint32(offset + msghdr.namelen, fields.nameLength, true);
  view.setBigUint64(offset + msghdr.iov, fields.iov, true);
  writeLength(view, offset + msghdr.iovlen, fields.iovLength, msghdr.iovlenSize);
  view.setBigUint64(offset + msghdr.control, fields.control, true);
  writeLength(view, offset + msghdr.controllen, fields.controlLength, msghdr.controllenSize);
  view.setInt32(offset + msghdr.flags, fields.flags ?? 0, true);
}

/** Sets msg_namelen. recvmsg(2) overwrites it, so it must be set before every call. */
export function setNameLength(layout: MsghdrLayout, view: DataView, offset: number, length: number): void {
  view.setUint32(offset + layout.msghdr.namelen, length, true);
}

/** msg_namelen. */
export function nameLength(layout: MsghdrLayout, view: DataView, offset: number): number {
  return view.getUint32(offset + layout.msghdr.namelen, true);
}

/** Points msg_name at the address of a message to be sent; at nothing where that has no bytes. macOS and FreeBSD refuse a
 * name without length with EINVAL. */
export function setName(layout: MsghdrLayout, view: DataView, offset: number, address: number, length: number): void {
  setPointer(view, offset + layout.msghdr.name, length === 0 ? 0 : address);
  setNameLength(layout, view, offset, length);
}

/** Points msg_control at the control messages of a message to be sent; at nothing where there are none, as `setName`. */
export function setControl(
  layout: MsghdrLayout,
  view: DataView,
  offset: number,
  address: number,
  length: number,
): void {
  setPointer(view, offset + layout.msghdr.control, length === 0 ? 0 : address);
  setControlLength(layout, view, offset, length);
}

/** Sets msg_controllen. recvmsg(2) overwrites it, so it must be set before every call. */
export function setControlLength(layout: MsghdrLayout, view: DataView, offset: number, length: number): void {
  writeLength(view, offset + layout.msghdr.controllen, length, layout.msghdr.controllenSize);
}

/** msg_controllen. */
export function controlLength(layout: MsghdrLayout, view: DataView, offset: number): number {
  return view.getUint32(offset + layout.msghdr.controllen, true);
}

/** msg_flags as recvmsg(2) returned them. */
export function messageFlags(layout: MsghdrLayout, view: DataView, offset: number): number {
  return view.getInt32(offset + layout.msghdr.flags, true);
}

/** Writes a size_t as two halves, which makes no BigInt, or an int.
 *
 * @throws {RangeError} for a length that does not fit
 */
function writeLength(view: DataView, offset: number, length: number, size: 4 | 8): void {
  if (!(length >= 0 && length < (size === 8 ? TWO_TO_53 : TWO_TO_32))) {
    throw new RangeError(`Invalid length: ${length}, expected one that fits ${size} bytes`);
  }
  view.setUint32(offset, length >>> 0, true);
  if (size === 8) view.setUint32(offset + 4, Math.floor(length / TWO_TO_32), true);
}
