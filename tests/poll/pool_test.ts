import { assert, assertEquals } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { run, startDeno } from "../support/process.ts";
import { itUnless, missingCommands } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";

const noFifo = await missingCommands("mkfifo");
const PROGRAM = new URL("./programs/pool_full.ts", import.meta.url);

describe("With every thread of the pool taken by other work", TIMEOUT, () => {
  itUnless(noFifo, "datagrams are received all the same", async () => {
    const folder = await Deno.makeTempDir();
    try {
      const fifo = `${folder}/fifo`;
      assert((await run("mkfifo", [fifo])).success);
      await using child = startDeno(PROGRAM, { args: [fifo] });
      const { success, stdout, report } = await child.finished();
      assert(success, report);
      assertEquals(JSON.parse(stdout), { received: 7 });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
});
