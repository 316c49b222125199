/**
 * Which files of tests a command line means, and in which order they are run.
 *
 * @module
 */
import { exists } from "../support/exists.ts";

/** What `deno test` was asked for. */
export interface Selection {
  /** Files of tests, in the order in which they are run. */
  readonly files: readonly string[];
  /** The other arguments, which every process gets. */
  readonly flags: readonly string[];
}

/** Files that take longer than five seconds, longest first: none of them shall be the one that all wait for. */
export const LONG: readonly string[] = [
  "examples/mdns_test.ts",
  "examples/two_ways_test.ts",
  "examples/dashboard_page_test.ts",
  "examples/routed_test.ts",
  "examples/dashboard_test.ts",
  "examples/ssdp_test.ts",
  "examples/udp_flood_test.ts",
  "udp/routed_errors_test.ts",
  "readme/recipes_test.ts",
  "examples/nc_test.ts",
];

/** Takes the arguments of `deno test` apart: what is there as a file or a folder is where the tests are. */
export function select(args: readonly string[]): Selection {
  const flags: string[] = [];
  const places: string[] = [];
  const ignored: string[] = [];
  for (const [index, arg] of args.entries()) {
    if (arg.startsWith("--ignore=")) ignored.push(...arg.slice("--ignore=".length).split(",").map(withoutSlash));
    else if (args[index - 1] !== "--filter" && exists(arg)) places.push(withoutSlash(arg));
    else flags.push(arg);
  }
  const files = places.flatMap((place) => [...filesAt(place)]);
  const kept = files.filter((file) => !ignored.some((path) => file === path || file.startsWith(`${path}/`)));
  return { files: [...new Set(kept)].sort(byPrecedence), flags };
}

function* filesAt(path: string): Generator<string> {
  if (Deno.statSync(path).isFile) return yield path;
  for (const { name, isDirectory } of Deno.readDirSync(path)) {
    if (isDirectory) yield* filesAt(`${path}/${name}`);
    else if (name.endsWith("_test.ts")) yield `${path}/${name}`;
  }
}

function byPrecedence(a: string, b: string): number {
  const rank = (file: string) => {
    const index = LONG.findIndex((long) => file.endsWith(`tests/${long}`));
    return index === -1 ? LONG.length : index;
  };
  return rank(a) - rank(b) || (a < b ? -1 : 1);
}

function withoutSlash(path: string): string {
  return path.replace(/\/+$/, "");
}
