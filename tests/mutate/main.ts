/**
 * Changes one operator, literal or call at a time in ffi/, at random, and runs the tests of that part: what they do not
 * notice is printed. Everything happens in copies of the tree.
 *
 *     deno task mutate --seconds 600 --seed 1
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { type Coverage, measured, testsOf } from "./coverage.ts";
import { equivalence } from "./equivalent.ts";
import { described, mutated, type Mutation, mutationsOf } from "./mutations.ts";
import { type Outcome, Trial } from "./trial.ts";

const HELP = `Changes ffi/ at random, one operator, literal or call at a time, and prints what no test notices.

  --seconds N   stop after so many seconds (600); measuring the tests is not counted
  --count N     stop after so many changes that compile (unlimited)
  --seed N      where the choice begins; the same seed makes the same choices (1)
  --skip N      leaves out the first choices of the seed: goes on where an earlier run has ended (0)
  --only PATH   changes whose "PATH:LINE:" contains this: "ffi/udp", "send.ts:120:"
  --jobs N      copies of the tree that work at the same time (1)
  --patience N  seconds of tests of other rooms that one change is shown to, at most (30); four times that if none fails
  --map FILE    where to keep which test runs which line: read at the start, written after each file measured anew
  --help        this text

Every file of tests is run once before the first change, to see that it passes and which lines it runs; a change is shown
to the tests that run its line. With --map, only what has changed since is measured again.`;

const ROOT = new URL("../../", import.meta.url);

/** Numbers of other systems, and code that does not run on this one: the layout checker and the double are for those. */
const LEFT_OUT =
  /^ffi\/libc\/(errno_|freebsd|linux|macos|options_(freebsd|macos)|system|tcp_states)|^ffi\/poll\/kqueue|^ffi\/struct\/kevent/;

/** How many times longer than usual the tests may take for a change that the first of them have not noticed. */
const FURTHER = 4;

interface Candidate {
  readonly path: string;
  readonly text: string;
  /** Counted from 1. */
  readonly line: number;
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
  const paths = [...sourcesUnder("ffi/")].sort().filter((path) => !LEFT_OUT.test(path));
  return paths.flatMap((path) => {
    const text = Deno.readTextFileSync(new URL(path, ROOT));
    const every = mutationsOf(path, text).map((mutation) => ({
      path,
      text,
      line: text.slice(0, mutation.start).split("\n").length,
      mutation,
    }));
    return every.filter(({ line }) => `${path}:${line}:`.includes(only));
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

/** Which test runs which line: from the file `path` where that is still true, else measured, and kept there. */
async function coverageOf(path: string, jobs: number): Promise<Coverage> {
  let known: Coverage = {};
  try {
    if (path !== "") known = JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const keep = async (coverage: Coverage): Promise<void> => {
    if (path !== "") await Deno.writeTextFile(path, JSON.stringify(coverage));
  };
  await using trial = await Trial.open();
  const coverage = await measured(trial.folder, known, jobs, keep);
  await keep(coverage);
  return coverage;
}

const args = parseArgs(Deno.args, {
  string: ["seconds", "count", "seed", "skip", "only", "jobs", "patience", "map"],
  boolean: ["help"],
  default: { seconds: "600", count: "Infinity", seed: "1", skip: "0", only: "", jobs: "1", patience: "30", map: "" },
});
if (args.help) {
  console.log(HELP);
  Deno.exit();
}

const jobs = Number(args.jobs);
const coverage = await coverageOf(args.map, jobs);
const ends = performance.now() + Number(args.seconds) * 1_000;
const choices = shuffled(candidates(args.only), generator(Number(args.seed)));
let chosen = Number(args.skip);
const counts: Record<Outcome, number> = { "noticed": 0, "survived": 0, "does not compile": 0 };

/** Tries a change, and how many files of tests it was shown to. */
async function attempt(trial: Trial, candidate: Candidate): Promise<{ outcome: Outcome; shown: number }> {
  const { path, text, line, mutation } = candidate;
  const patience = Number(args.patience) * 1_000;
  const shown = new Set<string>();
  let outcome: Outcome = "survived";
  for (const limit of [patience, FURTHER * patience]) {
    const [all, usual] = testsOf(coverage, path, line, limit);
    const tests = all.filter((test) => !shown.has(test));
    if (outcome === "survived") outcome = await trial.run(path, mutated(text, mutation), tests, usual);
    for (const test of tests) shown.add(test);
  }
  return { outcome, shown: shown.size };
}

async function work(): Promise<void> {
  await using trial = await Trial.open();
  while (performance.now() < ends && counts.noticed + counts.survived < Number(args.count)) {
    const candidate = choices[chosen++];
    if (candidate === undefined) return;
    const { path, text, mutation } = candidate;
    const change = described(text, mutation);
    if (equivalence(path, lineOf(candidate), change.slice(change.indexOf(" ") + 1)) !== undefined) continue;
    const begun = performance.now();
    const { outcome, shown } = await attempt(trial, candidate);
    counts[outcome]++;
    const took = Math.round((performance.now() - begun) / 1_000);
    const tried = counts.noticed + counts.survived;
    console.error(`${chosen}: ${counts.noticed} of ${tried}; ${took} s; ${outcome}: ${path}:${change}`);
    if (outcome === "survived") console.log(`survived ${path}:${change} (${shown} files of tests)`);
  }
}

await Promise.all(Array.from({ length: jobs }, work));
const tried = counts.noticed + counts.survived;
const share = tried === 0 ? 0 : Math.round((100 * counts.noticed) / tried);
console.log(
  `${counts.noticed} of ${tried} noticed (${share} %), seed ${args.seed}; ${
    counts["does not compile"]
  } did not compile; --skip ${chosen} goes on`,
);
