import { isSocketError } from "./socket_error.ts";

/** Rejects with an error whose `stack` names the waiting callers.
 *
 * An operation that waited fails in a turn of the event loop, whose frames are the module's own. The promise that this
 * returns is what the operation's promise is resolved with: two microtasks later that one follows it, and the engine
 * finds the async functions that wait by going from promise to promise. Only failures pay for this. */
export async function rejectWithCallers(error: unknown): Promise<never> {
  if (error instanceof Error) {
    await undefined;
    await undefined;
    captureCallers(error, rejectWithCallers);
  }
  throw error;
}

/** Passes on the outcome of a call of several steps. An error of the system's is given the `stack` of the callers that
 * wait for it, in the place of the step that failed. */
export async function withCallers<T>(outcome: Promise<T>): Promise<T> {
  try {
    return await outcome;
  } catch (error) {
    if (isSocketError(error)) captureCallers(error, withCallers);
    throw error;
  }
}

/** Writes an error's `stack` anew, from what is running and who awaits it, without the frames up to `above`. */
export function captureCallers(error: Error, above: (...given: never[]) => unknown): void {
  // A frozen error keeps the stack it has.
  if (Object.isExtensible(error)) Error.captureStackTrace(error, above);
}
