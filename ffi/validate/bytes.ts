import { libc } from "../libc/libc.ts";
import { quote } from "./quote.ts";

// What a caller hands over is measured by the intrinsic getters of the language, taken when this module loads. An own
// `length`, a subclass, an array of another realm and a prototype that is patched later change nothing of what they
// return, and neither of the memory that Deno's FFI passes on: it reads the same internal slots. A call through a
// bound getter costs 1 to 2 ns more than the property.

const { call } = Function.prototype;
const TypedArrayPrototype: object = Object.getPrototypeOf(Uint8Array.prototype);
/** The constructor as it was when this module was loaded. */
const Bytes = Uint8Array;

function intrinsicGetter<T>(prototype: object, name: PropertyKey): (object: unknown) => T {
  const { get } = Object.getOwnPropertyDescriptor(prototype, name)!;
  return call.bind(get!) as (object: unknown) => T;
}

/** "Uint8Array" for exactly those arrays, whatever their prototype; undefined for what is no typed array. */
const kindOf = intrinsicGetter<string | undefined>(TypedArrayPrototype, Symbol.toStringTag);

/** The length of a Uint8Array, which is 0 once its buffer is detached or has shrunk below it. */
export const lengthOf = intrinsicGetter<number>(TypedArrayPrototype, "length");

/** Where in its buffer a Uint8Array begins. */
export const offsetOf = intrinsicGetter<number>(TypedArrayPrototype, "byteOffset");

/** The buffer of a Uint8Array. Asking for it also moves the bytes of a small array out of the collector's heap, where
 * they have no lasting address. */
export const bufferOf = intrinsicGetter<ArrayBufferLike>(TypedArrayPrototype, "buffer");

/** Whether an ArrayBuffer's memory was transferred away. Throws for a SharedArrayBuffer. */
export const isDetached = intrinsicGetter<boolean>(ArrayBuffer.prototype, "detached");

/** The bytes an ArrayBuffer may grow to: its length where it cannot grow. */
const mostOf = intrinsicGetter<number>(ArrayBuffer.prototype, "maxByteLength");

/** Throws for an array that lies outside its buffer. */
const requireInside = call.bind(Reflect.get(TypedArrayPrototype, "keys")) as (array: unknown) => unknown;

/** Whether a value is a Uint8Array, of this realm or another, plain or of a subclass. */
export function isBytes(p: unknown): p is Uint8Array {
  return kindOf(p) === "Uint8Array";
}

/** A plain Uint8Array over bytes `start` to `end` of another. `subarray` would ask the caller's object for a
 * constructor. */
export function viewOf<B extends ArrayBufferLike>(p: Uint8Array<B>, start: number, end: number): Uint8Array<B> {
  return new Bytes(bufferOf(p) as B, offsetOf(p) + start, end - start);
}

/** The error for what the kernel cannot be given, null where it can: not bytes, memory that was transferred away or is
 * shared with other threads, an array that lies outside a buffer that shrank. */
export function refusedBytes(p: unknown): TypeError | null {
  if (kindOf(p) !== "Uint8Array") return notBytes(p);
  try {
    if (isDetached(bufferOf(p))) return new TypeError("The buffer is detached: its memory was transferred away");
  } catch {
    return new TypeError("The buffer is shared with other threads: copy it into memory of its own first");
  }
  return lengthOf(p) === 0 && liesOutside(p) ? new TypeError("The buffer shrank: the array lies outside it now") : null;
}

/** Throws what `refusedBytes` returns. */
export function requireBytes(p: unknown): asserts p is Uint8Array<ArrayBuffer> {
  const refusal = refusedBytes(p);
  if (refusal !== null) throw refusal;
}

function liesOutside(p: unknown): boolean {
  try {
    requireInside(p);
    return false;
  } catch {
    return true;
  }
}

function notBytes(p: unknown): TypeError {
  const given = p === null || typeof p !== "object" ? quote(p) : namedClass(p);
  const help = typeof p === "string" ? "; new TextEncoder().encode() makes one of text" : "";
  return new TypeError(`Expected a Uint8Array, got ${given}${help}`);
}

/** The class of what is no Uint8Array, also where it passes for one. */
function namedClass(object: object): string {
  const name = className(object);
  return name === "Uint8Array" ? "an object that is none, such as a Proxy of one" : name;
}

function className(object: object): string {
  try {
    const name: unknown = object.constructor?.name;
    return typeof name === "string" && name !== "" ? name : "an object";
  } catch {
    return "an object";
  }
}

/** The most bytes that Linux moves in one call, MAX_RW_COUNT: what is longer is clamped to it, here too. It fits the
 * 32 bits of a result. */
export const MOST_BYTES = 0x7fff_f000;

/** The longest buffer that an AddressCache keeps alive. Asking for the address of a longer one each time is lost in the
 * time its bytes take. */
const MOST_HELD = 256 * 1024;

/** Where the buffer used last lies, which most calls come with again. Asking is a call of its own; remembering more
 * than one cost more, in garbage collections, than it saved.
 *
 * The cache holds the buffer, so that the address cannot become another's. An ArrayBuffer does not move: growing one in
 * place keeps its address. Transferring it, or shrinking it below the array, leaves the array without bytes: `of` is to
 * be asked for arrays with a length above 0, or checked by `requireBytes`. */
export class AddressCache {
  #buffer: ArrayBufferLike | null = null;
  #address = 0;

  /** Whether this buffer is the one asked about last. */
  holds(buffer: ArrayBufferLike): boolean {
    return buffer === this.#buffer;
  }

  /** The address of an array's first byte. Addresses of user space fit a double exactly.
   *
   * @throws {TypeError} for what `requireBytes` refuses, unless it was asked about last
   */
  of(p: Uint8Array): number {
    const buffer = bufferOf(p);
    return buffer === this.#buffer ? this.#address + offsetOf(p) : this.#ask(p, buffer);
  }

  #ask(p: Uint8Array, buffer: ArrayBufferLike): number {
    requireBytes(p);
    // The buffer was asked for first: from then on the bytes stay where they are.
    const address = Number(libc().addressOf(p));
    if (mostOf(buffer) <= MOST_HELD) {
      this.#address = address - offsetOf(p);
      this.#buffer = buffer;
    }
    return address;
  }
}
