import { isSocketError, systemError } from "../libc/socket_error.ts";
import type { Descriptor } from "./descriptor.ts";

/** What ends a connection for good. */
const FATAL: readonly string[] = ["ECONNRESET", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH"];

/** Notes an error that a call on a connection failed with, and returns it. The system reports once what ended a
 * connection, to whichever call comes next, and reports the end from then on: it is kept, so that a failure is never
 * read as the end. */
export function recordFatal(descriptor: Descriptor, error: unknown): unknown {
  if (isSocketError(error) && FATAL.includes(error.code)) descriptor.failure = error.errno;
  return error;
}

/** What to throw when a read finds the end of a connection that has failed; null where it has ended. */
export function eofError({ failure }: Descriptor, syscall: string): Error | null {
  return failure === 0 ? null : systemError(failure, syscall);
}
