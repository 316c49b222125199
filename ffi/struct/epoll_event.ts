/** struct epoll_event: epoll_ctl(2), epoll_wait(2), <sys/epoll.h>. The 64 bits of `data` are read and written as two
 * numbers of 32 bits. */

import type { Layout } from "../libc/system.ts";

/** The part of a system's layout that epoll events depend on. */
export type EpollEventLayout = Pick<Layout, "epoll_event">;

/** Writes the struct epoll_event at `index`. */
export function writeEpollEvent(
  layout: EpollEventLayout,
  view: DataView,
  index: number,
  events: number,
  dataLow: number,
  dataHigh: number,
): void {
  const { size, data } = structLayout(layout);
  const offset = index * size;
  view.setUint32(offset, events, true);
  if (data === 8) view.setUint32(offset + 4, 0, true);
  view.setUint32(offset + data, dataLow, true);
  view.setUint32(offset + data + 4, dataHigh, true);
}

/** `events` of the struct epoll_event at `index`. */
export function epollEvents(layout: EpollEventLayout, view: DataView, index: number): number {
  return view.getUint32(index * structLayout(layout).size, true);
}

/** The lower 32 bits of `data` of the struct epoll_event at `index`. */
export function epollDataLow(layout: EpollEventLayout, view: DataView, index: number): number {
  const { size, data } = structLayout(layout);
  return view.getUint32(index * size + data, true);
}

/** The upper 32 bits of `data` of the struct epoll_event at `index`. */
export function epollDataHigh(layout: EpollEventLayout, view: DataView, index: number): number {
  const { size, data } = structLayout(layout);
  return view.getUint32(index * size + data + 4, true);
}

function structLayout(layout: EpollEventLayout): NonNullable<Layout["epoll_event"]> {
  if (layout.epoll_event === null) throw new Deno.errors.NotSupported("This system has no epoll(7)");
  return layout.epoll_event;
}
