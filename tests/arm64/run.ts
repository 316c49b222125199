/**
 * Runs tests with Deno's build for arm64 and Debian's C library for arm64, under the emulator qemu-user. The emulator
 * passes system calls on to this machine's kernel: what it does not know, tests find out by trying, and are ignored with
 * the reason.
 *
 *     deno run -A tests/arm64/run.ts
 *     deno run -A tests/arm64/run.ts tests/udp/batch_test.ts --filter "receiveMany()"
 *
 * Without arguments it runs PORTIONS, a process each, and prints the sum.
 *
 * @module
 */
import { emulatedDeno, whyNot } from "./emulated_deno.ts";

/** What one process runs. Each took at most a third of LIMIT_SECONDS on two cores. */
const PORTIONS: readonly string[] = [
  "tests/struct tests/libc tests/layout tests/option tests/validate",
  "tests/address tests/io",
  "tests/poll tests/socket",
  "tests/tcp",
  "tests/unix",
  "tests/udp",
];

/** After so long a portion is ended, and counts as failed. */
const LIMIT_SECONDS = 1800;

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
    env: { BERKELEY_ARM64_DENO: deno, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
    stdout: "piped",
  });
  await using child = command.spawn();
  const counts = countsOf(await tee(child.stdout));
  const { code } = await child.status;
  if (code === 124) console.log(`Ended after ${LIMIT_SECONDS} seconds: ${args.join(" ")}`);
  if (code !== 0 && counts.failed === 0) counts.failed = 1;
  return counts;
}

async function main(): Promise<number> {
  const reason = await whyNot();
  if (reason !== null) {
    console.log(`The tests on arm64 are skipped: ${reason}`);
    return 0;
  }
  const deno = await emulatedDeno();
  const portions = Deno.args.length > 0 ? [Deno.args] : PORTIONS.map((portion) => portion.split(" "));
  const sum: Counts = { passed: 0, failed: 0, ignored: 0 };
  for (const portion of portions) {
    console.log(`\nOn arm64: ${portion.join(" ")}`);
    const counts = await runPortion(deno, portion);
    for (const kind of KINDS) sum[kind] += counts[kind];
  }
  console.log(`\nOn arm64: ${KINDS.map((kind) => `${sum[kind]} ${kind}`).join(", ")}`);
  return sum.failed === 0 ? 0 : 1;
}

Deno.exitCode = await main();
