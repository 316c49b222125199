import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { runInNewContext } from "node:vm";
import { AddressCache, bufferOf, isBytes, lengthOf, offsetOf, refusedBytes, viewOf } from "../../ffi/validate/bytes.ts";
import { libc } from "../../ffi/libc/libc.ts";

class Lying extends Uint8Array {
  override get length(): number {
    return 4000;
  }
  override get byteOffset(): number {
    return 1;
  }
  override get byteLength(): number {
    return 4000;
  }
  static get [Symbol.species](): Uint8ArrayConstructor {
    throw new Error("asked for a constructor");
  }
}

function lyingArrays(): Uint8Array[] {
  const own = new Uint8Array(new ArrayBuffer(16), 4, 8);
  Object.defineProperties(own, { length: { value: 200 }, byteOffset: { value: 0 }, buffer: { value: null } });
  const renamed = new Uint8Array(new ArrayBuffer(16), 4, 8);
  Object.setPrototypeOf(renamed, null);
  return [own, renamed, new Lying(new ArrayBuffer(16), 4, 8)];
}

describe("Bytes of a caller", () => {
  it("are measured by the intrinsic getters, whatever the object says", () => {
    for (const p of lyingArrays()) {
      assert(isBytes(p));
      assertEquals(refusedBytes(p), null);
      assertEquals([lengthOf(p), offsetOf(p), bufferOf(p).byteLength], [8, 4, 16]);
      const view = viewOf(p, 2, 6);
      assertEquals([view.constructor, view.length, view.byteOffset], [Uint8Array, 4, 6]);
    }
  });

  it("are measured so after a prototype was patched", () => {
    const p = new Uint8Array(8);
    Object.defineProperty(Uint8Array.prototype, "length", { get: () => 4000, configurable: true });
    try {
      assertEquals(lengthOf(p), 8);
    } finally {
      Reflect.deleteProperty(Uint8Array.prototype, "length");
    }
  });

  it("can be of another realm", () => {
    const foreign: unknown = runInNewContext("new Uint8Array(3)");
    assert(!(foreign instanceof Uint8Array));
    assertEquals(refusedBytes(foreign), null);
  });

  it("are refused if they are something else, which the message names", () => {
    const others: [unknown, string][] = [
      [undefined, "undefined"],
      [null, "null"],
      ["text", "new TextEncoder().encode() makes one of text"],
      [new ArrayBuffer(4), "ArrayBuffer"],
      [new Uint16Array(4), "Uint16Array"],
      [new Uint8ClampedArray(4), "Uint8ClampedArray"],
      [new DataView(new ArrayBuffer(4)), "DataView"],
      [[1, 2], "Array"],
      [Object.create(Uint8Array.prototype), "Uint8Array"],
      [new Proxy(new Uint8Array(4), {}), "an object that is none, such as a Proxy of one"],
      [Object.create(null), "an object"],
      [Object.defineProperty({}, "constructor", { get: () => assert(false) }), "an object"],
    ];
    for (const [p, words] of others) {
      assert(!isBytes(p));
      assert(refusedBytes(p)!.message.includes(words), `${refusedBytes(p)}`);
    }
  });

  it("are refused if their memory is detached, shared, or has shrunk below them", () => {
    const transferred = new Uint8Array(8);
    transferred.buffer.transfer();
    assert(refusedBytes(transferred)!.message.includes("detached"));
    assert(refusedBytes(new Uint8Array(new SharedArrayBuffer(8)))!.message.includes("shared"));
    const disguised = new SharedArrayBuffer(8);
    Object.setPrototypeOf(disguised, ArrayBuffer.prototype);
    assert(refusedBytes(new Uint8Array(disguised))!.message.includes("shared"));
    const resizable = new ArrayBuffer(16, { maxByteLength: 32 });
    const fixed = new Uint8Array(resizable, 8, 8);
    const tracking = new Uint8Array(resizable);
    assertEquals(refusedBytes(fixed), null);
    resizable.resize(4);
    assert(refusedBytes(fixed)!.message.includes("shrank"));
    assertEquals([refusedBytes(tracking), lengthOf(tracking)], [null, 4]);
    assertEquals(refusedBytes(new Uint8Array(0)), null);
  });
});

describe("AddressCache", () => {
  it("returns the address that the system gets, for arrays of every size and offset", () => {
    const cache = new AddressCache();
    for (const size of [1, 8, 64, 65, 4096, 1 << 20]) {
      const whole = new Uint8Array(size);
      for (const p of [whole, whole.subarray(size >> 1), whole, ...lyingArrays()]) {
        assertEquals(BigInt(cache.of(p)), libc().addressOf(p), `${size}`);
      }
    }
  });

  it("holds no large buffer", () => {
    const cache = new AddressCache();
    const small = new Uint8Array(64);
    const large = new Uint8Array(1 << 20);
    cache.of(small);
    assert(cache.holds(small.buffer));
    cache.of(large);
    assert(!cache.holds(large.buffer));
    cache.of(new Uint8Array(new ArrayBuffer(8, { maxByteLength: 1 << 20 })));
    assert(cache.holds(small.buffer));
  });

  it("refuses a value that is not an array", () => {
    assertThrows(() => new AddressCache().of(new DataView(new ArrayBuffer(1)) as unknown as Uint8Array), TypeError);
  });
});
