import { assert, assertEquals } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { start } from "../support/process.ts";
import { itUnless, missingCommands } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";

noDescriptorLeaks();

const PROGRAM = new URL("./programs/exhausted.ts", import.meta.url);

/** util-linux's, which runs a program under other limits. */
const missing = await missingCommands("prlimit");

describe("A process at its limit of descriptors", TIMEOUT, () => {
  itUnless(missing, "gets EMFILE from every call that needs another, and goes on when one is free", async () => {
    const command = [Deno.execPath(), "run", "-A", PROGRAM.pathname];
    await using child = start("prlimit", ["--nofile=128:128", ...command]);
    const { success, stdout, report } = await child.finished();
    assert(success, report);
    assertEquals(stdout.replace(/(?<=wait: EMFILE )(epoll_create1|eventfd|kqueue)/, "of the poller").split("\n"), [
      "open: EMFILE socket",
      "again: EMFILE socket",
      "plain: EMFILE socket",
      "duplicate: EMFILE fcntl",
      "wait: EMFILE of the poller",
      "received: 1 2",
    ]);
  });
});
