import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { start, startDeno } from "../support/process.ts";
import { ROOT } from "../support/repository.ts";
import { itUnless, missingCommands } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";

noDescriptorLeaks();

const noScript = await missingCommands("script");

/** Prints a note, and has done 5 of 10 steps when the line is first drawn, until `seconds` have passed. */
async function withProgram(seconds: number, body: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  const program = `
    import { note, Steps } from "${new URL("examples/progress.ts", ROOT)}";
    note("Waiting");
    using steps = new Steps(1_000, "steps");
    steps.done = 500;
    await new Promise((resolve) => setTimeout(resolve, ${seconds * 1000}));
    steps.clear();
    console.log("done");`;
  try {
    await Deno.writeTextFile(path, program);
    await body(path);
  } finally {
    await Deno.remove(path);
  }
}

describe("The progress of examples", TIMEOUT, () => {
  itUnless(noScript, "is drawn on a terminal, with the time left, and removed before a result is printed", async () => {
    await withProgram(2, async (path) => {
      const child = start("script", ["-qec", `${Deno.execPath()} run ${path}`, "/dev/null"]);
      const { stdout, report } = await child.finished();
      assertMatch(stdout, /^Waiting\r\n/, report);
      assertMatch(stdout, /500 of 1,000 steps, \d s left/, report);
      assert(stdout.trimEnd().endsWith("left\r\x1b[Kdone"), report);
    });
  });

  it("is not drawn in a pipe", async () => {
    await withProgram(1.5, async (path) => {
      const { stdout, stderr } = await startDeno(path).finished();
      assertEquals([stdout, stderr], ["done", ""]);
    });
  });
});
