/**
 * Programs that have no descriptor left, or count them.
 *
 * @module
 */

/** Opens what Deno opens for signals: it does so by itself half a second after its start, and ends the process where it
 * has no descriptor left by then. */
export function openForSignals(): void {
  const ignore = () => {};
  Deno.addSignalListener("SIGURG", ignore);
  Deno.removeSignalListener("SIGURG", ignore);
}
