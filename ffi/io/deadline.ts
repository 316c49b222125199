import { asSocketError, type SocketError } from "../libc/socket_error.ts";
import { quote } from "../validate/quote.ts";

/** Absolute read and write deadlines, as Go's net.Conn has them. What waits beyond rejects with Deno.errors.TimedOut
 * whose `timeout` is true; nothing is lost and the socket stays usable.
 *
 * @example
 * ```ts
 * import { listenDatagram } from "@berkeley/sockets";
 *
 * using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
 * udp.setReadDeadline(new Date(Date.now() + 10));
 * const error = await udp.receive().catch((error) => error);
 * console.log(error.name, error.timeout); // TimedOut true
 * udp.setReadDeadline(null);
 * ```
 */
export interface Deadlines {
  /** Sets both deadlines. A past Date fails at once what waits and what comes, `null` clears.
   *
   * @throws {TypeError} for anything but a valid Date or null
   */
  setDeadline(deadline: Date | null): void;
  /** Sets the deadline of what receives, reads or accepts.
   *
   * @throws {TypeError} for anything but a valid Date or null
   */
  setReadDeadline(deadline: Date | null): void;
  /** Sets the deadline of what sends or writes.
   *
   * @throws {TypeError} for anything but a valid Date or null
   */
  setWriteDeadline(deadline: Date | null): void;
}

/** A deadline in milliseconds since the epoch, Infinity for none. */
export function deadlineTime(deadline: Date | null): number {
  if (deadline === null) return Infinity;
  const time = deadline instanceof Date ? deadline.getTime() : NaN;
  if (Number.isNaN(time)) throw new TypeError(`Invalid deadline: ${quote(deadline)}, expected a Date or null`);
  return time;
}

/** The error of an expired deadline. */
export function deadlineExceeded(syscall: string): SocketError {
  const error = new Deno.errors.TimedOut(`${syscall}: deadline exceeded`);
  return asSocketError(error, { code: "ETIMEDOUT", errno: 0, syscall, timeout: true });
}
