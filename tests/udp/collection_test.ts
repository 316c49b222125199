import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { libraryFlags, libraryPath, noLibraryPath } from "../support/c_library.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { startDeno } from "../support/process.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";

noDescriptorLeaks();

const PROGRAM = new URL("./programs/collecting.ts", import.meta.url);

async function runCollecting(...flags: string[]): Promise<void> {
  await using child = startDeno(PROGRAM, { flags: ["--v8-flags=--expose-gc", "--allow-net", ...flags] });
  const { success, stdout, report } = await child.finished();
  assert(success, report);
  assertEquals(stdout, "end", report);
}

describe("Memory", TIMEOUT, () => {
  it("stays alive as long as the kernel may use it, whenever the collector runs", async () => {
    await runCollecting("--allow-ffi");
  });

  itUnless(noLibraryPath, "does so with the C library's path granted alone", async () => {
    await runCollecting(`--allow-ffi=${libraryPath}`, ...libraryFlags);
  });

  it("does so with poll in epoll's place", async () => {
    await using child = startDeno(PROGRAM, {
      flags: ["--v8-flags=--expose-gc", "--allow-all"],
      env: { BERKELEY_POLLER: "poll" },
    });
    const { stdout, report } = await child.finished();
    assertEquals(stdout, "end", report);
  });
});
