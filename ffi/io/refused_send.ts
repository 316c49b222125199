import { peerName } from "../address/sockname.ts";
import { libc } from "../libc/libc.ts";
import { optionNumber, readOption } from "../option/option.ts";

/** After a send that failed with EMSGSIZE: makes room for a datagram of that length where SO_SNDBUF is small by default,
 * and returns whether there is room now that was not there before. */
export function mayBeLonger(fd: number, errno: number, length: number): boolean {
  const { c, system } = libc();
  if (errno !== system.errors.EMSGSIZE || !system.smallDatagramBuffers) return false;
  if (length > 0x7fff_ffff || sendBuffer(fd) >= length) return false;
  const { level, name } = optionNumber("SO_SNDBUF");
  c.setsockopt(fd, level, name, new Uint8Array(Int32Array.of(length).buffer), 4);
  // The system may have refused so much, or given less.
  return sendBuffer(fd) >= length;
}

function sendBuffer(fd: number): number {
  const { level, name } = optionNumber("SO_SNDBUF");
  return new DataView(readOption(fd, level, name, 4, "SO_SNDBUF").buffer).getInt32(0, true);
}

/** After a send with an address that failed with EISCONN: whether that address is the connected peer's, so that it can
 * be left out. Linux takes any address. */
export function isForPeer(fd: number, errno: number, destination: Uint8Array | null): boolean {
  if (errno !== libc().system.errors.EISCONN || destination === null) return false;
  const peer = peerName(fd);
  if (peer === null) return false;
  const length = Math.max(peer.length, destination.length);
  // The first byte may be the length, and the kernel's own address is sometimes longer by zeros.
  const from = libc().system.layout.sockaddrHasLength ? 1 : 0;
  for (let at = from; at < length; at++) if ((peer[at] ?? 0) !== (destination[at] ?? 0)) return false;
  return true;
}
