/** Control messages, the ancillary data of sendmsg(2) and recvmsg(2): cmsg(3), struct cmsghdr of <sys/socket.h>. */

import type { Layout } from "../libc/system.ts";

/** The part of a system's layout that control messages depend on. */
export type CmsghdrLayout = Pick<Layout, "cmsghdr">;

/** One control message; `data` is a view of the buffer it was read from. */
export type ControlMessage = {
  level: number;
  type: number;
  data: Uint8Array;
};

/** CMSG_ALIGN. */
export function controlAlign(layout: CmsghdrLayout, length: number): number {
  const { align } = layout.cmsghdr;
  return Math.ceil(length / align) * align;
}

/** CMSG_SPACE: what a message of so much data takes of a buffer. */
export function controlSpace(layout: CmsghdrLayout, dataLength: number): number {
  return controlAlign(layout, layout.cmsghdr.size) + controlAlign(layout, dataLength);
}

/** CMSG_LEN: what cmsg_len says of a message of so much data. */
export function controlMessageLength(layout: CmsghdrLayout, dataLength: number): number {
  return controlAlign(layout, layout.cmsghdr.size) + dataLength;
}

/** Writes one control message, padding too, and returns where the next one goes: msg_controllen, after the last. */
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
  // The upper half of a length of eight bytes stays zero.
  view.setUint32(offset, controlMessageLength(layout, data.length), true);
  view.setInt32(offset + cmsghdr.level, level, true);
  view.setInt32(offset + cmsghdr.type, type, true);
  target.set(data, start);
  return next;
}

/**
 * Walks the control messages of a buffer as CMSG_FIRSTHDR and CMSG_NXTHDR do, making nothing on the way: one cursor
 * serves every message received into its buffer. It ends at a header that claims less than itself, or more than there
 * is.
 */
export class ControlCursor {
  /** cmsg_level of the message it stands on. */
  level = 0;
  /** cmsg_type of the message it stands on. */
  type = 0;
  /** Where in the source its data begins. */
  start = 0;
  /** Where in the source its data ends. */
  end = 0;
  readonly source: Uint8Array;
  readonly view: DataView;
  readonly #size: number;
  readonly #wide: boolean;
  readonly #level: number;
  readonly #type: number;
  readonly #align: number;
  /** CMSG_ALIGN(sizeof(struct cmsghdr)): from a header to its data. */
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

  /** Goes before the first message of the `length` bytes at `offset`, msg_controllen bytes at msg_control. */
  begin(offset: number, length: number): void {
    this.#next = offset;
    this.#stop = Math.min(offset + length, this.source.length);
  }

  /** Steps to the next message; false where there is none. */
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

  /** The data of the message it stands on, as a view. */
  get data(): Uint8Array {
    return this.source.subarray(this.start, this.end);
  }
}

/** The control messages in the first `length` bytes of a buffer; ends at a malformed header, as the cursor does. */
export function* readControlMessages(
  layout: CmsghdrLayout,
  source: Uint8Array,
  length: number,
): Generator<ControlMessage, void, undefined> {
  const cursor = new ControlCursor(layout, source);
  cursor.begin(0, length);
  while (cursor.next()) yield { level: cursor.level, type: cursor.type, data: cursor.data };
}
