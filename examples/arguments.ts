/**
 * The command lines of the examples: options, numbers, and the line that a failure prints.
 *
 * It imports only what Deno contains, so that an example that runs from a URL downloads nothing else. `parseArgs` takes
 * the options that `jsr:@std/cli/parse-args` has under the same names; a program of your own can use that one.
 *
 * @module
 */
import { parseArgs as tokenize } from "node:util";

/** What a command line may contain. Names are without their dashes. */
export interface Description<
  Booleans extends string,
  Strings extends string,
  Collected extends string,
  Defaults extends Readonly<Record<string, string>>,
> {
  /** Options without a value. `help` can be given as `-h` too. */
  boolean?: readonly Booleans[];
  /** Options with a value. */
  string?: readonly Strings[];
  /** Those options with a value that can be repeated. */
  collect?: readonly Collected[];
  /** Values of options that are not given. */
  default?: Defaults;
  /** One-letter names: `{ listen: "l" }` is `-l`. */
  alias?: Readonly<Record<string, string>>;
  /** Called with each argument that is no option described here. */
  unknown: (argument: string) => unknown;
}

/** The values of a command line. */
export type Values<
  Booleans extends string,
  Strings extends string,
  Collected extends string,
  Defaults extends Readonly<Record<string, string>>,
> =
  & { [Name in Exclude<Booleans, "_">]: boolean }
  & { [Name in Exclude<Strings, Collected | keyof Defaults | "_">]?: string }
  & { [Name in Collected]: string[] }
  & { [Name in keyof Defaults]: string }
  & { _: string[] };

/**
 * Parses a command line. Throws a TypeError for an option that has no value and needs one, for one that has a value and
 * takes none, and for one whose name is nearly that of another; `unknown` decides about other unknown arguments.
 */
export function parseArgs<
  Booleans extends string = never,
  Strings extends string = never,
  Collected extends string = never,
  Defaults extends Readonly<Record<string, string>> = Readonly<Record<never, string>>,
>(
  args: readonly string[],
  description: Description<Booleans, Strings, Collected, Defaults>,
): Values<Booleans, Strings, Collected, Defaults> {
  const { default: defaults = {}, unknown } = description;
  const flags: readonly string[] = description.boolean ?? [];
  const repeated: readonly string[] = description.collect ?? [];
  const options = optionsOf(flags, description.string ?? [], { help: "h", ...description.alias });
  const values: Record<string, boolean | string | string[]> = { ...defaults };
  for (const name of flags) values[name] = false;
  for (const name of repeated) values[name] = [];
  const positionals: string[] = [];
  for (const token of tokenize({ args: [...args], options, strict: false, tokens: true }).tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") {
      if (token.value === "") throw new TypeError("an argument is empty; see --help");
      unknown(token.value);
      positionals.push(token.value);
    } else if (!Object.hasOwn(options, token.name)) {
      const near = nearest(token.name, Object.keys(options));
      if (near !== undefined) throw new TypeError(`unknown option ${token.rawName}; did you mean --${near}?`);
      unknown(token.rawName);
    } else if (flags.includes(token.name)) {
      if (token.value !== undefined) throw new TypeError(`${token.rawName} takes no value`);
      values[token.name] = true;
    } else {
      const value = requireValue(token.rawName, token.value, token.inlineValue === true);
      values[token.name] = repeated.includes(token.name) ? [...values[token.name] as string[], value] : value;
    }
  }
  return { ...values, _: positionals } as Values<Booleans, Strings, Collected, Defaults>;
}

type OptionTypes = Record<string, { type: "boolean" | "string"; short?: string }>;

/** Describes the options to node:util. */
function optionsOf(flags: readonly string[], named: readonly string[], short: Readonly<Record<string, string>>) {
  const options: OptionTypes = {};
  for (const [names, type] of [[flags, "boolean"], [named, "string"]] as const) {
    for (const name of names) options[name] = short[name] === undefined ? { type } : { type, short: short[name] };
  }
  delete options._; // The name of the other arguments, which @std/cli takes as text if it is listed.
  return options;
}

/** An empty value, or another option in the place of one, is a value that was left out. */
function requireValue(name: string, value: string | undefined, isInline: boolean): string {
  const missing = value === undefined || value === "" || !isInline && value.startsWith("--");
  if (missing) throw new TypeError(`${name} needs a value; see --help`);
  return value;
}

/** The name that differs from `name` in at most two letters, or that begins with it. */
function nearest(name: string, names: readonly string[]): string | undefined {
  const prefixed = names.find((other) => name.length > 1 && other.startsWith(name));
  if (prefixed !== undefined || name.length < 3) return prefixed;
  const [best] = names.map((other) => [distance(name, other), other] as const).sort(([a], [b]) => a - b);
  return best !== undefined && best[0] <= 2 ? best[1] : undefined;
}

/** Number of letters to insert, remove, replace or swap with the next one. */
function distance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? rows[i - 2]![j - 2]! + 1 : Infinity;
      row.push(Math.min(replaced, swapped, rows[i - 1]![j]! + 1, row[j - 1]! + 1));
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}

/** Parses the value of the option `--name` as a number from `least` to `most`. Throws a RangeError for anything else. */
export function number(name: string, text: string, least: number, most: number): number {
  const value = parse(text);
  if (value >= least && value <= most) return value;
  throw new RangeError(`--${name} ${text}: expected ${least} to ${most}`);
}

/** Parses the value of the option `--name` as a whole number from `least` to `most`. Throws a RangeError for anything
 * else. */
export function wholeNumber(name: string, text: string, least: number, most: number): number {
  return wholeArgument(`--${name}`, text, least, most);
}

/** Parses an argument that `--help` calls `name`, such as "PORT", as a whole number from `least` to `most`. Throws a
 * RangeError for anything else. */
export function wholeArgument(name: string, text: string, least: number, most: number): number {
  const value = parse(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(`${name} ${text}: expected a whole number from ${least} to ${most}`);
}

/** Returns NaN for what is not written in decimal digits. Number() would read 0x50, 1e3 and an empty text too. */
function parse(text: string): number {
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
}

/** Throws for an argument that the program does not have: parseArgs calls it with each one. */
export function unknownArgument(argument: string): never {
  const what = argument.startsWith("-") ? "unknown option" : "unexpected argument";
  throw new TypeError(`${what} ${argument}; see --help`);
}

/** Makes a function that throws for an unknown option, and for every other argument after the first `count`. */
export function atMost(count: number): (argument: string) => void {
  let left = count;
  return (argument) => {
    if (argument.startsWith("-") || left-- === 0) unknownArgument(argument);
  };
}

/** What the user of a program can do about an error, by its code, such as "EADDRINUSE". */
export type Advice = Readonly<Record<string, string>>;

/** Returns the message of an error for the user of a program. A hint behind the code names options of the module, which
 * the user does not have: `advice` takes its place. */
export function messageOf(error: unknown, advice: Advice = {}): string {
  if (error instanceof AggregateError) return `${error.message}: ${messageOf(error.errors[0], advice)}`;
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (!Object.hasOwn(advice, code)) return error.message;
  const [message] = error.message.split(` (${code})`);
  return `${message} (${code}); ${advice[code]}`;
}

/** Prints an error in one line and ends the program with status 1. */
export function fail(program: string, error: unknown, advice: Advice = {}): never {
  console.error(`${program}: ${messageOf(error, advice)}`);
  Deno.exit(1);
}
