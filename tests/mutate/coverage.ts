/**
 * Which lines of ffi/ each file of tests runs, and how long it takes: a change is shown to the tests that run its line.
 *
 * @module
 */

/** Folders whose tests are not for this: they take long, or need what a run of changes has no use for. */
const LEFT_OUT = new Set([
  "architecture",
  "bench",
  "conformance",
  "examples",
  "interop",
  "mutate",
  "readme",
  "runner",
  "soak",
  "std",
  "support",
]);

/** The longest that one file of tests may take while it is measured. */
const LIMIT_MS = 300_000;

/** One file of tests, as it was measured. */
export interface Measured {
  /** SHA-256 of the file and of what it imports, in hexadecimal. */
  readonly digest: string;
  readonly milliseconds: number;
  /** By source, the lines that were run, counted from 1. Empty for a file that failed. */
  readonly lines: Readonly<Record<string, readonly number[]>>;
}

/** Every file that is measured, by its path. */
export type Coverage = Record<string, Measured>;

/** The files of tests of a tree, sorted. */
function testFilesOf(root: string): string[] {
  const found: string[] = [];
  for (const folder of Deno.readDirSync(`${root}/tests`)) {
    if (!folder.isDirectory || LEFT_OUT.has(folder.name)) continue;
    for (const { name } of Deno.readDirSync(`${root}/tests/${folder.name}`)) {
      if (name.endsWith("_test.ts")) found.push(`tests/${folder.name}/${name}`);
    }
  }
  return found.sort();
}

/** A digest of a tree's folder and everything in it. */
async function digestOf(folder: string, only: (path: string) => boolean): Promise<string> {
  const texts: string[] = [];
  const visit = (path: string): void => {
    for (const entry of [...Deno.readDirSync(path)].sort((a, b) => a.name < b.name ? -1 : 1)) {
      const inner = `${path}/${entry.name}`;
      if (entry.isDirectory) visit(inner);
      else if (only(entry.name)) texts.push(entry.name, Deno.readTextFileSync(inner));
    }
  };
  visit(folder);
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(texts.join("\0")));
  return new Uint8Array(hash).toHex();
}

/** The lines that a report in lcov's format counts at least once, by path below `root`. */
function linesOf(report: string, root: string): Record<string, number[]> {
  const lines: Record<string, number[]> = {};
  let source = "";
  for (const record of report.split("\n")) {
    if (record.startsWith("SF:")) source = record.slice(3).replace(`${root}/`, "");
    const [, line, count] = /^DA:(\d+),(\d+)/.exec(record) ?? [];
    if (source.startsWith("ffi/") && Number(count) > 0) (lines[source] ??= []).push(Number(line));
  }
  return lines;
}

/** Runs one file of tests of the tree `root`, its child processes included, and reports what it ran. */
async function measure(root: string, file: string, digest: string): Promise<Measured> {
  const folder = await Deno.makeTempDir({ prefix: "berkeley-coverage-" });
  try {
    const env = { DENO_COVERAGE_DIR: folder };
    const flags = ["test", "-A", "--no-check", "--fail-fast", "--reporter=dot", "--preload=./tests/support/warm_up.ts"];
    const signal = AbortSignal.timeout(LIMIT_MS);
    const options = { cwd: root, stdin: "null", stdout: "null", stderr: "null", signal } as const;
    const begun = performance.now();
    const { success } = await new Deno.Command(Deno.execPath(), { ...options, args: [...flags, file], env }).output();
    const milliseconds = Math.round(performance.now() - begun);
    if (!success) return { digest, milliseconds, lines: {} };
    const report = { ...options, args: ["coverage", "--lcov", folder], stdout: "piped" as const };
    const { stdout } = await new Deno.Command(Deno.execPath(), report).output();
    return { digest, milliseconds, lines: linesOf(new TextDecoder().decode(stdout), root) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * Measures every file of tests of the tree `root`, `jobs` at a time. What `known` has of a file that has not changed is
 * taken from there, as long as ffi/ has not changed either. `keep` gets what there is after each file.
 */
export async function measured(
  root: string,
  known: Coverage,
  jobs: number,
  keep: (coverage: Coverage) => Promise<void>,
): Promise<Coverage> {
  const sources = await digestOf(`${root}/ffi`, () => true);
  const coverage: Coverage = {};
  const files = testFilesOf(root);
  const work = async (): Promise<void> => {
    for (let file = files.pop(); file !== undefined; file = files.pop()) {
      const name = file.slice(file.lastIndexOf("/") + 1);
      const folder = file.slice(0, file.lastIndexOf("/"));
      const own = await digestOf(`${root}/${folder}`, (other) => other === name || !other.endsWith("_test.ts"));
      const digest = `${sources}-${own}`;
      const before = known[file];
      let found = before?.digest === digest ? before : await measure(root, file, digest);
      // Once more, since a machine that is busy may have stopped it.
      if (Object.keys(found.lines).length === 0) found = await measure(root, file, digest);
      coverage[file] = found;
      const failed = Object.keys(found.lines).length === 0 ? ", failed or runs nothing of ffi/: left out" : "";
      if (found === before) continue;
      console.error(`measured ${file}: ${found.milliseconds} ms${failed}`);
      await keep({ ...known, ...coverage });
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  return coverage;
}

/** The words of a file's name, the common ones left out: "send_segments.ts" has "send" and "segments". */
function wordsOf(path: string): string[] {
  return path.slice(path.lastIndexOf("/") + 1).replace(/(_test)?\.ts$/, "").split("_");
}

/** Rooms of tests that are about every source: what errors and objects say, and what is exported. */
const ABOUT_ALL = new Set(["errors", "surface"]);

/** Whether a file of tests is about the room of a source, or has its name. */
function isOfRoom(test: string, path: string): boolean {
  const [, folder] = test.split("/");
  return ABOUT_ALL.has(folder!) || folder === path.split("/")[1] || wordsOf(test).join() === wordsOf(path).join();
}

/** How much sooner than its time alone says a file of tests is run: it is about the same room, or the same subject. */
function affinity(test: string, path: string): number {
  const words = new Set(wordsOf(path));
  return (isOfRoom(test, path) ? 4 : 1) * (wordsOf(test).some((word) => words.has(word)) ? 4 : 1);
}

/**
 * The files of tests that run a line. A report counts a line as not run where a part of it was not, such as the statement
 * behind a condition: so those that run the line above count too. What only ran in processes that were ended from outside
 * is not counted at all: for a line that nothing runs, all tests of its room are taken.
 */
function runners(coverage: Coverage, path: string, line: number): string[] {
  const files = Object.keys(coverage);
  const found = files.filter((file) => {
    const lines = coverage[file]!.lines[path];
    return lines !== undefined && (lines.includes(line) || lines.includes(line - 1));
  });
  return found.length > 0 ? found : files.filter((file) => isOfRoom(file, path));
}

/**
 * The files of tests that a change in a line is shown to: of its room as many as take no more than three times `patience`
 * milliseconds, of the others no more than that. Those come first that are quick and likely to notice it. The time they
 * take together is the second value.
 */
export function testsOf(coverage: Coverage, path: string, line: number, patience: number): [string[], number] {
  const rank = (file: string) => coverage[file]!.milliseconds / affinity(file, path);
  const chosen: string[] = [];
  let [room, others] = [0, 0];
  for (const file of runners(coverage, path, line).sort((a, b) => rank(a) - rank(b))) {
    const { milliseconds } = coverage[file]!;
    if (isOfRoom(file, path)) {
      if (room + milliseconds > 3 * patience) continue;
      room += milliseconds;
    } else {
      if (others + milliseconds > patience) continue;
      others += milliseconds;
    }
    chosen.push(file);
  }
  return [chosen, room + others];
}
