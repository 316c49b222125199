import { libc } from "../libc/libc.ts";
import { systemError, unwrap } from "../libc/system_error.ts";
import { SOCKADDR_STORAGE_SIZE } from "../memory/sockaddr.ts";

/** The address a socket is bound to, as the bytes of a sockaddr: getsockname(2). */
export function socketName(fd: number): Uint8Array<ArrayBuffer> {
  const name = new Uint8Array(SOCKADDR_STORAGE_SIZE);
  const length = Uint32Array.of(name.length);
  unwrap(libc().c.getsockname(fd, name, length), "getsockname");
  return name.subarray(0, Math.min(length[0]!, name.length));
}

/** The address a socket is connected to, null where it is not: getpeername(2). */
export function peerName(fd: number): Uint8Array<ArrayBuffer> | null {
  const { c, errno, system } = libc();
  const name = new Uint8Array(SOCKADDR_STORAGE_SIZE);
  const length = Uint32Array.of(name.length);
  if (c.getpeername(fd, name, length) === -1) {
    const { ENOTCONN, EINVAL } = system.errors;
    const code = errno();
    if (code === ENOTCONN || code === EINVAL) return null;
    throw systemError(code, "getpeername");
  }
  return name.subarray(0, Math.min(length[0]!, name.length));
}
