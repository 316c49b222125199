import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { run } from "../support/process.ts";
import { ROOT } from "../support/repository.ts";
import { noOwnCalls } from "../support/kernel.ts";
import { itUnless, missingCommands } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";

const INTERRUPTED = new URL("./programs/interrupted.ts", import.meta.url).pathname;
const PROGRAM = new URL("./programs/missing_calls.ts", import.meta.url).pathname;

/** Calls that old kernels and sandboxes lack, and what those say instead. */
const MISSING = ["ENOSYS", "EPERM"].map((code) => `inject=accept4,recvmmsg,sendmmsg:error=${code}`);

/** Why the system calls of a child cannot be replaced, or null. */
const notTraceable = await missingCommands("strace") ??
  ((await run("strace", ["-o", "/dev/null", "true"])).success ? noOwnCalls : "strace may not trace here");

describe("A system without accept4, recvmmsg and sendmmsg", TIMEOUT, () => {
  for (const missing of MISSING) {
    itUnless(notTraceable, `is served by single calls: ${missing}`, async () => {
      const trace = await Deno.makeTempFile();
      try {
        const deno = [Deno.execPath(), "run", "-A", "--no-prompt", PROGRAM];
        const words = [
          "-f",
          "--seccomp-bpf",
          "-e",
          "trace=accept,accept4,recvmmsg,sendmmsg",
          "-e",
          missing,
          "-o",
          trace,
          ...deno,
        ];
        const { success, stdout, report } = await run("strace", words, { cwd: ROOT });
        assert(success, report);
        assertEquals(JSON.parse(stdout), { nonblocking: true, closeOnExec: true, read: 5, sent: 3, received: 3 });
        assertMatch(await Deno.readTextFile(trace), /INJECTED/);
      } finally {
        await Deno.remove(trace);
      }
    });
  }
});

/** What the C library calls for epoll_wait(3): Linux for arm64 does not have that call. */
const WAIT = Deno.build.arch === "aarch64" ? "epoll_pwait" : "epoll_wait";

/** Every call that a signal can interrupt. */
const INTERRUPTIBLE = `accept4,recvmsg,sendmsg,recvfrom,sendto,recvmmsg,sendmmsg,${WAIT},ppoll,sendfile`;

/** The calls among them that a trace shows as interrupted, in order of their names. */
function interrupted(trace: string): string[] {
  const calls = trace.split("\n").filter((line) => line.includes("(INJECTED)"));
  return [...new Set(calls.map((line) => /^\d+ +(?:<\.{3} )?(\w+)/.exec(line)?.[1] ?? line))].sort();
}

describe("A system call that a signal interrupts", TIMEOUT, () => {
  for (const poller of ["epoll", "poll"]) {
    itUnless(notTraceable, `is made again, over ${poller}`, async () => {
      const trace = await Deno.makeTempFile();
      try {
        const deno = [Deno.execPath(), "run", "-A", "--no-prompt", INTERRUPTED];
        // The second call of each kind, and each third after it; a connection is accepted once.
        const words = ["-f", "--seccomp-bpf", "-o", trace, "-e", `trace=${INTERRUPTIBLE}`];
        for (const call of INTERRUPTIBLE.split(",")) {
          words.push("-e", `inject=${call}:error=EINTR:when=${call === "accept4" ? 1 : 2}+3`);
        }
        const env = { BERKELEY_POLLER: poller };
        const { success, stdout, report } = await run("strace", [...words, ...deno], { cwd: ROOT, env });
        assert(success, report);
        assertEquals(JSON.parse(stdout), { streams: [24, 24, 3, 6], datagrams: [4 * (6 + 15 + 15 + 6)] });
        // Over epoll ppoll(2) is for short waits, of which a program may have none.
        const isCertain = (call: string) => poller === "poll" || call !== "ppoll";
        const calls = interrupted(await Deno.readTextFile(trace)).filter(isCertain);
        assertEquals(calls, INTERRUPTIBLE.split(",").filter(isCertain).sort());
      } finally {
        await Deno.remove(trace);
      }
    });
  }
});
