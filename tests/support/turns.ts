/**
 * Turns of the event loop. Tests use them to wait for something that must not happen, never to measure time.
 *
 * @module
 */

/** Longer than the Reactor ever polls by itself before it leaves the wait to a thread, or polls now and then. */
const PARKED_MS = 12;

/** So many turns. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Turns until whatever began to wait before waits on a thread, or now and then where it does not hold the process. */
export async function settled(): Promise<void> {
  const limit = performance.now() + PARKED_MS;
  while (performance.now() < limit) await turns(1);
}
