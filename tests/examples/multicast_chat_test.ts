import { assert, assertEquals, assertFalse } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { freeUdpPort } from "../support/loopback.ts";
import { type Child, start } from "../support/process.ts";
import { ROOT } from "../support/repository.ts";
import { itUnless, missingCommands } from "../support/skipping.ts";
import { printedCommands, startExample } from "./support.ts";

noDescriptorLeaks();

const noPython = await missingCommands("python3");

/** Joins the chat. Messages are received only from then on. */
async function join(port: number, name: string): Promise<Child> {
  const child = await startExample("multicast_chat", { stdin: true, args: ["--name", name, "--port", String(port)] });
  await child.waitForLine(new RegExp(`^\\* you are ${name} on 239\\.255\\.42\\.99:${port};`));
  return child;
}

describe("examples/multicast_chat.ts", () => {
  it("lets three processes talk to each other", async () => {
    const port = freeUdpPort();
    await using alice = await join(port, "alice");
    await using bob = await join(port, "bob");
    await using carol = await join(port, "carol");
    await alice.waitForLine(/^\* bob joined$/);
    for (const earlier of [alice, bob]) await earlier.waitForLine(/^\* carol joined$/);

    const people = { alice, bob, carol };
    for (const [name, speaker] of Object.entries(people)) {
      await speaker.write(`hello from ${name}\n`);
      for (const other of Object.values(people)) {
        if (other !== speaker) await other.waitForLine(new RegExp(`^${name}: hello from ${name}$`));
      }
    }

    await carol.closeInput();
    const left = await carol.finished();
    assert(left.success, left.report);
    assertFalse(left.stdout.includes("carol: "), "What she said came back to her");
    for (const other of [alice, bob]) await other.waitForLine(/^\* carol left$/);
  });

  it("prints who leaves by Ctrl-C", async () => {
    const port = freeUdpPort();
    await using reader = await join(port, "reader");
    await using writer = await join(port, "writer");
    const { code, stdout, report } = await writer.end("SIGINT");
    assertEquals(code, 0, report);
    assert(stdout.endsWith("\n* you left"), report);
    await reader.waitForLine(/^\* writer left$/);
  });

  itUnless(noPython, "prints above a half-typed line on a terminal", async () => {
    const port = freeUdpPort();
    await using bob = await join(port, "bob");
    const [command] = await printedCommands("multicast_chat");
    const spawn = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)";
    const args = ["-c", spawn, Deno.execPath(), ...command!, "--name", "alice", "--port", String(port)];
    await using alice = start("python3", args, { cwd: ROOT, stdin: true });
    await bob.waitForLine(/^\* alice joined$/);
    await alice.write("half");
    await alice.stdout.untilText("half");
    await bob.write("hello\n");
    // The line of the prompt is cleared, the message stands there, and the prompt comes again with what was typed.
    await alice.stdout.untilText("bob: hello\r\n\x1b[1G\x1b[0J> half");
    await alice.write(" done\n");
    await bob.waitForLine(/^alice: half done$/);
    await alice.write("\x03");
    await bob.waitForLine(/^\* alice left$/);
    const { code, report } = await alice.finished();
    assertEquals(code, 0, report);
  });

  it("keeps control characters off the terminals of others", async () => {
    const port = freeUdpPort();
    await using reader = await join(port, "reader");
    await using writer = await join(port, "writer");
    await writer.write("\x1b[31mred\x07\n");
    const [line] = await reader.waitForLine(/^.*red.*$/);
    assertEquals(line, "writer:  [31mred ");
  });

  it("sends a last line without a newline, and leaves at the end of its input", async () => {
    const port = freeUdpPort();
    await using reader = await join(port, "reader");
    await using writer = await join(port, "writer");
    await writer.write("one\ntwo");
    await writer.closeInput();
    const { success, report } = await writer.finished();
    assert(success, report);
    for (const line of [/^writer: one$/, /^writer: two$/, /^\* writer left$/]) await reader.waitForLine(line);
  });
});
