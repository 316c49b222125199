/** struct linger, the value of SO_LINGER: socket(7), <sys/socket.h>. */

import { structView } from "./view.ts";

/** sizeof(struct linger). */
export const LINGER_SIZE = 8;

/** Encodes a struct linger. `null` seconds switch lingering off, 0 resets the connection on close. */
export function encodeLinger(seconds: number | null): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(LINGER_SIZE);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, seconds === null ? 0 : 1, true);
  view.setInt32(4, seconds ?? 0, true);
  return bytes;
}

/** l_linger in seconds, or null where l_onoff is 0. */
export function decodeLinger(bytes: Uint8Array): number | null {
  const view = structView("struct linger", bytes, LINGER_SIZE);
  const seconds = view.getInt32(4, true);
  return view.getInt32(0, true) === 0 ? null : seconds;
}
