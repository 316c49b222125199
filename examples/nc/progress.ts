/**
 * A line on standard error with the bytes moved and their rate, while they are moved. Only a terminal gets it.
 *
 * @module
 */
import type { Counters } from "./relay.ts";

const INTERVAL = 200;
const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** "12.3 MiB". */
export function size(bytes: number): string {
  let unit = 0;
  for (; bytes >= 1000 && unit < UNITS.length - 1; unit++) bytes /= 1024;
  return `${bytes.toFixed(unit === 0 ? 0 : 1)} ${UNITS[unit]}`;
}

/** Shows the counters until it is disposed of. Without a terminal it shows nothing. */
export function showProgress(counters: Counters): Disposable {
  if (!Deno.stderr.isTerminal()) return { [Symbol.dispose]: () => {} };
  const started = performance.now();
  let [before, at] = [0, started];
  const draw = (end: string) => {
    const now = performance.now();
    const total = counters.sent + counters.received;
    const rate = (total - before) / Math.max(now - at, 1) * 1000;
    const seconds = ((now - started) / 1000).toFixed(1);
    [before, at] = [total, now];
    const line = `sent ${size(counters.sent)}, received ${size(counters.received)}, ${size(rate)}/s, ${seconds} s`;
    Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${line}${end}`));
  };
  const timer = setInterval(draw, INTERVAL, "");
  return {
    [Symbol.dispose]: () => {
      clearInterval(timer);
      [before, at] = [0, started];
      draw("\n");
    },
  };
}
