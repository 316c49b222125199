/**
 * Runs tests with Deno's build for arm64 and Debian's C library for arm64, under the emulator qemu-user. The emulator
 * makes system calls of this machine's kernel: what it does not know, tests find out by trying, and are ignored with the
 * reason.
 *
 *     deno run -A tests/arm64/run.ts
 *     deno run -A tests/arm64/run.ts tests/tcp tests/udp/batch_test.ts --filter "receiveMany()"
 *
 * Files are run a few at a time, a process each, and what the processes report is added up. From the first option on,
 * arguments are those of `deno test`.
 *
 * @module
 */
import { emulatedDeno, whyNot } from "./emulated_deno.ts";

/** What runs without arguments: all that calls the system, from the structures up. */
const FOLDERS = [
  "struct",
  "libc",
  "layout",
  "option",
  "validate",
  "address",
  "io",
  "poll",
  "socket",
  "tcp",
  "unix",
  "udp",
]
  .map((name) => `tests/${name}`);

/** The most files of one process. */
const FILES = 6;

/** After so long a process is ended, and counts as failed. */
const LIMIT_SECONDS = 600;

const KINDS = ["passed", "failed", "ignored"] as const;
type Counts = Record<(typeof KINDS)[number], number>;

const RUNNER = new URL("../run.ts", import.meta.url).pathname;
const PRELOADED = new URL("./exec_path.ts", import.meta.url).pathname;

/** What the last line of a report counts; steps are left out. */
function countsOf(output: string): Counts {
  const [summary = ""] = output.match(/^(ok|FAILED) \| \d+ passed.*$/gm)?.slice(-1) ?? [];
  const counts = KINDS.map((kind) => [kind, Number(new RegExp(`(\\d+) ${kind}`).exec(summary)?.[1] ?? 0)]);
  return Object.fromEntries(counts) as Counts;
}

/** Passes on what a command writes, and returns it. */
async function tee(output: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (const part of output.pipeThrough(new TextDecoderStream())) {
    text += part;
    await Deno.stdout.write(new TextEncoder().encode(part));
  }
  return text;
}

/** Runs the tests of one portion. A failure that no test stands for counts as one. */
async function runPortion(deno: string, args: readonly string[]): Promise<Counts> {
  // Types are checked by the task `check`. What the tests started ends with them: timeout(1) signals its process group.
  const tests = [`--preload=${PRELOADED}`, RUNNER, "--no-check", `--preload=${PRELOADED}`, ...args];
  const command = new Deno.Command("timeout", {
    args: ["--kill-after=10", String(LIMIT_SECONDS), deno, "run", "-A", "--no-check", ...tests],
    env: { BERKELEY_ARM64_DENO: deno, TEST_TIMEOUT_FACTOR: "3", NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
    stdout: "piped",
  });
  await using child = command.spawn();
  const counts = countsOf(await tee(child.stdout));
  const { code } = await child.status;
  if (code === 124) console.log(`Ended after ${LIMIT_SECONDS} seconds: ${args.join(" ")}`);
  if (code !== 0 && counts.failed === 0) counts.failed = 1;
  return counts;
}

/** The test files of a folder, or the file itself. */
async function filesOf(path: string): Promise<string[]> {
  if (!(await Deno.stat(path)).isDirectory) return [path];
  const names = Array.from(Deno.readDirSync(path), ({ name }) => name);
  return names.filter((name) => name.endsWith("_test.ts")).sort().map((name) => `${path}/${name}`);
}

async function main(): Promise<number> {
  const reason = await whyNot();
  if (reason !== null) {
    console.log(`The tests on arm64 are skipped: ${reason}`);
    return 0;
  }
  const deno = await emulatedDeno();
  const firstOption = Deno.args.findIndex((arg) => arg.startsWith("-"));
  const paths = firstOption === -1 ? Deno.args : Deno.args.slice(0, firstOption);
  const options = firstOption === -1 ? [] : Deno.args.slice(firstOption);
  const files = (await Promise.all((paths.length > 0 ? paths : FOLDERS).map(filesOf))).flat();
  const sum: Counts = { passed: 0, failed: 0, ignored: 0 };
  for (let at = 0; at < files.length; at += FILES) {
    const portion = files.slice(at, at + FILES);
    console.log(`\nOn arm64, ${at + portion.length} of ${files.length} files: ${portion.join(" ")}`);
    const counts = await runPortion(deno, [...portion, ...options]);
    for (const kind of KINDS) sum[kind] += counts[kind];
  }
  console.log(`\nOn arm64: ${KINDS.map((kind) => `${sum[kind]} ${kind}`).join(", ")}`);
  return sum.failed === 0 ? 0 : 1;
}

Deno.exitCode = await main();
