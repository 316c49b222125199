import { assert, assertEquals } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { thisSystem } from "../../ffi/libc/host.ts";
import { startDeno } from "../support/process.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";

const PROGRAM = new URL("./programs/event_loops.ts", import.meta.url);
const nothingToFind = thisSystem().threadSyscallPath === null
  ? "this system does not say what a thread is blocked in"
  : null;

describe("The event loop's own descriptor", TIMEOUT, () => {
  itUnless(nothingToFind, "is found on every thread, each its own, and tells of the runtime's sockets", async () => {
    await using child = startDeno(PROGRAM);
    const { success, stdout, report } = await child.finished();
    assert(success, report);
    const findings: { fd: number | null; quiet: number; readable: boolean }[] = JSON.parse(stdout);
    assertEquals(
      findings.map(({ quiet, readable }) => ({ quiet, readable })),
      Array(3).fill({ quiet: 0, readable: true }),
    );
    assertEquals(new Set(findings.map(({ fd }) => fd)).size, 3);
  });
});
