import { assert, assertEquals } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { startDeno } from "../support/process.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { linuxTable } from "../support/systems.ts";

const PROGRAM = new URL("./programs/failing_poller.ts", import.meta.url);
const notLinux = linuxTable ? null : "the program finds the poller in /proc/self/fd";

describe("A poller that fails", TIMEOUT, () => {
  itUnless(notLinux, "fails all that waits, with an error each, and another takes its place", async () => {
    await using child = startDeno(PROGRAM, { env: { BERKELEY_POLLER: "epoll" } });
    const { success, stdout, report } = await child.finished();
    assert(success, report);
    const told = "BadResource EBADF epoll_wait";
    assertEquals(JSON.parse(stdout), { told: [told, told, told], received: 3 });
  });
});
