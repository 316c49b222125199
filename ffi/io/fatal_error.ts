import { isSocketError, systemError } from "../libc/socket_error.ts";
import type { Descriptor } from "./descriptor.ts";

/** What ends a connection for good. */
const FATAL: readonly string[] = ["ECONNRESET", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH"];

/** Makes a call on a connection. The system tells once of what ended it, to whichever call comes next, and speaks of
 * the end from then on: it is noted down, so that a failure is never read as the end. */
export function noting<T>(descriptor: Descriptor, call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (isSocketError(error) && FATAL.includes(error.code)) descriptor.failure = error.errno;
    throw error;
  }
}

/** The end of a connection, unless it was a failure, which is thrown. */
export function endOf({ failure }: Descriptor): null {
  if (failure !== 0) throw systemError(failure, "recvmsg");
  return null;
}
