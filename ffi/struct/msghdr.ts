/** struct iovec and struct msghdr: readv(2), sendmsg(2), <sys/socket.h>. */

import type { Layout } from "../libc/system.ts";

/** The part of a system's layout that message headers depend on. */
export type MsghdrLayout = Pick<Layout, "msghdr">;

/** The members of a struct msghdr. The memory they point to belongs to whoever holds the header. */
export type MessageHeader = {
  name: bigint;
  nameLength: number;
  iov: bigint;
  /** How many struct iovec there are, not bytes. */
  iovLength: number;
  control: bigint;
  controlLength: number;
  flags?: number;
};

/** sizeof(struct iovec). */
export const IOVEC_SIZE = 16;

/** Writes a struct iovec. */
export function writeIovec(view: DataView, offset: number, address: bigint, length: number): void {
  view.setBigUint64(offset, address, true);
  writeLength(view, offset + 8, length, 8);
}

/** iov_len alone, for a vector whose memory stays where it is. */
export function setIovecLength(view: DataView, offset: number, length: number): void {
  writeLength(view, offset + 8, length, 8);
}

/** Writes a whole struct msghdr, its padding too. */
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

/** msg_namelen: recvmsg(2) shortens it, so that it has to be set before every call. */
export function setNameLength(layout: MsghdrLayout, view: DataView, offset: number, length: number): void {
  view.setUint32(offset + layout.msghdr.namelen, length, true);
}

/** msg_namelen. */
export function nameLength(layout: MsghdrLayout, view: DataView, offset: number): number {
  return view.getUint32(offset + layout.msghdr.namelen, true);
}

/** msg_controllen: recvmsg(2) shortens it, so that it has to be set before every call. */
export function setControlLength(layout: MsghdrLayout, view: DataView, offset: number, length: number): void {
  writeLength(view, offset + layout.msghdr.controllen, length, layout.msghdr.controllenSize);
}

/** msg_controllen. */
export function controlLength(layout: MsghdrLayout, view: DataView, offset: number): number {
  return view.getUint32(offset + layout.msghdr.controllen, true);
}

/** msg_flags, as recvmsg(2) left them. */
export function messageFlags(layout: MsghdrLayout, view: DataView, offset: number): number {
  return view.getInt32(offset + layout.msghdr.flags, true);
}

/** A size_t by halves, since no message comes near 4 GiB and a BigInt for each would be garbage; or an int. */
function writeLength(view: DataView, offset: number, length: number, size: 4 | 8): void {
  view.setUint32(offset, length, true);
  if (size === 8) view.setUint32(offset + 4, 0, true);
}
