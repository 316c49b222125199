/** struct timeval and struct timespec, as milliseconds with a fraction: timeval(3type), timespec(3type). */

import type { Layout } from "../libc/system.ts";

/** sizeof(struct timespec). */
export const TIMESPEC_SIZE = 16;

/** A struct timeval, such as SO_TIMESTAMP's. */
export function decodeTimeval(layout: Pick<Layout, "timeval">, bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return seconds(view) * 1e3 + fraction(view, layout.timeval.usec) / 1e3;
}

/** A struct timespec, such as SO_TIMESTAMPNS's. */
export function decodeTimespec(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return seconds(view) * 1e3 + fraction(view, 8) / 1e6;
}

function seconds(view: DataView): number {
  return view.getInt32(4, true) * 0x1_0000_0000 + view.getUint32(0, true);
}

/** Less than a thousand million always, so that four bytes of it do, however wide the member is. */
function fraction(view: DataView, offset: number): number {
  return view.getUint32(offset, true);
}
