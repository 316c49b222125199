import { quote } from "./quote.ts";

/** What every operation that may wait takes.
 *
 * @example
 * ```ts
 * import { listenDatagram } from "@berkeley/sockets";
 *
 * using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
 * const error = await udp.receive(undefined, { signal: AbortSignal.timeout(10) }).catch((error) => error);
 * console.log(error.name); // TimeoutError
 * ```
 */
export interface WaitOptions {
  /** Abort rejects the operation with `signal.reason`; nothing that was received is lost. */
  signal?: AbortSignal | undefined;
}

/** Throws for what is no object to read options from. */
export function requireOptions(options: unknown, expected: string): void {
  if (options !== null && typeof options === "object") return;
  throw new TypeError(`Invalid options: ${quote(options)}, expected ${expected}`);
}

/** Throws for what is no signal, and the reason of one that is aborted already. */
export function requireUnaborted(signal: AbortSignal | null | undefined): void {
  if (signal === undefined || signal === null) return;
  const refusal = refusedSignal(signal);
  if (refusal !== null) throw refusal;
  signal.throwIfAborted();
}

/** The error for what is no signal, null where it is one. */
export function refusedSignal(signal: unknown): TypeError | null {
  return signal instanceof AbortSignal
    ? null
    : new TypeError(`Invalid signal: ${quote(signal)}, expected an AbortSignal`);
}
