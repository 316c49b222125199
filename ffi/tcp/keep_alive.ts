import { setOptions, type SocketOption } from "../option/option.ts";
import { sockopt } from "../option/sockopt.ts";
import { copyOptions, optionsShape } from "../validate/options.ts";
import { quote } from "../validate/quote.ts";

/** How an idle connection is probed. What is left out stays the system's.
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
  /** Seconds of silence before the first probe, 1 to 32,767: TCP_KEEPIDLE. */
  idle?: number;
  /** Seconds between probes, 1 to 32,767: TCP_KEEPINTVL. */
  interval?: number;
  /** Probes without an answer before the connection is given up, 1 to 127: TCP_KEEPCNT. */
  count?: number;
}

const KEEP_ALIVE = optionsShape<KeepAlive>("keep-alive settings", "a boolean or { idle, interval, count }", {
  idle: "any",
  interval: "any",
  count: "any",
});

/** Copies what was asked for, and checks it: nothing is set before all of it is valid.
 *
 * @throws {TypeError} for anything but a boolean or whole numbers
 * @throws {RangeError} for a number below 1 or beyond what the system holds
 */
export function copyKeepAlive(given: boolean | KeepAlive): boolean | KeepAlive {
  if (typeof given === "boolean") return given;
  if (given === null || typeof given !== "object") {
    throw new TypeError(`Invalid keepAlive: ${quote(given)}, expected ${KEEP_ALIVE.expected}`);
  }
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

/** What Linux takes: MAX_TCP_KEEPIDLE, MAX_TCP_KEEPINTVL, MAX_TCP_KEEPCNT of its <net/tcp.h>. */
const MOST: Readonly<Record<keyof KeepAlive, number>> = { idle: 32_767, interval: 32_767, count: 127 };

/** Sets how a connection is probed, wholly or not at all: SO_KEEPALIVE, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT. */
export function setKeepAlive(fd: number, keepAlive: boolean | KeepAlive): void {
  const { idle, interval, count } = typeof keepAlive === "boolean" ? {} as KeepAlive : keepAlive;
  const settings: [SocketOption<unknown>, unknown][] = [[sockopt.SO_KEEPALIVE, keepAlive !== false]];
  if (idle !== undefined) settings.push([sockopt.TCP_KEEPIDLE, idle]);
  if (interval !== undefined) settings.push([sockopt.TCP_KEEPINTVL, interval]);
  if (count !== undefined) settings.push([sockopt.TCP_KEEPCNT, count]);
  setOptions(fd, settings);
}
