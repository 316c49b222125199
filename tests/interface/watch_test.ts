import { assert, assertEquals, assertThrows } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { type InterfaceChange, watchInterfaces } from "../../mod.ts";
import { descriptorCount, noDescriptorLeaks } from "../support/descriptors.ts";
import { missingNamespaces, type Namespace, NamespacePair } from "../support/namespaces.ts";
import { type Child, run } from "../support/process.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";

noDescriptorLeaks();

const PROGRAM = new URL("./programs/watch.ts", import.meta.url).pathname;
const reason = await missingNamespaces();

/** A watching process in a namespace. */
class Watching implements AsyncDisposable {
  private constructor(readonly child: Child, readonly namespace: Namespace) {}

  static async start(namespace: Namespace): Promise<Watching> {
    const child = namespace.start(Deno.execPath(), ["run", "-A", "--no-prompt", PROGRAM], { stdin: true });
    await child.waitForLine(/^ready$/);
    return new Watching(child, namespace);
  }

  async ask<T>(question: "next" | "drops" | "abort"): Promise<T> {
    await this.child.write(`${question}\n`);
    const [line] = await this.child.waitForLine(/^\{.*\}$/);
    return JSON.parse(line).answer;
  }

  /** The next change, in a line. */
  async next(): Promise<string> {
    const { type, interface: { name, up, addresses } } = await this.ask<InterfaceChange>("next");
    const texts = addresses.filter(({ family }) => family === "inet").map(({ address }) => address);
    return [type, name, up ? "up" : "down", ...texts].join(" ");
  }

  /** Changes until one is this. */
  async until(wanted: string): Promise<string[]> {
    const seen: string[] = [];
    while (seen.at(-1) !== wanted) {
      seen.push(await this.next());
      assert(seen.length < 200, `no "${wanted}" among ${seen.join(", ")}`);
    }
    return seen;
  }

  async ip(...args: string[]): Promise<void> {
    const finished = await this.namespace.run("ip", args);
    assert(finished.success, finished.report);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.child[Symbol.asyncDispose]();
  }
}

let pair: NamespacePair;
beforeAll(async () => {
  if (reason === null) pair = await NamespacePair.create();
});
afterAll(async () => {
  if (reason === null) await pair[Symbol.asyncDispose]();
});

describe("watchInterfaces()", TIMEOUT, () => {
  itUnless(reason, "yields all interfaces, then those that are added, changed and removed", async () => {
    await using watching = await Watching.start(pair.left);
    assertEquals(await watching.next(), "added lo up 127.0.0.1");
    assertEquals(await watching.next(), "added veth0 up 192.0.2.1");
    await watching.ip("tuntap", "add", "dev", "one0", "mode", "tap");
    assertEquals(await watching.next(), "added one0 down");
    await watching.ip("address", "add", "198.51.100.1/24", "dev", "one0");
    assertEquals(await watching.next(), "changed one0 down 198.51.100.1");
    await watching.ip("link", "set", "one0", "up");
    assert((await watching.until("changed one0 up 198.51.100.1")).every((line) => line.startsWith("changed one0")));
    await watching.ip("address", "delete", "198.51.100.1/24", "dev", "one0");
    await watching.until("changed one0 up");
    await watching.ip("link", "delete", "one0");
    assertEquals((await watching.until("removed one0 up")).at(-1), "removed one0 up");
  });

  itUnless(reason, "yields a new MTU and a new name as changes", async () => {
    await using watching = await Watching.start(pair.left);
    await watching.until("added veth0 up 192.0.2.1");
    await watching.ip("tuntap", "add", "dev", "old0", "mode", "tap");
    await watching.until("added old0 down");
    await watching.ip("link", "set", "old0", "mtu", "1400");
    const { type, interface: { mtu } } = await watching.ask<InterfaceChange>("next");
    assertEquals([type, mtu], ["changed", 1400]);
    await watching.ip("link", "set", "old0", "name", "new0");
    await watching.until("changed new0 down");
    await watching.ip("link", "delete", "new0");
    await watching.until("removed new0 down");
  });

  itUnless(reason, "yields an interface that was replaced under the same index between two listings", async () => {
    await using watching = await Watching.start(pair.left);
    await watching.until("added veth0 up 192.0.2.1");
    await watching.ip("link", "add", "again0", "index", "777", "type", "veth", "peer", "name", "other0");
    await watching.until("added again0 down");
    await watching.ip("link", "delete", "again0");
    await watching.ip("link", "add", "again0", "index", "777", "type", "veth", "peer", "name", "other0");
    const both = [await watching.next(), await watching.next(), await watching.next(), await watching.next()];
    assertEquals(both.sort(), ["added again0 down", "added other0 down", "removed again0 down", "removed other0 down"]);
    await watching.ip("link", "delete", "again0");
    await watching.until("removed again0 down");
  });

  itUnless(reason, "lists anew when its socket has lost messages", async () => {
    await using watching = await Watching.start(pair.left);
    await watching.until("added veth0 up 192.0.2.1");
    await watching.ip("tuntap", "add", "dev", "many0", "mode", "tap");
    await watching.until("added many0 down");
    const commands = Array.from({ length: 2_000 }, (_, index) => {
      const address = `198.18.${index >> 8}.${index & 255}/32`;
      return `address add ${address} dev many0\naddress delete ${address} dev many0\n`;
    });
    const batch = await Deno.makeTempFile();
    try {
      await Deno.writeTextFile(batch, [...commands, "address add 198.19.0.1/32 dev many0\n"].join(""));
      await watching.ip("-batch", batch);
    } finally {
      await Deno.remove(batch);
    }
    assert(await watching.ask<number>("drops") > 0, "nothing was lost: the socket's buffer is too large for this test");
    assertEquals(await watching.next(), "changed many0 down 198.19.0.1");
    await watching.ip("link", "delete", "many0");
    assertEquals(await watching.next(), "removed many0 down 198.19.0.1");
  });

  itUnless(reason, "ends on abort, also while it waits", async () => {
    await using watching = await Watching.start(pair.left);
    await watching.until("added veth0 up 192.0.2.1");
    assertEquals(await watching.ask("abort"), [true, true]);
    await watching.child.closeInput();
    assertEquals((await watching.child.finished()).code, 0);
  });

  it("ends by leaving the loop, by return while it waits, and at once where the signal is aborted", async () => {
    const before = descriptorCount();
    for await (const { type } of watchInterfaces()) {
      assertEquals(type, "added");
      assertEquals(descriptorCount() > before, true);
      break;
    }
    const changes = watchInterfaces();
    for (let index = 0; index < 64; index++) {
      const waiting = changes.next();
      const first = await Promise.race([waiting, new Promise((resolve) => setTimeout(resolve, 0))]);
      if (first !== undefined) continue;
      await changes.return!();
      assertEquals(await waiting, { value: undefined, done: true });
      break;
    }
    assertEquals(await changes.next(), { value: undefined, done: true });
    assertEquals((await watchInterfaces({ signal: AbortSignal.abort() }).next()).done, true);
    assertEquals(watchInterfaces().return !== undefined, true);
  });

  it("tells nothing more once its permission is revoked", async () => {
    const program = `
      import { watchInterfaces } from ${JSON.stringify(new URL("../../mod.ts", import.meta.url).href)};
      const changes = watchInterfaces();
      console.log((await changes.next()).value.type);
      await Deno.permissions.revoke({ name: "sys", kind: "networkInterfaces" });
      await changes.next().catch((error) => console.log(error.name));
      console.log((await changes.next()).done);`;
    const path = await Deno.makeTempFile({ suffix: ".ts" });
    try {
      await Deno.writeTextFile(path, program);
      const flags = ["run", "--no-prompt", "--allow-ffi", "--allow-sys=networkInterfaces"];
      const { stdout, report } = await run(Deno.execPath(), [...flags, path]);
      assertEquals(stdout.trim().split("\n"), ["added", "NotCapable", "true"], report);
    } finally {
      await Deno.remove(path);
    }
  });

  it("refuses what is no signal", () => {
    assertThrows(() => watchInterfaces({ signal: 5 as unknown as AbortSignal }), TypeError, "Invalid signal: 5");
    assertThrows(() => watchInterfaces(new AbortController().signal as never), TypeError, "an AbortSignal");
  });
});
