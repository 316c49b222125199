/**
 * Runs `deno test` with the dot reporter, which prints a character for each test and what failed, and adds what that
 * reporter leaves out: the name of each test that was ignored, which says why. Takes the arguments of `deno test`.
 *
 *     deno run -A tests/run.ts tests/udp --filter "receiveMany()"
 *
 * Each file is a process of its own, and a few of them run at the same time: `DENO_JOBS` says how many. Threads of one
 * process, which `deno test --parallel` would use, share the descriptors that the tests count. The types are checked
 * beside the tests, once for all files; `--no-check` leaves that out.
 *
 * @module
 */
import { select } from "./runner/selection.ts";
import { type Counts, countsOf, failuresOf, formatSummary, ignoredTests, isDot, sum } from "./runner/summary.ts";

/** The packages of the tests have a lock of their own: the examples and the module need none. */
const LOCK = new URL("./deno.lock", import.meta.url).pathname;
const WARM_UP = new URL("./support/warm_up.ts", import.meta.url).pathname;

/** The folder of deno.json, and how many files of tests are checked with everything else there. */
const ROOT = new URL("../", import.meta.url).pathname;
const MANY = 50;

/** Flags that `deno check` takes too. */
const OF_CHECK = /^--(config|frozen|import-map|lock|no-lock|reload)\b/;

/** Two for each core: a third of the time of the tests is waiting. */
const JOBS = Number(Deno.env.get("DENO_JOBS") ?? Math.min(4, 2 * navigator.hardwareConcurrency));

/** What came of one process. */
interface Outcome {
  readonly counts: Counts;
  /** What failed, as Deno reports it; empty where nothing did. */
  readonly failures: string;
  readonly ignored: readonly string[];
}

/** Whether the dots so far are on a line that is not ended. */
let inDots = false;

/** Reads all that a process writes, and prints its dots as they come. */
async function readOutput(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let output = "";
  let lines = 0;
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    output += text;
    const complete = output.split("\n").slice(lines, -1);
    lines += complete.length;
    const dots = complete.filter(isDot).join("");
    Deno.stdout.writeSync(new TextEncoder().encode(dots));
    inDots ||= dots !== "";
  }
  return output;
}

async function runDeno(
  args: readonly string[],
): Promise<{ status: Deno.CommandStatus; stdout: string; stderr: string }> {
  const env = { NO_COLOR: "1" };
  const command = new Deno.Command(Deno.execPath(), { args: [...args], env, stdout: "piped", stderr: "piped" });
  const child = command.spawn();
  const [status, stdout, stderr] = await Promise.all([
    child.status,
    readOutput(child.stdout),
    new Response(child.stderr).text(),
  ]);
  return { status, stdout, stderr };
}

/** A failure that no test stands for counts as one. */
function crashed(what: string, status: Deno.CommandStatus, text: string): Outcome {
  const end = status.signal === null ? `exit status ${status.code}` : status.signal;
  return { counts: { failed: { tests: 1, steps: 0 } }, failures: `${what}: ${end}\n${text}`, ignored: [] };
}

async function runFile(file: string, flags: readonly string[], reportPath: string): Promise<Outcome> {
  const own = ["-A", "--no-check", "--reporter=dot", `--junit-path=${reportPath}`, `--preload=${WARM_UP}`];
  const { status, stdout, stderr } = await runDeno(["test", ...own, ...flags, file]);
  const counts = countsOf(stdout);
  const failures = failuresOf(stdout);
  if (counts === undefined || (!status.success && !counts.failed?.tests)) {
    return crashed(file, status, `${failures}\n${stderr}`.trim());
  }
  const report = await Deno.readTextFile(reportPath);
  return { counts, failures: status.success ? "" : failures, ignored: ignoredTests(report) };
}

/** Checks the types of a few files alone, and of more by checking everything, which Deno remembers from
 * `deno task check`. */
async function checkTypes(files: readonly string[], flags: readonly string[]): Promise<Outcome> {
  const roots = files.length > MANY ? [ROOT] : files;
  const own = flags.filter((flag) => OF_CHECK.test(flag));
  const { status, stderr } = await runDeno(["check", "--quiet", ...own, ...roots]);
  return status.success ? { counts: {}, failures: "", ignored: [] } : crashed("deno check", status, stderr.trim());
}

/** Runs all jobs, in their order and some at the same time, until the end or Ctrl-C. */
async function runAll(jobs: readonly (() => Promise<Outcome>)[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const queue = jobs.values();
  let isStopped = false;
  const stop = () => isStopped = true;
  Deno.addSignalListener("SIGINT", stop);
  const work = async (): Promise<void> => {
    for (const job of queue) {
      outcomes.push(await job());
      if (isStopped) return;
    }
  };
  await Promise.all(Array.from({ length: JOBS }, work));
  Deno.removeSignalListener("SIGINT", stop);
  return outcomes;
}

const begun = performance.now();
const { files, flags: given } = select(Deno.args);
const flags = given.includes("--no-lock") ? given : [...given, `--lock=${LOCK}`, "--frozen"];
if (files.length === 0) {
  console.error("error: No test modules found");
  Deno.exit(1);
}
const folder = await Deno.makeTempDir({ prefix: "berkeley-" });
try {
  const tests = files.map((file, index) => () => runFile(file, flags, `${folder}/${index}.xml`));
  const types = flags.includes("--no-check") ? [] : [() => checkTypes(files, flags)];
  const outcomes = await runAll([...types, ...tests]);
  if (inDots) console.log();
  for (const { failures } of outcomes) if (failures !== "") console.log(`\n${failures}`);
  const counts = sum(outcomes.map((outcome) => outcome.counts));
  console.log(`\n${formatSummary(counts, performance.now() - begun)}\n`);
  const ignored = outcomes.flatMap((outcome) => outcome.ignored).sort();
  if (ignored.length > 0) console.log(["Ignored:", ...ignored.map((name) => `  ${name}`)].join("\n"));
  Deno.exitCode = counts.failed!.tests > 0 ? 1 : 0;
} finally {
  await Deno.remove(folder, { recursive: true });
}
