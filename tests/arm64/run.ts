/**
 * Runs tests with Deno's build for arm64 and Debian's C library for arm64, under the emulator qemu-user. The emulator
 * makes system calls of this machine's kernel: what it does not know, tests find out by trying, and are ignored with the
 * reason.
 *
 *     deno run -A tests/arm64/run.ts
 *     deno run -A tests/arm64/run.ts tests/tcp --filter "accept()"
 *
 * Each file is a process of its own, which may take ten minutes. Takes the arguments of tests/run.ts.
 *
 * @module
 */
import { emulatedDeno, NotFetched, whyNot } from "./emulated_deno.ts";

/** All that calls the system, from the structures up. */
const FOLDERS = "struct libc layout validate option address io poll socket tcp unix udp";

const RUNNER = new URL("../run.ts", import.meta.url).pathname;
const PRELOADED = new URL("./exec_path.ts", import.meta.url).pathname;

async function runTests(deno: string, args: readonly string[]): Promise<number> {
  // Types are checked without an emulator: the task `check`.
  const flags = [`--preload=${PRELOADED}`, RUNNER, "--no-check", `--preload=${PRELOADED}`];
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", ...flags, ...args],
    env: { ARM64_DENO: deno, TEST_TIMEOUT_FACTOR: "3" },
  });
  return (await command.spawn().status).code;
}

/** Why nothing can be run, or the script to run it with. */
async function prepare(): Promise<{ reason: string } | { deno: string }> {
  const reason = await whyNot();
  if (reason !== null) return { reason };
  try {
    return { deno: await emulatedDeno() };
  } catch (error) {
    if (error instanceof NotFetched) return { reason: error.message };
    throw error;
  }
}

const prepared = await prepare();
if ("reason" in prepared) console.log(`The tests on arm64 are skipped: ${prepared.reason}`);
else {
  const folders = FOLDERS.split(" ").map((name) => `tests/${name}`);
  Deno.exitCode = await runTests(prepared.deno, Deno.args.length > 0 ? Deno.args : folders);
}
