import { assert, assertEquals, assertFalse } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { freeUdpPort } from "../support/loopback.ts";
import type { Child } from "../support/process.ts";
import { startExample } from "./support.ts";

noDescriptorLeaks();

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
