import { asSocketError, type SocketError } from "../libc/socket_error.ts";
import { quote } from "../validate/quote.ts";

/** When something has to be over: a Date, milliseconds from now, or null for never.
 *
 * @example
 * ```ts
 * import { type Deadline, listenDatagram } from "@berkeley/sockets";
 *
 * const soon: Deadline = 10; // milliseconds from now
 * using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
 * udp.setReadDeadline(soon);
 * console.log((await udp.receive().catch((error) => error)).timeout); // true
 * ```
 */
export type Deadline = Date | number | null;

/** Read and write deadlines, as Go's net.Conn has them. When one expires, waiting operations reject with
 * Deno.errors.TimedOut whose `timeout` is true; no data is lost and the socket stays usable.
 *
 * @example
 * ```ts
 * import { listenDatagram } from "@berkeley/sockets";
 *
 * using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
 * udp.setReadDeadline(10); // milliseconds from now
 * const error = await udp.receive().catch((error) => error);
 * console.log(error.name, error.timeout); // TimedOut true
 * udp.setReadDeadline(null);
 * ```
 */
export interface Deadlines {
  /** Sets both deadlines: a Date, milliseconds from now, or null for none. With one that has passed, waiting and later
   * operations reject at once.
   *
   * @throws {TypeError} for anything but a valid Date, a number or null
   */
  setDeadline(deadline: Deadline): void;
  /** Sets the deadline of reading, receiving and accepting: a Date, milliseconds from now, or null for none.
   *
   * @throws {TypeError} for anything but a valid Date, a number or null
   */
  setReadDeadline(deadline: Deadline): void;
  /** Sets the deadline of writing and sending: a Date, milliseconds from now, or null for none.
   *
   * @throws {TypeError} for anything but a valid Date, a number or null
   */
  setWriteDeadline(deadline: Deadline): void;
}

/** A deadline in milliseconds since the epoch, Infinity for none. */
export function deadlineTime(deadline: Deadline): number {
  if (deadline === null) return Infinity;
  const time = typeof deadline === "number" ? Date.now() + deadline : timeOf(deadline);
  if (!Number.isNaN(time)) return time;
  throw new TypeError(`Invalid deadline: ${quote(deadline)}, expected a Date, milliseconds from now or null`);
}

const getTime = Date.prototype.getTime;

/** The time of a Date, also of another realm, by the intrinsic getter; NaN for anything else. */
function timeOf(deadline: Date): number {
  try {
    return getTime.call(deadline);
  } catch {
    return NaN;
  }
}

/** The error of an expired deadline, with the address that the operation was about where there is one. */
export function deadlineExceeded(syscall: string, address?: string): SocketError {
  const subject = address === undefined ? syscall : `${syscall} ${address}`;
  const error = new Deno.errors.TimedOut(`${subject}: deadline exceeded`);
  return asSocketError(error, { code: "ETIMEDOUT", errno: 0, syscall, timeout: true, address });
}
