import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { run } from "../support/process.ts";
import { ROOT } from "../support/repository.ts";
import { itUnless, missingCommands } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";

const PROGRAM = new URL("./programs/missing_calls.ts", import.meta.url).pathname;

/** Calls that old kernels and sandboxes lack, and what those say instead. */
const MISSING = ["ENOSYS", "EPERM"].map((code) => `inject=accept4,recvmmsg,sendmmsg,epoll_pwait2:error=${code}`);

/** Why the system calls of a child cannot be replaced, or null. */
const notTraceable = await missingCommands("strace") ??
  ((await run("strace", ["-o", "/dev/null", "true"])).success ? null : "strace may not trace here");

describe("A system without accept4, recvmmsg and sendmmsg", TIMEOUT, () => {
  for (const missing of MISSING) {
    itUnless(notTraceable, `is served by single calls: ${missing}`, async () => {
      const trace = await Deno.makeTempFile();
      try {
        const deno = [Deno.execPath(), "run", "-A", "--no-prompt", PROGRAM];
        const words = ["-f", "-e", "trace=accept,accept4,recvmmsg,sendmmsg", "-e", missing, "-o", trace, ...deno];
        const { success, stdout, report } = await run("strace", words, { cwd: ROOT });
        assert(success, report);
        assertEquals(JSON.parse(stdout), { nonblocking: true, read: 5, sent: 3, received: 3 });
        assertMatch(await Deno.readTextFile(trace), /INJECTED/);
      } finally {
        await Deno.remove(trace);
      }
    });
  }
});
