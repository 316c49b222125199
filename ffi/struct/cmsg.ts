/** Control messages, the ancillary data of sendmsg(2) and recvmsg(2): cmsg(3), struct cmsghdr of <sys/socket.h>. */

import type { Layout } from "../libc/system.ts";

/** The part of a system's layout that control messages depend on. */
export type CmsghdrLayout = Pick<Layout, "cmsghdr">;

/** CMSG_ALIGN. */
export function controlAlign(layout: CmsghdrLayout, length: number): number {
  const { align } = layout.cmsghdr;
  return Math.ceil(length / align) * align;
}

/** CMSG_SPACE: the bytes that a control message with `dataLength` bytes of data occupies in a buffer. */
export function controlSpace(layout: CmsghdrLayout, dataLength: number): number {
  return controlAlign(layout, layout.cmsghdr.size) + controlAlign(layout, dataLength);
}

/** CMSG_LEN: the value of cmsg_len for a control message with `dataLength` bytes of data. */
export function controlMessageLength(layout: CmsghdrLayout, dataLength: number): number {
  return controlAlign(layout, layout.cmsghdr.size) + dataLength;
}

/** Writes one control message with its padding and returns the offset of the next one. After the last message that
 * offset is msg_controllen. */
export function writeControlMessage(
  layout: CmsghdrLayout,
  target: Uint8Array,
  offset: number,
  level: number,
  type: number,
  data: Uint8Array,
): number {
  const { cmsghdr } = layout;
  const next = offset + controlSpace(layout, data.length);
  if (offset < 0 || next > target.length) {
    throw new RangeError(`A control message of ${data.length} bytes does not fit ${target.length} bytes at ${offset}`);
  }
  const start = offset + controlAlign(layout, cmsghdr.size);
  const view = new DataView(target.buffer, target.byteOffset, target.byteLength);
  target.fill(0, offset, next);
  // Where cmsg_len has eight bytes, the upper four stay zero.
  view.setUint32(offset, controlMessageLength(layout, data.length), true);
  view.setInt32(offset + cmsghdr.level, level, true);
  view.setInt32(offset + cmsghdr.type, type, true);
  target.set(data, start);
  return next;
}

/**
 * Iterates over the control messages of a buffer as CMSG_FIRSTHDR and CMSG_NXTHDR do. It allocates nothing: one cursor
 * is reused for every message received into its buffer. Iteration stops at a header whose cmsg_len is shorter than a
 * header or longer than the rest of the buffer.
 */
export class ControlCursor {
  /** cmsg_level of the current message. */
  level = 0;
  /** cmsg_type of the current message. */
  type = 0;
  /** Offset in `source` of the first byte of data. */
  start = 0;
  /** Offset in `source` behind the last byte of data. */
  end = 0;
  readonly source: Uint8Array;
  readonly view: DataView;
  readonly #size: number;
  readonly #wide: boolean;
  readonly #level: number;
  readonly #type: number;
  readonly #align: number;
  /** CMSG_ALIGN(sizeof(struct cmsghdr)): the distance from a header to its data. */
  readonly #header: number;
  #next = 0;
  #stop = 0;

  constructor(layout: CmsghdrLayout, source: Uint8Array) {
    this.source = source;
    this.view = new DataView(source.buffer, source.byteOffset, source.byteLength);
    this.#size = layout.cmsghdr.size;
    this.#wide = layout.cmsghdr.lenSize === 8;
    this.#level = layout.cmsghdr.level;
    this.#type = layout.cmsghdr.type;
    this.#align = layout.cmsghdr.align;
    this.#header = controlAlign(layout, this.#size);
  }

  /** Positions the cursor before the first message of the `length` bytes (msg_controllen) at `offset`. */
  begin(offset: number, length: number): void {
    this.#next = offset;
    this.#stop = Math.min(offset + length, this.source.length);
  }

  /** Advances to the next message. Returns false at the end. */
  next(): boolean {
    const at = this.#next;
    if (this.#stop - at < this.#header) return false;
    const length = this.view.getUint32(at, true);
    const excess = this.#wide ? this.view.getUint32(at + 4, true) : 0;
    if (excess !== 0 || length < this.#header || length > this.#stop - at) return false;
    this.level = this.view.getInt32(at + this.#level, true);
    this.type = this.view.getInt32(at + this.#type, true);
    this.start = at + this.#header;
    this.end = at + length;
    this.#next = at + Math.ceil(length / this.#align) * this.#align;
    return true;
  }

  /** A view of the data of the current message. */
  get data(): Uint8Array {
    return this.source.subarray(this.start, this.end);
  }
}
