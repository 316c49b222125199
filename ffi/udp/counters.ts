import { libc } from "../libc/libc.ts";
import { unwrap } from "../libc/socket_error.ts";
import { readOption } from "../option/option.ts";

/** Index of SK_MEMINFO_DROPS in what SO_MEMINFO returns, <linux/sock_diag.h>. */
const DROPS = 8;
/** Room for more numbers than there are. */
const ROOM = 64;

function notSupported(what: string): Error {
  return new Deno.errors.NotSupported(`${libc().system.name} has no ${what}`);
}

/** The number of datagrams that the kernel has dropped for a socket: SO_MEMINFO. */
export function dropsOf(fd: number): number {
  const { SOL_SOCKET, SO_MEMINFO } = libc().system.constants;
  if (SO_MEMINFO === 0) throw notSupported("option SO_MEMINFO");
  const { buffer, length } = readOption(fd, SOL_SOCKET, SO_MEMINFO, ROOM, "SO_MEMINFO");
  // Not every kernel returns so many numbers: qemu-user returns one.
  if (length < DROPS * 4 + 4) throw notSupported("count of drops in SO_MEMINFO");
  return new DataView(buffer).getUint32(DROPS * 4, true);
}

function request(fd: number, number: number, name: string): number {
  if (number === 0) throw notSupported(name);
  const value = new Int32Array(1);
  unwrap(libc().c.ioctl(fd, BigInt(number), value), "ioctl", name);
  return value[0]!;
}

/** The bytes that wait to be received, and to leave. */
export function queuedIn(fd: number): { receive: number; send: number } {
  const { SIOCINQ, SIOCOUTQ } = libc().system.constants;
  return { receive: request(fd, SIOCINQ, "SIOCINQ"), send: request(fd, SIOCOUTQ, "SIOCOUTQ") };
}
