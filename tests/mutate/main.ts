/**
 * Changes one operator, literal or call at a time in ffi/, at random, and runs the tests of that part: what they do not
 * notice is printed. Everything happens in copies of the tree.
 *
 *     deno task mutate --seconds 600 --seed 1
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { equivalence } from "./equivalent.ts";
import { described, mutated, type Mutation, mutationsOf } from "./mutations.ts";
import { type Outcome, Trial } from "./trial.ts";

const HELP = `Changes ffi/ at random, one operator, literal or call at a time, and prints what no test notices.

  --seconds N  stop after so many seconds (600)
  --count N    stop after so many changes that compile (unlimited)
  --seed N     where the choice begins; the same seed makes the same choices (1)
  --only PATH  files whose path contains this
  --jobs N     copies of the tree that work at the same time (1)
  --help       this text`;

const ROOT = new URL("../../", import.meta.url);

/** Numbers of other systems, and code that does not run on this one: the layout checker and the double are for those. */
const LEFT_OUT = /^ffi\/libc\/(errno_|freebsd|linux|macos|system)|^ffi\/poll\/kqueue|^ffi\/struct\/kevent/;

interface Candidate {
  readonly path: string;
  readonly text: string;
  readonly mutation: Mutation;
}

/** mulberry32: a generator whose choices a seed fixes. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function* sourcesUnder(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(folder, ROOT))) {
    if (isDirectory) yield* sourcesUnder(`${folder}${name}/`);
    else if (name.endsWith(".ts")) yield `${folder}${name}`;
  }
}

function candidates(only: string): Candidate[] {
  const paths = [...sourcesUnder("ffi/")].sort().filter((path) => path.includes(only) && !LEFT_OUT.test(path));
  return paths.flatMap((path) => {
    const text = Deno.readTextFileSync(new URL(path, ROOT));
    return mutationsOf(path, text).map((mutation) => ({ path, text, mutation }));
  });
}

function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const rest = [...list];
  for (let at = rest.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [rest[at], rest[other]] = [rest[other]!, rest[at]!];
  }
  return rest;
}

function lineOf({ text, mutation: { start } }: Candidate): string {
  return text.slice(text.lastIndexOf("\n", start - 1) + 1).split("\n")[0]!;
}

const args = parseArgs(Deno.args, {
  string: ["seconds", "count", "seed", "only", "jobs"],
  boolean: ["help"],
  default: { seconds: "600", count: "Infinity", seed: "1", only: "", jobs: "1" },
});
if (args.help) {
  console.log(HELP);
  Deno.exit();
}

const ends = performance.now() + Number(args.seconds) * 1_000;
const queue = shuffled(candidates(args.only), generator(Number(args.seed)));
const counts: Record<Outcome, number> = { "noticed": 0, "survived": 0, "does not compile": 0 };

async function work(): Promise<void> {
  await using trial = await Trial.open();
  while (performance.now() < ends && counts.noticed + counts.survived < Number(args.count)) {
    const candidate = queue.pop();
    if (candidate === undefined) return;
    const { path, text, mutation } = candidate;
    if (equivalence(path, lineOf(candidate)) !== undefined) continue;
    const outcome = await trial.run(path, mutated(text, mutation));
    counts[outcome]++;
    if (outcome === "survived") console.log(`survived ${path}:${described(text, mutation)}`);
  }
}

await Promise.all(Array.from({ length: Number(args.jobs) }, work));
const tried = counts.noticed + counts.survived;
const share = tried === 0 ? 0 : Math.round((100 * counts.noticed) / tried);
console.log(
  `${counts.noticed} of ${tried} noticed (${share} %), seed ${args.seed}; ${
    counts["does not compile"]
  } did not compile`,
);
