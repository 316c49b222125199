import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { startExample } from "../examples/support.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { missingNamespaces, type Namespace, NamespacePair } from "../support/namespaces.ts";
import type { Child } from "../support/process.ts";
import { itUnless, missingCommands } from "../support/skipping.ts";

noDescriptorLeaks();

const UUID = "5f1ad0b4-7d8f-4c4e-9d6c-0a2f6f0c1e55";
const noNamespaces = await missingNamespaces();
const reason = noNamespaces ?? await missingCommands("wsdd");

/** Debian's Web Service Discovery daemon, on the one interface of a namespace; ready as soon as it has joined. */
async function startDaemon(namespace: Namespace): Promise<Child> {
  const args = [
    "--ipv4only",
    "--no-http",
    "--interface",
    namespace.interface,
    "--uuid",
    UUID,
    "--hostname",
    "berkeley",
  ];
  const daemon = namespace.start("wsdd", ["--verbose", "--shortlog", ...args]);
  await daemon.waitForLine(/joined multicast group .*239\.255\.255\.250/, "stderr");
  return daemon;
}

describe("Debian's wsdd", () => {
  itUnless(reason, "answers ws_discovery.ts from another namespace", async () => {
    await using pair = await NamespacePair.create();
    await using daemon = await startDaemon(pair.right);
    const { left, right } = pair;
    const prober = await startExample("ws_discovery", {
      namespace: left,
      command: 1,
      args: ["--interface", left.ipv4, "--count", "1", "--timeout", "60"],
    });
    const { success, stdout, report } = await prober.finished();
    assert(success, `${report}\n${daemon.report()}`);
    const lines = stdout.split("\n");
    assertEquals(lines[0], `Asked 239.255.255.250:3702 for wsdp:Device from ${left.ipv4}; answers may take 60 s`);
    assertEquals(lines[1], `${right.ipv4}:3702 ProbeMatches urn:uuid:${UUID} wsdp:Device pub:Computer`);
    assertEquals(lines[2], "1 answered");
  });

  itUnless(reason, "is reported by ws_discovery.ts when it starts and when it ends", async () => {
    await using pair = await NamespacePair.create();
    const { left, right } = pair;
    await using listener = await startExample("ws_discovery", {
      namespace: left,
      command: 1,
      args: ["--listen", "--interface", left.ipv4],
    });
    await listener.waitForLine(/^Listening/);
    await using daemon = await startDaemon(right);
    const [hello] = await listener.waitForLine(/^.* Hello .*$/);
    assertMatch(hello, new RegExp(`^${right.ipv4}:\\d+ Hello urn:uuid:${UUID} .*http://${right.ipv4}:5357/${UUID}$`));
    daemon.kill();
    const [bye] = await listener.waitForLine(/^.* Bye .*$/);
    assertMatch(bye, new RegExp(`^${right.ipv4}:\\d+ Bye urn:uuid:${UUID}$`));
    await daemon.finished();
  });
});
