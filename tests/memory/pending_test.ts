import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { libraryPath, noLibraryPath } from "../support/c_library.ts";
import { startDeno } from "../support/process.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { linuxTable } from "../support/systems.ts";

async function runPending(flags: readonly string[], env: Record<string, string> = {}): Promise<void> {
  const program = new URL("./programs/pending.ts", import.meta.url);
  await using child = startDeno(program, { flags: ["--v8-flags=--expose-gc", "--allow-net", ...flags], env });
  const { success, stdout, report } = await child.finished();
  assert(success, report);
  assertEquals(stdout, "end", report);
}

describe("Hundreds of operations that wait", TIMEOUT, () => {
  it("keep their memory when the collector runs, and refuse transferred memory", async () => {
    await runPending(["--allow-ffi"]);
  });

  itUnless(noLibraryPath, "do so with the C library's path granted alone", async () => {
    await runPending([`--allow-ffi=${libraryPath}`]);
  });

  itUnless(linuxTable ? null : "poll(2) is Linux's second choice", "do so over poll(2)", async () => {
    await runPending(["--allow-ffi", "--allow-env=BERKELEY_POLLER"], { BERKELEY_POLLER: "poll" });
  });
});
