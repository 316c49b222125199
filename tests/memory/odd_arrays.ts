/**
 * Arrays that are not what they say.
 *
 * @module
 */
import { runInNewContext } from "node:vm";

/** Where the bytes of these arrays lie in their buffers, and how long the buffers are. */
export const START = 4;
export const LENGTH = 8;
export const BUFFER = 16;

class Boasting extends Uint8Array {
  override get length(): number {
    return 4000;
  }
  override get byteLength(): number {
    return 4000;
  }
}

class Wandering extends Uint8Array {
  #answers = 0;
  override get byteOffset(): number {
    return [0, 4096, 1, 2 ** 31][this.#answers++ % 4]!;
  }
}

class Foreign extends Uint8Array {
  override get buffer(): ArrayBuffer {
    return new ArrayBuffer(4000);
  }
  override subarray(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(4000);
  }
  override slice(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(4000);
  }
  override set(): void {}
  static get [Symbol.species](): Uint8ArrayConstructor {
    throw new Error("the caller's constructor was asked for");
  }
}

function withOwn(properties: Record<string, unknown>): Uint8Array<ArrayBuffer> {
  const array = new Uint8Array(new ArrayBuffer(BUFFER), START, LENGTH);
  for (const [name, value] of Object.entries(properties)) Object.defineProperty(array, name, { value });
  return array;
}

function withPrototype(prototype: object | null): Uint8Array<ArrayBuffer> {
  return Object.setPrototypeOf(new Uint8Array(new ArrayBuffer(BUFFER), START, LENGTH), prototype);
}

/** Makes arrays over LENGTH bytes at START of a buffer of BUFFER bytes, by what is odd about them. */
export const ODD_ARRAYS: Readonly<Record<string, () => Uint8Array<ArrayBuffer>>> = {
  "plain": () => new Uint8Array(new ArrayBuffer(BUFFER), START, LENGTH),
  "with an own length": () => withOwn({ length: 200, byteLength: 200 }),
  "with an own length of 0": () => withOwn({ length: 0, byteLength: 0 }),
  "with an own offset and buffer": () => withOwn({ byteOffset: 0, buffer: new ArrayBuffer(4000) }),
  "with methods of its own": () => withOwn({ subarray: () => null, slice: () => null, set: () => null }),
  "of a subclass that boasts": () => new Boasting(new ArrayBuffer(BUFFER), START, LENGTH),
  "of a subclass whose offset changes": () => new Wandering(new ArrayBuffer(BUFFER), START, LENGTH),
  "of a subclass with another's buffer": () => new Foreign(new ArrayBuffer(BUFFER), START, LENGTH),
  "without a prototype": () => withPrototype(null),
  "with the prototype of another type": () => withPrototype(Float64Array.prototype),
  "of another realm": () => runInNewContext(`new Uint8Array(new ArrayBuffer(${BUFFER}), ${START}, ${LENGTH})`),
  "that follows a resizable buffer": () => {
    const buffer = new ArrayBuffer(BUFFER - START, { maxByteLength: 65_536 });
    const array = new Uint8Array(buffer, START);
    buffer.resize(START + LENGTH);
    return array;
  },
};

const { get: bufferGetter } = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), "buffer")!;

/** All bytes of the buffer that an array really has. */
export function wholeBuffer(array: Uint8Array): Uint8Array {
  return new Uint8Array(Reflect.apply(bufferGetter!, array, []));
}

/** Makes arrays that nothing may be read from or written to, by a word of the refusal. */
export const REFUSED_ARRAYS: Readonly<Record<string, () => Uint8Array<ArrayBuffer>>> = {
  detached: () => {
    const array = new Uint8Array(LENGTH);
    structuredClone(array.buffer, { transfer: [array.buffer] });
    return array;
  },
  shared: () => new Uint8Array(new SharedArrayBuffer(LENGTH)) as unknown as Uint8Array<ArrayBuffer>,
  shrank: () => {
    const buffer = new ArrayBuffer(BUFFER, { maxByteLength: BUFFER });
    const array = new Uint8Array(buffer, START, LENGTH);
    buffer.resize(START);
    return array;
  },
};
