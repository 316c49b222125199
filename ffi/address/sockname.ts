import { libc } from "../libc/libc.ts";
import { systemError, unwrap } from "../libc/socket_error.ts";
import { SOCKADDR_STORAGE_SIZE } from "../struct/sockaddr.ts";

/** The buffer of getsockname(2) and getpeername(2). One serves all sockets of a thread: allocating it takes longer than
 * the call. */
class Name {
  readonly bytes = new Uint8Array(SOCKADDR_STORAGE_SIZE);
  readonly length = new Uint32Array(1);

  /** The bytes written, valid until the next call. */
  get sockaddr(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(0, Math.min(this.length[0]!, this.bytes.length));
  }

  renew(): void {
    this.length[0] = this.bytes.length;
  }
}

let scratch: Name | undefined;

function freshName(): Name {
  scratch ??= new Name();
  scratch.renew();
  return scratch;
}

/** The address a socket is bound to, as the bytes of a sockaddr: getsockname(2). They are valid until the next call. */
export function socketName(fd: number): Uint8Array<ArrayBuffer> {
  const name = freshName();
  unwrap(libc().c.getsockname(fd, name.bytes, name.length), "getsockname");
  return name.sockaddr;
}

/** The address a socket is connected to, null where it is not: getpeername(2). Valid until the next call. */
export function peerName(fd: number): Uint8Array<ArrayBuffer> | null {
  const { c, errno, system } = libc();
  const name = freshName();
  if (c.getpeername(fd, name.bytes, name.length) !== -1) return name.sockaddr;
  const code = errno();
  // BSD returns EINVAL for a connection that has been shut down.
  if (code === system.errors.ENOTCONN || code === system.errors.EINVAL) return null;
  throw systemError(code, "getpeername");
}
