/**
 * Tests that errno is read before anything else can change it: in processes of their own, since whether it is read right is
 * settled when a process starts.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { libraryFlags, libraryPath, noLibraryPath } from "../support/c_library.ts";
import { startDeno } from "../support/process.ts";
import { itUnless } from "../support/skipping.ts";

const PROGRAM = new URL("./programs/failing_calls.ts", import.meta.url);

/** Processes that run at a time: enough to keep a small machine busy, and so to be interrupted anywhere. */
const AT_ONCE = 4;

/** Runs as many processes, each with a seed of its own, and returns what each of them reported. */
async function reports(count: number, flags: string[]): Promise<string[]> {
  const outputs: string[] = [];
  let next = 0;
  const runNext = async () => {
    for (let seed = next++; seed < count; seed = next++) {
      const { stdout, report, success } = await startDeno(PROGRAM, { flags, args: [String(seed)] }).finished();
      outputs.push(success ? stdout : report);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, runNext));
  return outputs;
}

/** Every report is the number of calls alone. */
async function expectRightCodes(count: number, flags: string[]): Promise<void> {
  const outputs = await reports(count, ["--allow-net", "--allow-read", "--allow-write", ...flags]);
  assertEquals(outputs.length, count);
  assertEquals(outputs.filter((output) => output !== outputs[0]), []);
  const [, made] = outputs[0]!.match(/^(\d+) calls$/) ?? [outputs[0], "0"];
  assert(Number(made) > 300, outputs[0]);
}

/** Tests of as many processes with all of FFI granted, and with the C library's path alone. */
export function registerFailingCalls(unscoped: number, scoped: number): void {
  describe("The code of a failing call", { timeout: 300_000 }, () => {
    it(`is right every time in ${unscoped} fresh processes`, async () => {
      await expectRightCodes(unscoped, ["--allow-ffi"]);
    });

    itUnless(
      noLibraryPath,
      `is right every time in ${scoped} that were granted the C library's path alone`,
      async () => {
        await expectRightCodes(scoped, [`--allow-ffi=${libraryPath}`, ...libraryFlags]);
      },
    );
  });
}
