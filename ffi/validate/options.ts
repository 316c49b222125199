import { nearestOf } from "./nearest.ts";
import { quote } from "./quote.ts";

/** Options of every operation that can wait.
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
  /** Aborts the operation, which then rejects with `signal.reason`. Data that was already received is not lost. */
  signal?: AbortSignal | undefined;
}

/** What the value of an option is checked for where options come in; "any" is checked by whoever uses it. */
export type OptionKind = "any" | "boolean" | "function" | "signal";

/** The options that one function takes. */
export interface OptionsShape<T> {
  /** Who takes them, as an error names it: "UDP sockets". */
  readonly of: string;
  /** What they look like, as an error names it: "{ hostname, port }". */
  readonly expected: string;
  readonly kinds: { readonly [K in keyof Required<T>]: OptionKind };
}

/** Who takes an option of a name, for a word to whoever passes it to another. */
const takers = new Map<string, string[]>();

/** Describes the options that one function takes. The compiler sees to it that none of T's is left out. */
export function optionsShape<T>(
  of: string,
  expected: string,
  kinds: OptionsShape<T>["kinds"],
): OptionsShape<T> {
  for (const key of Object.keys(kinds)) takers.set(key, [...takers.get(key) ?? [], of]);
  return { of, expected, kinds };
}

/** Copies options, each read once: what is checked here and asked about is then what the kernel gets, whatever the
 * caller's object answers the next time.
 *
 * @throws {TypeError} for what is no object, for an unknown option and for a value of another kind
 */
export function copyOptions<T extends object>(given: unknown, shape: OptionsShape<T>): T {
  requireOptions(given, shape.expected);
  requireKnown(given, shape);
  const source = given as Readonly<Record<string, unknown>>;
  const copy: Record<string, unknown> = {};
  for (const [key, kind] of Object.entries<OptionKind>(shape.kinds)) {
    const value = source[key];
    if (value === undefined) continue;
    requireKind(key, kind, value);
    copy[key] = value;
  }
  return copy as T;
}

const WAIT = optionsShape<WaitOptions>("operations that wait", "{ signal }", { signal: "signal" });

/** The signal of what may wait: as `copyOptions`, without making an object for each operation. */
export function signalOf(options: WaitOptions | undefined): AbortSignal | undefined {
  if (options === undefined) return undefined;
  requireOptions(options, WAIT.expected);
  requireKnown(options, WAIT);
  const signal = options.signal ?? undefined;
  if (signal !== undefined) requireKind("signal", "signal", signal);
  return signal;
}

/** Throws for what is no object to read options from. */
export function requireOptions(options: unknown, expected: string): asserts options is object {
  if (options instanceof AbortSignal) {
    throw new TypeError(`Invalid options: an AbortSignal, expected ${expected}; a signal is passed as { signal }`);
  }
  if (options !== null && typeof options === "object" && !Array.isArray(options)) return;
  throw new TypeError(`Invalid options: ${quote(options)}, expected ${expected}`);
}

/** The error for a path where no transport says that it is one. */
export function pathWithoutTransport(): TypeError {
  return new TypeError('"path" is an option of Unix sockets: pass transport: "unix" with it, or "seqpacket"');
}

function requireKnown<T>(given: object, shape: OptionsShape<T>): void {
  for (const key of Object.keys(given)) {
    if (!Object.hasOwn(shape.kinds, key)) throw unknownOption(key, shape);
  }
}

function unknownOption<T>(key: string, { of, kinds }: OptionsShape<T>): TypeError {
  const known = Object.keys(kinds);
  const owners = takers.get(key);
  if (owners !== undefined) {
    const list = new Intl.ListFormat("en").format([...new Set(owners)].sort());
    return new TypeError(`${quote(key)} is an option of ${list}, not of ${of}`);
  }
  const nearest = nearestOf(key, known);
  const help = nearest === undefined ? `, ${of} take ${known.join(", ")}` : `: did you mean ${quote(nearest)}?`;
  return new TypeError(`Unknown option ${quote(key)}${help}`);
}

function requireKind(key: string, kind: OptionKind, value: unknown): void {
  if (kind === "boolean" && typeof value !== "boolean") {
    throw new TypeError(`Invalid ${key}: ${quote(value)}, expected a boolean`);
  }
  if (kind === "function" && typeof value !== "function") {
    throw new TypeError(`Invalid ${key}: ${quote(value)}, expected a function`);
  }
  if (kind === "signal" && value !== null && !(value instanceof AbortSignal)) {
    throw new TypeError(`Invalid ${key}: ${quote(value)}, expected an AbortSignal`);
  }
}

/** Throws for what is no signal, and the reason of one that is aborted already. */
export function requireUnaborted(signal: AbortSignal | null | undefined): void {
  if (signal === undefined || signal === null) return;
  requireKind("signal", "signal", signal);
  signal.throwIfAborted();
}

/** A dial whose options have been copied and checked, ready to be run under a signal: the caller's own, or one that
 * ends it for another reason too. */
export interface Dial<C> {
  readonly signal: AbortSignal | undefined;
  run(signal: AbortSignal | undefined): Promise<C>;
}
