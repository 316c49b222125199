import { quote } from "./quote.ts";

/** Checks a number that is passed as a C int, signed or unsigned; a larger one would be truncated to its lower 32 bits.
 *
 * @throws {TypeError} for a value that is not a whole number
 * @throws {RangeError} for a number that does not fit 32 bits
 */
export function requireInt(what: string, value: unknown, expected = "a whole number"): number {
  if (typeof value !== "number" || !Number.isInteger(value)) {
    throw new TypeError(`Invalid ${what}: ${quote(value)}, expected ${expected}`);
  }
  if (value < -(2 ** 31) || value >= 2 ** 32) {
    throw new RangeError(`Invalid ${what}: ${value}, expected a number of 32 bits`);
  }
  // As C has it: -0 is 0, which FFI would refuse, and 0xffff_ffff is -1.
  return value | 0;
}

/** A whole number within bounds. `unit` is what an error calls it.
 *
 * @throws {TypeError} for what is no whole number
 * @throws {RangeError} for one beyond the bounds
 */
export function requireWithin(what: string, value: unknown, least: number, most: number, unit: string): void {
  if (typeof value !== "number" || !Number.isInteger(value)) {
    throw new TypeError(`Invalid ${what}: ${quote(value)}, expected ${unit}, a whole number`);
  }
  if (value < least || value > most) {
    throw new RangeError(`Invalid ${what}: ${value}, expected ${least} to ${most} ${unit}`);
  }
}
