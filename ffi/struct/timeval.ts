/** struct timeval and struct timespec, decoded to milliseconds with a fraction: timeval(3type), timespec(3type). */

import type { Layout } from "../libc/system.ts";
import { structView } from "./view.ts";

/** sizeof(struct timespec). */
export const TIMESPEC_SIZE = 16;

/** Decodes a struct timeval, such as SO_TIMESTAMP's, to milliseconds. */
export function decodeTimeval(layout: Pick<Layout, "timeval">, bytes: Uint8Array): number {
  const view = structView("struct timeval", bytes, layout.timeval.size);
  return seconds(view) * 1e3 + fraction(view, layout.timeval.usec) / 1e3;
}

/** Decodes a struct timespec, such as SO_TIMESTAMPNS's, to milliseconds. */
export function decodeTimespec(bytes: Uint8Array): number {
  const view = structView("struct timespec", bytes, TIMESPEC_SIZE);
  return seconds(view) * 1e3 + fraction(view, 8) / 1e6;
}

function seconds(view: DataView): number {
  return view.getInt32(4, true) * 0x1_0000_0000 + view.getUint32(0, true);
}

/** tv_usec or tv_nsec. Both are below 10^9, so the lower four bytes are enough whatever the member's width. */
function fraction(view: DataView, offset: number): number {
  return view.getUint32(offset, true);
}
