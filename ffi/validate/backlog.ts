import { quote } from "./quote.ts";
const DEFAULT_BACKLOG = 511;

/** Checks a backlog, the number of connections that may wait to be accepted, and returns it or the default of 511. The
 * kernel limits it to net.core.somaxconn. */
export function backlogOf(name: string, backlog: number | undefined): number {
  if (backlog === undefined) return DEFAULT_BACKLOG;
  if (typeof backlog !== "number" || !Number.isInteger(backlog)) {
    throw new TypeError(`Invalid ${name}: ${quote(backlog)}, expected a whole number`);
  }
  if (backlog < 0) throw new RangeError(`Invalid ${name}: ${backlog}, expected 0 or more`);
  // FFI refuses -0 as an integer, and adding 0 makes it one.
  return Math.min(backlog, 0x7fff_ffff) + 0;
}
