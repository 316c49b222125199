/**
 * Bytes that tests send and compare.
 *
 * @module
 */

/** Text as bytes. */
export function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Bytes as text. */
export function text(data: Uint8Array): string {
  return new TextDecoder().decode(data);
}

/** Bytes in which a shift of any length shows: each depends on its offset, and all of them on the seed. */
export function pattern(length: number, seed = 0): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++) bytes[index] = (index * 31 + (index >>> 8) * 17 + seed) & 0xff;
  return bytes;
}

/** The pieces one after the other, in memory of their own. */
export function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** Throws unless these are the bytes of a pattern. For programs, which load nothing to assert with. */
export function expectPattern(actual: Uint8Array, length: number, seed: number): void {
  const expected = pattern(length, seed);
  if (actual.length === length && actual.every((byte, index) => byte === expected[index])) return;
  throw new Error(`${actual.length} bytes that were not sent, instead of ${length}`);
}
