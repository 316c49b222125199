import { assertLess } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { bytes } from "../support/bytes.ts";
import { openUdp } from "../udp/support.ts";

noDescriptorLeaks();

const IDLE_MS = 400;

/** Far less than polls of a millisecond would make of it, and far more than a thread that waits does. */
const MOST_SWITCHES = 60;

/** How often this thread has waited in the kernel: proc_pid_status(5). */
function waitsOfThisThread(): number {
  const [, count] = /^voluntary_ctxt_switches:\s*(\d+)/m.exec(Deno.readTextFileSync("/proc/thread-self/status"))!;
  return Number(count);
}

const NO_PROC = Deno.build.os === "linux" ? null : "needs /proc";

describe("A socket on which nothing arrives", TIMEOUT, () => {
  for (const referenced of [true, false]) {
    const how = referenced ? "on a thread" : "now and then";
    itUnless(NO_PROC, `is waited for ${how}, and no more polled each millisecond`, async () => {
      using receiver = openUdp();
      using sender = openUdp();
      // Traffic first, at which the reactor begins to poll in each turn.
      for (let round = 0; round < 100; round++) {
        const received = receiver.receive();
        await sender.send(bytes("x"), receiver.addr);
        await received;
      }
      if (!referenced) receiver.unref();
      const last = receiver.receive();
      await new Promise((resolve) => setTimeout(resolve, 100));
      const before = waitsOfThisThread();
      await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
      const waits = waitsOfThisThread() - before;
      receiver.ref();
      await sender.send(bytes("x"), receiver.addr);
      await last;
      // Every 5 ms, where a thread would hold the process.
      assertLess(waits, referenced ? MOST_SWITCHES : MOST_SWITCHES + IDLE_MS / 5);
    });
  }
});
