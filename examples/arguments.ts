/**
 * The command lines of the examples.
 *
 * @module
 */

/** Parses the value of the option `--name` as a number from `least` to `most`. Throws a RangeError for anything else. */
export function number(name: string, text: string, least: number, most: number): number {
  const value = parse(text);
  if (value >= least && value <= most) return value;
  throw new RangeError(`--${name} ${text}: expected ${least} to ${most}`);
}

/** Parses the value of the option `--name` as a whole number from `least` to `most`. Throws a RangeError for anything
 * else. */
export function wholeNumber(name: string, text: string, least: number, most: number): number {
  const value = parse(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(`--${name} ${text}: expected a whole number from ${least} to ${most}`);
}

/** Returns NaN for a text that is not a number, and for an empty one, which Number() converts to 0. */
function parse(text: string): number {
  return text.trim() === "" ? NaN : Number(text);
}

/** Throws for an argument that the program does not have: parseArgs calls it with each one. */
export function unknownArgument(argument: string): never {
  const what = argument.startsWith("-") ? "unknown option" : "unexpected argument";
  throw new TypeError(`${what} ${argument}; see --help`);
}

/** Throws for an unknown option and accepts other arguments. */
export function unknownOption(argument: string): void {
  if (argument.startsWith("-")) unknownArgument(argument);
}
