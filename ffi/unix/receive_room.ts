import { libc } from "../libc/libc.ts";
import { optionNumber } from "../option/option.ts";
import type { Descriptor } from "../io/descriptor.ts";

/** Bytes of SO_RCVBUF, above Linux's default of 212,992. */
const ROOM = 262_144;

/** Whether a datagram that found no room in its receiver's buffer (ENOBUFS) may do so later: one that is longer than the
 * buffers of this module would wait for ever. */
export function mayFitLater(length: number): boolean {
  return length <= ROOM;
}

/** Makes room for long datagrams where SO_RCVBUF is 4,096 bytes by default: a longer datagram finds no room in it, and its
 * sender waits for ever. The system may refuse so much; then the default stays. */
export function makeReceiveRoom({ fd }: Descriptor): void {
  const { c, system } = libc();
  if (!system.smallDatagramBuffers) return;
  const { level, name } = optionNumber("SO_RCVBUF");
  c.setsockopt(fd, level, name, new Uint8Array(Int32Array.of(ROOM).buffer), 4);
}
