import { libc } from "../libc/libc.ts";
import { isSocketError, unwrap } from "../libc/socket_error.ts";
import type { OptionEncoding, OptionName, OptionNumber } from "../libc/option_table.ts";
import { thisSystem } from "../libc/host.ts";
import { decodeLinger, encodeLinger } from "../struct/linger.ts";
import { lengthOf } from "../validate/bytes.ts";
import { quote } from "../validate/quote.ts";

/** A socket option with the type of its value. Its level, number and encoding are those of the running system. All
 * options are members of {@linkcode sockopt}.
 *
 * @example
 * ```ts
 * import { type Socket, type SocketOption, sockopt } from "@berkeley/sockets";
 *
 * // Switches an option on where the system has it.
 * function switchOn(socket: Socket, option: SocketOption<boolean>): void {
 *   if (option.supported) socket.setOption(option, true);
 * }
 * console.log(sockopt.SO_REUSEADDR.name, typeof switchOn); // SO_REUSEADDR function
 * ```
 */
export interface SocketOption<T> {
  /** The name in the system's headers, such as "SO_REUSEPORT". */
  readonly name: string;
  /** Whether the running system has the option. Using one that it lacks throws Deno.errors.NotSupported. */
  readonly supported: boolean;
  /** Carries the type of the value for the type checker; always undefined. */
  readonly _value?: T;
}

/** The value of SO_LINGER: what close does with data that has not been sent. See socket(7).
 *
 * @example
 * ```ts
 * import { type Linger, Socket, sockopt } from "@berkeley/sockets";
 *
 * using socket = Socket.open("inet", "stream");
 * const reset: Linger = { seconds: 0 };
 * socket.setOption(sockopt.SO_LINGER, reset);
 * console.log(socket.getOption(sockopt.SO_LINGER)); // { seconds: 0 }
 * ```
 */
export interface Linger {
  /** Seconds, from 0 to 65,535. 0 resets the connection on close; null switches lingering off. */
  seconds: number | null;
}

/** Bytes reserved for the value of an option to be read. Strings are the longest. */
const LONGEST_VALUE = 256;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function unknownOption(given: unknown): TypeError {
  return new TypeError(`Unknown option: ${quote(given)}, expected one of sockopt's`);
}

/** Returns the name of an option. Throws a TypeError for undefined, which is what a misspelled member of sockopt is. */
function nameOf(option: SocketOption<unknown>): OptionName {
  const name: unknown = option?.name;
  if (typeof name !== "string") throw unknownOption(option);
  return name as OptionName;
}

export function optionNumber(name: OptionName): OptionNumber {
  const { options } = thisSystem();
  if (!Object.hasOwn(options, name)) throw unknownOption(name);
  const number = options[name];
  if (number === null) {
    throw new Deno.errors.NotSupported(
      `${thisSystem().name} has no option ${name}; check sockopt.${name}.supported first`,
    );
  }
  return number;
}

function int(value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Int32Array.of(value).buffer);
}

function requireType(name: string, value: unknown, type: "boolean" | "number" | "string"): void {
  const fits = typeof value === type && (type !== "number" || Number.isInteger(value));
  if (fits) return;
  const wanted = type === "number" ? "a whole number" : `a ${type}`;
  throw new TypeError(`Invalid value for ${name}: ${quote(value)}, expected ${wanted}`);
}

function requireRange(name: string, value: number, least: number, most: number): void {
  if (value >= least && value <= most) return;
  throw new RangeError(`Invalid value for ${name}: ${value}, expected ${least} to ${most}`);
}

/** Encodes a rate in bytes a second, Infinity as all ones. */
function encodeRate(name: string, value: unknown, size: 4 | 8): Uint8Array<ArrayBuffer> {
  if (value === Infinity) return new Uint8Array(size).fill(0xff);
  requireType(name, value, "number");
  requireRange(name, value as number, 0, size === 4 ? 2 ** 32 - 1 : Number.MAX_SAFE_INTEGER);
  return new Uint8Array(BigUint64Array.of(BigInt(value as number)).buffer, 0, size);
}

/** Encodes a value for setsockopt(2). */
function encode(name: string, encoding: OptionEncoding, value: unknown): Uint8Array<ArrayBuffer> {
  switch (encoding) {
    case "boolean":
    case "byte boolean":
      requireType(name, value, "boolean");
      return encoding === "boolean" ? int(value ? 1 : 0) : Uint8Array.of(value ? 1 : 0);
    case "int":
      requireType(name, value, "number");
      requireRange(name, value as number, -(2 ** 31), 2 ** 32 - 1);
      return int(value as number);
    case "unsigned":
    case "network int":
      requireType(name, value, "number");
      requireRange(name, value as number, 0, 2 ** 32 - 1);
      return encoding === "unsigned" ? int(value as number) : int(value as number).reverse();
    case "rate":
    case "short rate":
      return encodeRate(name, value, encoding === "rate" ? 8 : 4);
    case "bigint":
      if (typeof value === "bigint") return new Uint8Array(BigUint64Array.of(value).buffer);
      throw new TypeError(`Invalid value for ${name}: ${quote(value)}, expected a bigint`);
    case "byte":
      requireType(name, value, "number");
      requireRange(name, value as number, 0, 255);
      return Uint8Array.of(value as number);
    case "string":
      requireType(name, value, "string");
      return encoder.encode(`${value as string}\0`);
    case "linger": {
      const seconds = (value as Linger | null)?.seconds;
      if (seconds === undefined) {
        throw new TypeError(`Invalid value for ${name}: ${quote(value)}, expected { seconds }, a whole number or null`);
      }
      if (seconds !== null) {
        requireType(name, seconds, "number");
        requireRange(name, seconds as number, 0, 65535);
      }
      return encodeLinger(seconds as number | null);
    }
  }
}

/** Decodes a value from getsockopt(2), which may be shorter than the one that setsockopt(2) takes. */
function decode(encoding: OptionEncoding, bytes: Uint8Array<ArrayBuffer>): boolean | number | bigint | string | Linger {
  if (encoding === "string") {
    const end = bytes.indexOf(0);
    return decoder.decode(end === -1 ? bytes : bytes.subarray(0, end));
  }
  if (encoding === "linger") return { seconds: decodeLinger(bytes) };
  if (encoding === "bigint") return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (encoding.endsWith("rate")) return decodeRate(bytes);
  if (encoding === "network int") return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  const number = bytes.length >= 4 ? new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true) : bytes[0] ?? 0;
  if (encoding === "unsigned") return number >>> 0;
  return encoding.endsWith("boolean") ? number !== 0 : number;
}

/** Decodes a rate of 32 or 64 bits. */
function decodeRate(bytes: Uint8Array<ArrayBuffer>): number {
  if (bytes.every((byte) => byte === 0xff)) return Infinity;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return bytes.length >= 8 ? Number(view.getBigUint64(0, true)) : view.getUint32(0, true);
}

/** Reads an option with getsockopt(2) and returns the bytes written by the kernel, at most `length`. */
export function readOption(
  fd: number,
  level: number,
  name: number,
  length: number,
  what: string,
): Uint8Array<ArrayBuffer> {
  const value = new Uint8Array(length);
  const written = Uint32Array.of(length);
  unwrap(libc().c.getsockopt(fd, level, name, value, written), "getsockopt", what);
  return value.subarray(0, written[0]!);
}

/** Whether a call failed because the kernel does not know an option: it may be older than the table, or an emulation. */
export function isUnknownOption(error: unknown): boolean {
  return isSocketError(error) && (error.code === "ENOPROTOOPT" || error.code === "EOPNOTSUPP");
}

/** Reads an option that the kernel may not know: null then. */
export function readKnownOption(
  fd: number,
  level: number,
  name: number,
  length: number,
  what: string,
): Uint8Array<ArrayBuffer> | null {
  try {
    return readOption(fd, level, name, length, what);
  } catch (error) {
    if (isUnknownOption(error)) return null;
    throw error;
  }
}

/** Sets an option with setsockopt(2). */
export function writeOption(
  fd: number,
  level: number,
  name: number,
  value: Uint8Array,
  what: string,
  hint?: (code: string) => string | undefined,
): void {
  unwrap(libc().c.setsockopt(fd, level, name, value, lengthOf(value)), "setsockopt", what, hint);
}

export function getOption<T>(fd: number, option: SocketOption<T>): T {
  const what = nameOf(option);
  const { level, name, encoding } = optionNumber(what);
  return decode(encoding, readOption(fd, level, name, LONGEST_VALUE, what)) as T;
}

/** Errors that do not depend on the value. */
const NOT_THE_VALUE = ["EPERM", "ENOPROTOOPT", "EISCONN"];

export function setOption<T>(fd: number, option: SocketOption<T>, value: T): void {
  writePrepared(fd, prepare(option, value));
}

/** Sets several options or none: every value is checked before the first is set, and what was set is undone when the
 * system refuses a later one. */
export function setOptions(fd: number, settings: readonly (readonly [SocketOption<unknown>, unknown])[]): void {
  const prepared = settings.map(([option, value]) => prepare(option, value));
  const before = prepared.map(({ level, name, bytes, what }) => readOption(fd, level, name, bytes.length, what));
  let set = 0;
  try {
    for (; set < prepared.length; set++) writePrepared(fd, prepared[set]!);
  } catch (error) {
    const { c } = libc();
    while (set-- > 0) {
      const { level, name } = prepared[set]!;
      c.setsockopt(fd, level, name, before[set]!, before[set]!.length);
    }
    throw error;
  }
}

/** The arguments of one setsockopt(2). */
interface Prepared {
  readonly level: number;
  readonly name: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly what: OptionName;
  readonly value: unknown;
}

function prepare(option: SocketOption<unknown>, value: unknown): Prepared {
  const what = nameOf(option);
  const { level, name, encoding } = optionNumber(what);
  return { level, name, bytes: encode(what, encoding, value), what, value };
}

function writePrepared(fd: number, { level, name, bytes, what, value }: Prepared): void {
  const hint = (code: string) => NOT_THE_VALUE.includes(code) ? undefined : `the value was ${quote(value)}`;
  writeOption(fd, level, name, bytes, what, hint);
}
