/**
 * Promises and moments in time.
 *
 * @module
 */

/** A moment that is over: Go's aLongTimeAgo. */
export const PAST: Date = new Date(1_000);

/** A moment some milliseconds ahead. */
export function after(milliseconds: number): Date {
  return new Date(Date.now() + milliseconds);
}

/** Resolves after some milliseconds. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Whether a promise has not settled after some turns of the event loop. */
export async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let pending = true;
  const settled = () => void (pending = false);
  promise.then(settled, settled);
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  return pending;
}

/** Whether a call still waits after some turns of the event loop. It is aborted then. */
export async function isWaiting(call: (signal: AbortSignal) => Promise<unknown>): Promise<boolean> {
  const controller = new AbortController();
  const promise = call(controller.signal).catch(() => {});
  const pending = await isPending(promise);
  controller.abort();
  await promise;
  return pending;
}

/** What a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`Expected a rejection, got ${Deno.inspect(value)}`);
}
