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

/** What the user of a program can do about an error, by its code. */
export type Advice = Readonly<Record<string, string>>;

/** Returns the message of an error for the user of a program. A hint behind the code names options of the module, which
 * the user does not have: `advice` takes its place. */
export function messageOf(error: unknown, advice: Advice = {}): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as { code?: unknown };
  const help = typeof code === "string" && Object.hasOwn(advice, code) ? advice[code] : undefined;
  if (help === undefined) return error.message;
  const end = error.message.indexOf(`(${code})`);
  return `${end === -1 ? error.message : error.message.slice(0, end + `(${code})`.length)}; ${help}`;
}
