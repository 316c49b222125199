/**
 * Numbers on an example's command line.
 *
 * @module
 */

/** Reads the value of the option `--name` as a number from `least` to `most`; anything else is a RangeError that quotes it. */
export function number(name: string, text: string, least: number, most: number): number {
  const value = parse(text);
  if (value >= least && value <= most) return value;
  throw new RangeError(`--${name} ${text}: expected ${least} to ${most}`);
}

/** Reads a whole number in the same way. */
export function wholeNumber(name: string, text: string, least: number, most: number): number {
  const value = parse(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(`--${name} ${text}: expected a whole number from ${least} to ${most}`);
}

/** NaN for what is no number, as Number() has it, and for an empty text, which Number() takes for 0. */
function parse(text: string): number {
  return text.trim() === "" ? NaN : Number(text);
}
