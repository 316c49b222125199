/**
 * Values that no door was made for, as a program passes them by mistake or on purpose.
 *
 * @module
 */
import { ODD_ARRAYS, REFUSED_ARRAYS } from "../memory/odd_arrays.ts";

/** What a value of ours throws when it is touched: it is the caller's own error, and may come back to the caller. */
export class Touched extends Error {
  override name = "Touched";
}

function touched(): never {
  throw new Touched("an odd value was touched");
}

const TRAPS = Object.getOwnPropertyNames(Reflect) as (keyof ProxyHandler<object>)[];

/** A proxy that throws at whatever is done to it. */
function untouchable(target: object): object {
  return new Proxy(target, Object.fromEntries(TRAPS.map((trap) => [trap, touched])));
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

/** An object whose every conversion throws. */
const unconvertible = { toString: touched, valueOf: touched, [Symbol.toPrimitive]: touched, toJSON: touched };

/** An object that throws when any of these is read. */
function withGetters(...names: PropertyKey[]): object {
  const object = {};
  for (const name of names) Object.defineProperty(object, name, { get: touched, enumerable: true });
  return object;
}

/** Numbers: the ends of what C's types hold, and beyond. */
const NUMBERS = [
  0,
  -0,
  1,
  -1,
  1.5,
  255,
  256,
  65_535,
  65_536,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32,
  2 ** 32 + 1,
  -(2 ** 31) - 1,
]
  .concat(2 ** 53, 1e308, NaN, Infinity, -Infinity);

const TEXTS = [
  "",
  " ",
  "0",
  "1",
  "-1",
  "65536",
  "1e3",
  "0x50",
  "\0",
  "\0name",
  "a\0b",
  "\ud800",
  "no-such-name.invalid",
]
  .concat(
    "127.0.0.1",
    "::1",
    "::ffff:127.0.0.1",
    "fe80::1%lo",
    "[::1]",
    "239.1.2.3",
    "%",
    "x".repeat(5000),
    "../..//.",
  );

/** Makes odd values, by what they are called in reports. Each is made anew, since a door may change what it is given. */
export const ODD_VALUES: Readonly<Record<string, () => unknown>> = {
  ...Object.fromEntries(NUMBERS.map((number) => [`the number ${Object.is(number, -0) ? "-0" : number}`, () => number])),
  ...Object.fromEntries(TEXTS.map((text) => [`the text ${JSON.stringify(text.slice(0, 24))}`, () => text])),
  ...Object.fromEntries(Object.entries(ODD_ARRAYS).map(([odd, make]) => [`bytes ${odd}`, make])),
  ...Object.fromEntries(Object.entries(REFUSED_ARRAYS).map(([odd, make]) => [`bytes that are ${odd}`, make])),
  undefined: () => undefined,
  null: () => null,
  true: () => true,
  false: () => false,
  "the BigInt 1n": () => 1n,
  "the BigInt 2n ** 64n": () => 2n ** 64n,
  "a symbol": () => Symbol("odd"),
  "a function": () => () => undefined,
  "a function that throws": () => touched,
  "a class": () => class Odd {},
  "an empty array": () => [],
  "an array of undefined": () => [undefined],
  "a deep array": () => [[[[1]]]],
  "a sparse array": () => new Array(100),
  "an empty object": () => ({}),
  "an object of other things": () => ({ a: 1, length: -1, then: null }),
  "an object without a prototype": () => Object.create(null),
  "an object that thinks it is everything": () => ({
    fd: -1,
    path: "\0",
    hostname: "",
    port: -1,
    data: null,
    socket: {},
  }),
  "an object that cannot be converted": () => unconvertible,
  "an object whose members throw": () =>
    withGetters("port", "hostname", "path", "data", "fd", "signal", "length", "name"),
  "an iterable that throws": () => ({ [Symbol.iterator]: touched }),
  "a proxy that throws": () => untouchable({}),
  "a proxy of a function that throws": () => untouchable(touched),
  "a proxy of bytes": () => new Proxy(new Uint8Array(8), {}),
  "a revoked proxy": revoked,
  "a date": () => new Date(),
  "an invalid date": () => new Date(NaN),
  "an expression": () => /x/g,
  "a map": () => new Map([["port", 1]]),
  "an error": () => new Error("odd"),
  "a promise": () => Promise.resolve(1),
  "an ArrayBuffer": () => new ArrayBuffer(8),
  "a SharedArrayBuffer": () => new SharedArrayBuffer(8),
  "a DataView": () => new DataView(new ArrayBuffer(8)),
  "an array of doubles": () => new Float64Array(2),
  "a signal that was aborted": () => AbortSignal.abort(new Touched("aborted")),
  "a signal that never is": () => new AbortController().signal,
};
