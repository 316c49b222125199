/**
 * How the examples end: at the first Ctrl-C in an orderly way, at the second one at once.
 *
 * @module
 */

/** Ctrl-C, the signal of `kill` and of systemd, and that of a terminal that is closed. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Calls `stop` at the first of these signals. They have their usual effect afterwards, and after the result is disposed
 * of: they end the process. Until then, the process does not end by itself.
 */
export function onStop(stop: () => void): Disposable {
  function release(): void {
    for (const signal of SIGNALS) Deno.removeSignalListener(signal, first);
  }
  function first(): void {
    release();
    stop();
  }
  for (const signal of SIGNALS) Deno.addSignalListener(signal, first);
  return { [Symbol.dispose]: release };
}
