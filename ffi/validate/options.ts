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

/** The type that the value of an option is checked for when options are copied; "any" is checked where it is used. */
export type OptionKind = "any" | "boolean" | "function" | "signal";

/** Describes the options of one function. */
export interface OptionsShape<T> {
  /** What the options belong to, for error messages: "UDP sockets". */
  readonly of: string;
  /** The form of the options, for error messages: "{ hostname, port }". */
  readonly expected: string;
  /** The name of the parameter or property that holds the options, for error messages. */
  readonly name: string;
  readonly kinds: { readonly [K in keyof Required<T>]: OptionKind };
}

/** For each option name, what it belongs to, for the error when it is passed to something else. */
const takers = new Map<string, string[]>();

/** Describes the options of one function. The type checker ensures that `kinds` has all members of T. */
export function optionsShape<T>(
  of: string,
  expected: string,
  kinds: OptionsShape<T>["kinds"],
  name = "options",
): OptionsShape<T> {
  for (const key of Object.keys(kinds)) takers.set(key, [...takers.get(key) ?? [], of]);
  return { of, expected, name, kinds };
}

/** Copies and checks options. Each is read once, so that a getter cannot return one value for the check and another for
 * the system call.
 *
 * @throws {TypeError} for a value that is not an object, an unknown option or a value of another type
 */
export function copyOptions<T extends object>(given: unknown, shape: OptionsShape<T>): T {
  requireOptions(given, shape.expected, shape.name);
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

/** Checks WaitOptions and returns the signal, without allocating a copy for each operation. */
export function signalOf(options: WaitOptions | undefined): AbortSignal | undefined {
  if (options === undefined) return undefined;
  requireOptions(options, WAIT.expected);
  requireKnown(options, WAIT);
  const signal = options.signal ?? undefined;
  if (signal !== undefined) requireKind("signal", "signal", signal);
  return signal;
}

/** Throws a TypeError for a value that is not an options object. */
export function requireOptions(options: unknown, expected: string, name = "options"): asserts options is object {
  if (options instanceof AbortSignal) {
    throw new TypeError(`Invalid ${name}: an AbortSignal, expected ${expected}; a signal is passed as { signal }`);
  }
  if (options !== null && typeof options === "object" && !Array.isArray(options)) return;
  throw notOptions(options, expected, name);
}

function notOptions(given: unknown, expected: string, name: string): TypeError {
  return new TypeError(`Invalid ${name}: ${quote(given)}, expected ${expected}`);
}

/** Makes the error for a path without a transport. */
export function pathWithoutTransport(): TypeError {
  return new TypeError('"path" is an option of Unix sockets: pass transport: "unix" with it, or "seqpacket"');
}

/** Throws a TypeError for an unknown option, also for one that is inherited as a default, and for an object that is
 * something else and has no option at all, such as a Promise, a Map, a Date or bytes. */
export function requireKnown<T>(given: object, shape: OptionsShape<T>): void {
  let known = false;
  let unknown: string | undefined;
  for (const key in given) {
    if (Object.hasOwn(shape.kinds, key)) known = true;
    else if (Object.hasOwn(given, key) || !(key in Object.prototype)) unknown ??= key;
  }
  if (known && unknown === undefined) return;
  const plain = Object.prototype.toString.call(given) === "[object Object]";
  if (!plain && !known) throw notOptions(given, shape.expected, shape.name);
  // The objects of the platform inherit enumerable members: `abort` stands beside the `signal` of an AbortController.
  if (unknown !== undefined && (plain || Object.hasOwn(given, unknown))) throw unknownOption(unknown, shape);
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

/** Throws a TypeError for a value that is not a signal, and the signal's reason if it is aborted. */
export function requireUnaborted(signal: AbortSignal | null | undefined): void {
  if (signal === undefined || signal === null) return;
  requireKind("signal", "signal", signal);
  signal.throwIfAborted();
}

/** A dial with copied and checked options. `run` starts it with a signal: the caller's, or one combined from several. */
export interface Dial<C> {
  readonly signal: AbortSignal | undefined;
  run(signal: AbortSignal | undefined): Promise<C>;
}
