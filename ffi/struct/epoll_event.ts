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

/** An array of struct epoll_event as epoll_wait(2) fills it, read as 32-bit words. Every system Deno runs on is
 * little-endian. */
export class EpollEvents {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** sizeof(struct epoll_event). */
  readonly size: number;
  readonly #words: Uint32Array<ArrayBuffer>;
  /** Words of one event, and words before its data. */
  readonly #stride: number;
  readonly #data: number;

  constructor(layout: EpollEventLayout, capacity: number) {
    const { size, data } = structLayout(layout);
    this.size = size;
    this.bytes = new Uint8Array(size * capacity);
    this.#words = new Uint32Array(this.bytes.buffer);
    this.#stride = size / 4;
    this.#data = data / 4;
  }

  /** `events` of the event at `index`. */
  events(index: number): number {
    return this.#words[index * this.#stride]!;
  }

  /** The lower 32 bits of `data` of the event at `index`. */
  dataLow(index: number): number {
    return this.#words[index * this.#stride + this.#data]!;
  }

  /** The upper 32 bits of `data` of the event at `index`. */
  dataHigh(index: number): number {
    return this.#words[index * this.#stride + this.#data + 1]!;
  }
}

function structLayout(layout: EpollEventLayout): NonNullable<Layout["epoll_event"]> {
  if (layout.epoll_event === null) throw new Deno.errors.NotSupported("This system has no epoll(7)");
  return layout.epoll_event;
}
