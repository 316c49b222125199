import { quote } from "./quote.ts";
const DEFAULT_BACKLOG = 511;

/** How many connections may wait to be accepted. The kernel clamps it further: net.core.somaxconn. */
export function backlogOf(name: string, backlog: number | undefined): number {
  if (backlog === undefined) return DEFAULT_BACKLOG;
  if (typeof backlog !== "number" || !Number.isInteger(backlog)) {
    throw new TypeError(`Invalid ${name}: ${quote(backlog)}, expected a whole number`);
  }
  if (backlog < 0) throw new RangeError(`Invalid ${name}: ${backlog}, expected 0 or more`);
  return Math.min(backlog, 0x7fff_ffff);
}
