/** struct kevent: kqueue(2), <sys/event.h>. `udata` is read and written as two numbers of 32 bits; it never holds a
 * pointer. */

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

/** Writes the struct kevent at `index`. The members that only FreeBSD has (`ext`) are zeroed. */
export function writeKevent(layout: KeventLayout, view: DataView, index: number, event: Kevent): void {
  const kevent = structLayout(layout);
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

/** `filter` of the struct kevent at `index`: EVFILT_READ or another, all of them negative. */
export function keventFilter(layout: KeventLayout, view: DataView, index: number): number {
  const { size, filter } = structLayout(layout);
  return view.getInt16(index * size + filter, true);
}

/** `flags` of the struct kevent at `index`: EV_EOF, EV_ERROR. */
export function keventFlags(layout: KeventLayout, view: DataView, index: number): number {
  const { size, flags } = structLayout(layout);
  return view.getUint16(index * size + flags, true);
}

/** The lower 32 bits of `udata` of the struct kevent at `index`. */
export function keventUdataLow(layout: KeventLayout, view: DataView, index: number): number {
  const { size, udata } = structLayout(layout);
  return view.getUint32(index * size + udata, true);
}

/** The upper 32 bits of `udata` of the struct kevent at `index`. */
export function keventUdataHigh(layout: KeventLayout, view: DataView, index: number): number {
  const { size, udata } = structLayout(layout);
  return view.getUint32(index * size + udata + 4, true);
}

function structLayout(layout: KeventLayout): NonNullable<Layout["kevent"]> {
  if (layout.kevent === null) throw new Deno.errors.NotSupported("This system has no kqueue(2)");
  return layout.kevent;
}
