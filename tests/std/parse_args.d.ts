// deno-std carries no types. These say less than those of @std/cli (no dotted names, and a call that names no flag
// yields `unknown` where @std/cli yields `any`), and what is checked against them is also right there.

/** Options of `parseArgs`; each names flags, without their dashes. */
export interface ParseOptions<
  Booleans extends string = string,
  Strings extends string = string,
  Collected extends string = string,
  Negatable extends string = string,
  Defaults extends Record<string, unknown> = Record<string, unknown>,
  Aliases extends AliasMap = AliasMap,
  DoubleDash extends boolean = boolean,
> {
  /** Flags without a value. False where not given. */
  boolean?: Booleans | readonly Booleans[];
  /** Flags with a value that stays text, also where it looks like a number. */
  string?: Strings | readonly Strings[];
  /** Flags that may be given several times: their value is an array, empty where not given. */
  collect?: Collected | readonly Collected[];
  /** Flags that `--no-…` sets to false. */
  negatable?: Negatable | readonly Negatable[];
  /** Values of flags that were not given. */
  default?: Defaults;
  /** Other names of a flag: `{ help: "h" }`. */
  alias?: Aliases;
  /** Keeps what stands after `--` under that key, and not under `_`. */
  "--"?: DoubleDash;
  /** Takes everything after the first argument that is no flag as it stands. */
  stopEarly?: boolean;
  /** Called for each argument that no option names; false leaves it out of the result. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

type AliasMap = { readonly [flag: string]: string | readonly string[] };

/** The value of a flag: an array where it is collected, and false where it can be negated. */
type FlagValue<Name extends string, T, Collected extends string, Negatable extends string> =
  | (Name extends Collected ? T[] : T)
  | (Name extends Negatable ? false : never);

/** Flags that always have a value: booleans, collected ones, and those with a default. */
type PresentFlags<
  Booleans extends string,
  Strings extends string,
  Collected extends string,
  Negatable extends string,
  Defaults,
> =
  & {
    [Name in Exclude<Booleans, keyof Defaults>]: FlagValue<Name, boolean, Collected, Negatable>;
  }
  & {
    [Name in Exclude<Extract<Strings, Collected>, keyof Defaults>]: FlagValue<Name, string, Collected, Negatable>;
  }
  & {
    [Name in Exclude<Collected, Booleans | Strings | keyof Defaults>]: FlagValue<Name, unknown, Collected, Negatable>;
  }
  & {
    [Name in keyof Defaults]:
      | Defaults[Name]
      | (Name extends Booleans ? FlagValue<Name, boolean, Collected, Negatable>
        : Name extends Strings ? FlagValue<Name, string, Collected, Negatable>
        : unknown);
  };

type Flags<
  Booleans extends string,
  Strings extends string,
  Collected extends string,
  Negatable extends string,
  Defaults,
> =
  & PresentFlags<Booleans, Strings, Collected, Negatable, Defaults>
  & {
    [Name in Exclude<Strings, Collected | keyof Defaults>]?: FlagValue<Name, string, Collected, Negatable>;
  };

type NamesOf<Flag, Aliases> =
  | Flag
  | (Flag extends keyof Aliases ? Aliases[Flag] extends readonly (infer Name extends string)[] ? Name
    : Extract<Aliases[Flag], string>
    : never);

type WithAliases<Values, Aliases> = { [Flag in keyof Values as NamesOf<Flag, Aliases> & PropertyKey]: Values[Flag] };

/** What `parseArgs` yields. */
export type Args<Values = unknown, DoubleDash extends boolean = false> =
  & Values
  & {
    /** Arguments that belong to no flag. */
    _: (string | number)[];
    [flag: string]: unknown;
  }
  & (DoubleDash extends true ? { "--": string[] } : unknown);

/** Reads flags and their values. Text that looks like a number becomes one, except under `string`. */
export declare function parseArgs<
  Booleans extends string = never,
  Strings extends string = never,
  Collected extends string = never,
  Negatable extends string = never,
  Defaults extends Record<string, unknown> = Record<never, never>,
  const Aliases extends AliasMap = Record<never, never>,
  DoubleDash extends boolean = false,
>(
  args: string[],
  options?: ParseOptions<Booleans, Strings, Collected, Negatable, Defaults, Aliases, DoubleDash>,
): Args<WithAliases<Flags<Booleans, Strings, Collected, Negatable, Defaults>, Aliases>, DoubleDash>;
