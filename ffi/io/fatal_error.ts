import { isSocketError, systemError } from "../libc/socket_error.ts";
import type { Descriptor } from "./descriptor.ts";

/** Errors after which a connection goes on: they say something of the call, of this process or of the write side.
 * Whatever else a call on a connection fails with has ended it. */
const NOT_FATAL: ReadonlySet<string> = new Set([
  ..."EACCES EADDRNOTAVAIL EAFNOSUPPORT EAGAIN EALREADY EBADF EDESTADDRREQ EFAULT EINPROGRESS EINTR EINVAL".split(" "),
  ..."EISCONN EMFILE EMSGSIZE ENFILE ENOBUFS ENOMEM ENOPROTOOPT ENOTCONN ENOTSOCK EOPNOTSUPP EPERM".split(" "),
  // The peer reads no more, or this side has shut its writing down: what was received can still be read.
  "EPIPE",
  "ETOOMANYREFS",
]);

/** Notes an error that a call on a connection failed with, and returns it. The system reports once what ended a
 * connection, to whichever call comes next, and reports the end from then on: it is kept, so that a failure is never
 * read as the end. */
export function recordFatal(descriptor: Descriptor, error: unknown): unknown {
  if (isSocketError(error) && error.errno !== 0 && !NOT_FATAL.has(error.code)) descriptor.failure = error.errno;
  return error;
}

/** Notes what SO_ERROR said, which the system says once. */
export function recordPending(descriptor: Descriptor, errno: number): void {
  if (errno !== 0) recordFatal(descriptor, systemError(errno, "getsockopt"));
}

/** What to throw when a read finds the end of a connection that has failed; null where it has ended. */
export function eofError({ failure }: Descriptor, syscall: string): Error | null {
  return failure === 0 ? null : systemError(failure, syscall);
}
