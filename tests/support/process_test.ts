import { assert, assertEquals, assertFalse, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { commandExists, run, start, startDeno } from "./process.ts";

describe("Child", () => {
  it("returns lines in order, also the last one without a newline", async () => {
    const { code, stdout } = await run("printf", ["one\\ntwo\\nthree"]);
    assertEquals([code, stdout], [0, "one\ntwo\nthree"]);

    const child = start("printf", ["one\\ntwo\\nthree"]);
    const [, tail] = await child.waitForLine(/^t(.*)$/);
    assertEquals([tail, await child.stdout.next(), await child.stdout.next()], ["wo", "three", undefined]);
    await child.finished();
  });

  it("iterates over lines to the end", async () => {
    await using child = start("printf", ["a\\nb\\n"]);
    assertEquals(await Array.fromAsync(child.stdout), ["a", "b"]);
  });

  it("answers on the input it is given", async () => {
    await using child = start("cat", [], { stdin: true });
    await child.write("hello\n");
    await child.waitForLine(/^hello$/);
    assertEquals((await child.end()).signal, "SIGTERM");
    assertEquals((await run("cat", [], { input: "all at once" })).stdout, "all at once");
  });

  it("reports the child's output when a line never arrives", async () => {
    const child = start("sh", ["-c", "echo out; echo err >&2; exit 3"]);
    const error = await assertRejects(() => child.waitForLine(/never/), Error, "No line on stdout matched /never/");
    const { report } = await child.finished();
    assertStringIncludes(error.message, "out");
    assertStringIncludes(report, "ended with 3\nstdout:\nout\nstderr:\nerr");
  });

  it("can be signalled after its end", async () => {
    const child = start("true");
    assert((await child.finished()).success);
    child.kill();
    assert((await child.end("SIGKILL")).success);
  });

  it("starts Deno without a path to it", async () => {
    const script = "data:application/javascript,console.error(Deno.args[0])";
    const child = startDeno(script, { flags: [], args: ["here"], clearEnv: true });
    await child.waitForLine(/^here$/, "stderr");
    assert((await child.finished()).success);
  });

  it("refuses input to a child that was started without", async () => {
    await using child = start("true");
    await assertRejects(() => child.write("x"), TypeError, '"true" was started without stdin');
  });

  it("throws when there is no such command", () => {
    assertThrows(() => start("no-such-command-here"), Deno.errors.NotFound);
  });
});

describe("commandExists()", () => {
  it("distinguishes programs from other names", async () => {
    assert(await commandExists("sh"));
    assertFalse(await commandExists("no-such-command-here"));
  });
});
