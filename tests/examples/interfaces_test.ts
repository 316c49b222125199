import { assert, assertEquals, assertMatch } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { missingNamespaces, NamespacePair } from "../support/namespaces.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { runExample, startExample } from "./support.ts";

noDescriptorLeaks();

const reason = await missingNamespaces();
let pair: NamespacePair;
beforeAll(async () => {
  if (reason === null) pair = await NamespacePair.create();
});
afterAll(async () => {
  if (reason === null) await pair[Symbol.asyncDispose]();
});

describe("examples/interfaces.ts", TIMEOUT, () => {
  itUnless(reason, "lists what iproute2 lists, separated by tabs in a pipe", async () => {
    const child = await startExample("interfaces", { namespace: pair.left });
    const { success, stdout, report } = await child.finished();
    assert(success, report);
    const [header, ...rows] = stdout.split("\n").map((line) => line.split("\t"));
    assertEquals(header, ["NAME", "INDEX", "STATE", "MTU", "MAC", "ADDRESSES"]);
    const brief = await pair.left.run("ip", ["-brief", "link"]);
    const macs = brief.stdout.trim().split("\n").map((line) => line.trim().split(/\s+/));
    assertEquals(rows.map(([name]) => name), macs.map(([name]) => name!.replace(/@.*/, "")));
    assertEquals(rows[1]![4], macs[1]![2]);
    assertEquals(rows[1]![2], "up,multicast");
    assertEquals(rows[1]![5]!.split(" ").sort(), ["192.0.2.1/24", "2001:db8::1/64", "fe80::1/64"]);
  });

  itUnless(reason, "prints changes, as JSON where it is asked to, and ends on SIGINT", async () => {
    await using child = await startExample("interfaces", { command: 1, args: ["--json"], namespace: pair.left });
    await child.waitForLine(/"type":"added".*"name":"veth0"/);
    for (const args of [["tuntap", "add", "dev", "tap7", "mode", "tap"], ["link", "set", "tap7", "up"]]) {
      assert((await pair.left.run("ip", args)).success);
    }
    await child.waitForLine(/"type":"added".*"name":"tap7"/);
    await child.waitForLine(/"type":"changed".*"name":"tap7".*"up":true/);
    assert((await pair.left.run("ip", ["link", "delete", "tap7"])).success);
    await child.waitForLine(/"type":"removed".*"name":"tap7"/);
    const { code, stderr } = await child.end("SIGINT");
    assertEquals([code, stderr], [0, ""]);
  });

  it("says what is wrong in one line", async () => {
    const { code, stderr } = await runExample("interfaces", "--bogus");
    assertEquals(code, 1);
    assertMatch(stderr, /^interfaces: unknown option --bogus; see --help$/);
  });
});
