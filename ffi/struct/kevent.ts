/** struct kevent: kqueue(2), <sys/event.h>. Its udata is two numbers of 32 bits here, and never a pointer. */

import type { Layout } from "../libc/system.ts";

/** The part of a system's layout that kevents depend on. */
export type KeventLayout = Pick<Layout, "kevent">;

/** The members of a struct kevent. */
export type Kevent = {
  ident: number;
  filter: number;
  flags: number;
  fflags: number;
  data: number;
  udataLow: number;
  udataHigh: number;
};

const TWO_TO_32 = 0x1_0000_0000;

/** Writes the struct kevent at an index, with what FreeBSD has behind it zeroed. */
export function writeKevent(layout: KeventLayout, view: DataView, index: number, event: Kevent): void {
  const kevent = shape(layout);
  const offset = index * kevent.size;
  for (let at = 0; at < kevent.size; at += 4) view.setUint32(offset + at, 0, true);
  view.setUint32(offset + kevent.ident, event.ident, true);
  view.setInt16(offset + kevent.filter, event.filter, true);
  view.setUint16(offset + kevent.flags, event.flags, true);
  view.setUint32(offset + kevent.fflags, event.fflags, true);
  view.setUint32(offset + kevent.data, event.data, true);
  view.setInt32(offset + kevent.data + 4, Math.floor(event.data / TWO_TO_32), true);
  view.setUint32(offset + kevent.udata, event.udataLow, true);
  view.setUint32(offset + kevent.udata + 4, event.udataHigh, true);
}

/** ident of the struct kevent at an index, which is a descriptor or a number of our own. */
export function keventIdent(layout: KeventLayout, view: DataView, index: number): number {
  const { size, ident } = shape(layout);
  return view.getUint32(index * size + ident, true);
}

/** filter of the struct kevent at an index: EVFILT_READ and its like, which are negative. */
export function keventFilter(layout: KeventLayout, view: DataView, index: number): number {
  const { size, filter } = shape(layout);
  return view.getInt16(index * size + filter, true);
}

/** flags of the struct kevent at an index: EV_EOF, EV_ERROR. */
export function keventFlags(layout: KeventLayout, view: DataView, index: number): number {
  const { size, flags } = shape(layout);
  return view.getUint16(index * size + flags, true);
}

/** fflags of the struct kevent at an index: with EV_EOF on a socket, its error. */
export function keventFilterFlags(layout: KeventLayout, view: DataView, index: number): number {
  const { size, fflags } = shape(layout);
  return view.getUint32(index * size + fflags, true);
}

/** data of the struct kevent at an index: bytes to read, or with EV_ERROR an errno. */
export function keventData(layout: KeventLayout, view: DataView, index: number): number {
  const { size, data } = shape(layout);
  const offset = index * size + data;
  return view.getInt32(offset + 4, true) * TWO_TO_32 + view.getUint32(offset, true);
}

/** The lower half of udata of the struct kevent at an index. */
export function keventUdataLow(layout: KeventLayout, view: DataView, index: number): number {
  const { size, udata } = shape(layout);
  return view.getUint32(index * size + udata, true);
}

/** The upper half of udata of the struct kevent at an index. */
export function keventUdataHigh(layout: KeventLayout, view: DataView, index: number): number {
  const { size, udata } = shape(layout);
  return view.getUint32(index * size + udata + 4, true);
}

function shape(layout: KeventLayout): NonNullable<Layout["kevent"]> {
  if (layout.kevent === null) throw new Deno.errors.NotSupported("This system has no kqueue(2)");
  return layout.kevent;
}
