import { setOptions, type SocketOption } from "../option/option.ts";
import { sockopt } from "../option/sockopt.ts";
import { copyOptions, optionsShape } from "../validate/options.ts";
import { quote } from "../validate/quote.ts";

/** Settings of keep-alive probes. Members that are left out keep the system's values. See tcp(7).
 *
 * @example
 * ```ts
 * import { connect, listen } from "@berkeley/sockets";
 *
 * using listener = listen({ hostname: "127.0.0.1", port: 0 });
 * using conn = await connect({ port: listener.addr.port, keepAlive: { idle: 30, interval: 5, count: 3 } });
 * conn.setKeepAlive(false);
 * ```
 */
export interface KeepAlive {
  /** Idle time before the first probe, in seconds, from 1 to 32,767: TCP_KEEPIDLE. */
  idle?: number;
  /** Time between two probes, in seconds, from 1 to 32,767: TCP_KEEPINTVL. */
  interval?: number;
  /** Number of unanswered probes after which the connection is dropped, from 1 to 127: TCP_KEEPCNT. */
  count?: number;
}

const KEEP_ALIVE = optionsShape<KeepAlive>(
  "keep-alive settings",
  "a boolean or { idle, interval, count }",
  { idle: "any", interval: "any", count: "any" },
  "keepAlive",
);

/** Copies and checks keep-alive settings, before any of them is set.
 *
 * @throws {TypeError} for a value that is neither a boolean nor an object of whole numbers
 * @throws {RangeError} for a number outside its range
 */
export function copyKeepAlive(given: boolean | KeepAlive): boolean | KeepAlive {
  if (typeof given === "boolean") return given;
  const copy = copyOptions(given, KEEP_ALIVE);
  for (const [name, value] of Object.entries(copy)) {
    if (typeof value !== "number" || !Number.isInteger(value)) {
      throw new TypeError(`Invalid keepAlive.${name}: ${quote(value)}, expected a whole number`);
    }
    const most = MOST[name as keyof KeepAlive];
    if (value < 1 || value > most) throw new RangeError(`Invalid keepAlive.${name}: ${value}, expected 1 to ${most}`);
  }
  return copy;
}

/** The limits of Linux: MAX_TCP_KEEPIDLE, MAX_TCP_KEEPINTVL and MAX_TCP_KEEPCNT of its <net/tcp.h>. */
const MOST: Readonly<Record<keyof KeepAlive, number>> = { idle: 32_767, interval: 32_767, count: 127 };

/** Sets SO_KEEPALIVE, TCP_KEEPIDLE, TCP_KEEPINTVL and TCP_KEEPCNT: all of them, or none if one fails. */
export function setKeepAlive(fd: number, keepAlive: boolean | KeepAlive): void {
  const { idle, interval, count } = typeof keepAlive === "boolean" ? {} as KeepAlive : keepAlive;
  const settings: [SocketOption<unknown>, unknown][] = [[sockopt.SO_KEEPALIVE, keepAlive !== false]];
  if (idle !== undefined) settings.push([sockopt.TCP_KEEPIDLE, idle]);
  if (interval !== undefined) settings.push([sockopt.TCP_KEEPINTVL, interval]);
  if (count !== undefined) settings.push([sockopt.TCP_KEEPCNT, count]);
  setOptions(fd, settings);
}
