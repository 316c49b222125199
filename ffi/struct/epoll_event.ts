/** struct epoll_event: epoll_ctl(2), epoll_wait(2), <sys/epoll.h>. Its data of 64 bits is two numbers of 32 here. */

import type { Layout } from "../libc/system.ts";

/** The part of a system's layout that epoll events depend on. */
export type EpollEventLayout = Pick<Layout, "epoll_event">;

/** Writes the struct epoll_event at an index. */
export function writeEpollEvent(
  layout: EpollEventLayout,
  view: DataView,
  index: number,
  events: number,
  dataLow: number,
  dataHigh: number,
): void {
  const { size, data } = shape(layout);
  const offset = index * size;
  view.setUint32(offset, events, true);
  if (data === 8) view.setUint32(offset + 4, 0, true);
  view.setUint32(offset + data, dataLow, true);
  view.setUint32(offset + data + 4, dataHigh, true);
}

/** The events of the struct epoll_event at an index. */
export function epollEvents(layout: EpollEventLayout, view: DataView, index: number): number {
  return view.getUint32(index * shape(layout).size, true);
}

/** The lower half of the data of the struct epoll_event at an index. */
export function epollDataLow(layout: EpollEventLayout, view: DataView, index: number): number {
  const { size, data } = shape(layout);
  return view.getUint32(index * size + data, true);
}

/** The upper half of the data of the struct epoll_event at an index. */
export function epollDataHigh(layout: EpollEventLayout, view: DataView, index: number): number {
  const { size, data } = shape(layout);
  return view.getUint32(index * size + data + 4, true);
}

function shape(layout: EpollEventLayout): NonNullable<Layout["epoll_event"]> {
  if (layout.epoll_event === null) throw new Deno.errors.NotSupported("This system has no epoll(7)");
  return layout.epoll_event;
}
