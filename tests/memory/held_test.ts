import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { startDeno } from "../support/process.ts";
import { TIMEOUT } from "../support/timeout.ts";

describe("The memory an operation was given", TIMEOUT, () => {
  it("is not retained after the operation, however it ended", async () => {
    const program = new URL("./programs/held.ts", import.meta.url);
    await using child = startDeno(program, { flags: ["-A", "--v8-flags=--expose-gc"] });
    const { success, stdout, report } = await child.finished();
    assert(success, report);
    const { operations, held } = JSON.parse(stdout);
    assertEquals(held, [], report);
    assert(operations > 30, report);
  });
});
