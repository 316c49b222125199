/** A DataView of a whole structure at the beginning of some bytes. Bytes that were cut short are refused, rather than
 * filled up from what lies behind them.
 *
 * @throws {RangeError} for fewer than `size` bytes
 */
export function structView(name: string, bytes: Uint8Array, size: number): DataView {
  if (bytes.length < size) throw new RangeError(`A ${name} of ${bytes.length} bytes, expected ${size}`);
  return new DataView(bytes.buffer, bytes.byteOffset, size);
}
