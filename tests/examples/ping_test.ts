import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { Socket } from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { missingNamespaces, NamespacePair } from "../support/namespaces.ts";
import { itUnless } from "../support/skipping.ts";
import { type ExampleOptions, startExample } from "./support.ts";

noDescriptorLeaks();

const PING = new URL("../../examples/ping.ts", import.meta.url).pathname;

/** Why this process may not open a socket for ICMP, or null where it may. */
function whyNot(domain: "inet" | "inet6", protocol: number): string | null {
  const reasons: string[] = [];
  for (const type of ["dgram", "raw"] as const) {
    try {
      Socket.open(domain, type, protocol).close();
      return null;
    } catch (error) {
      reasons.push(`${type}: ${(error as Error).message}`);
    }
  }
  return `no socket for ICMP: ${reasons.join(", ")}`;
}

async function ping(
  options: ExampleOptions,
): Promise<{ code: number; lines: string[]; error: string; report: string }> {
  const child = await startExample("ping", options);
  const { code, stdout, stderr, report } = await child.finished();
  return { code, lines: stdout.split("\n"), error: stderr, report };
}

function assertAnswered(lines: readonly string[], count: number, report: string): void {
  for (let i = 1; i <= count; i++) assertMatch(lines[i] ?? "", new RegExp(`^${i}: \\d+\\.\\d{3} ms, TTL 64$`), report);
  assertMatch(lines[count + 1] ?? "", new RegExp(`^${count} of ${count} answered; `), report);
}

const noNamespaces = await missingNamespaces();

describe("examples/ping.ts", () => {
  itUnless(whyNot("inet", 1), "gets answers from 127.0.0.1", async () => {
    const { code, lines, report } = await ping({ args: ["--count", "3", "--interval", "0"] });
    assertEquals(code, 0, report);
    assertMatch(lines[0]!, /^Pinging 127\.0\.0\.1 through a (dgram|raw) socket$/);
    assertAnswered(lines, 3, report);
  });

  itUnless(whyNot("inet", 1), "prints the summary at Ctrl-C", async () => {
    await using child = await startExample("ping", { args: ["--count", "9", "--interval", "60"] });
    await child.waitForLine(/^1: /);
    const { code, stdout, report } = await child.end("SIGINT");
    assertEquals(code, 0, report);
    assertMatch(stdout, /\n1 of 1 answered; [^\n]*$/, report);
  });

  itUnless(whyNot("inet6", 58), "gets answers from ::1", async () => {
    const { code, lines, report } = await ping({ command: 1, args: ["--count", "2", "--interval", "0"] });
    assertEquals(code, 0, report);
    assertAnswered(lines, 2, report);
  });

  for (const [kind, range] of [["dgram", "0 2147483647"], ["raw", "1 0"]] as const) {
    itUnless(noNamespaces, `reaches another machine through a ${kind} socket, with an interface named`, async () => {
      await using pair = await NamespacePair.create();
      const set = `echo ${range} > /proc/sys/net/ipv4/ping_group_range`;
      const prepared = await pair.left.run("sh", ["-c", set]);
      assert(prepared.success, prepared.report);
      const { left, right } = pair;
      const args = ["--count", "2", "--interval", "0"];
      const v4 = await startExample("ping", { namespace: left, command: 2, args });
      const here = ["--allow-ffi", "--allow-net", PING, "--interface", left.ipv6, right.ipv6];
      const v6 = left.start(Deno.execPath(), ["run", "--no-prompt", ...here, ...args]);
      for (const [child, there] of [[v4, right.ipv4], [v6, right.ipv6]] as const) {
        const { code, stdout, report } = await child.finished();
        assertEquals(code, 0, report);
        const lines = stdout.split("\n");
        assertEquals(lines[0], `Pinging ${there} through a ${kind} socket`);
        assertAnswered(lines, 2, report);
      }
    });
  }

  itUnless(noNamespaces, "reports missing answers", async () => {
    await using pair = await NamespacePair.create();
    const args = ["--count", "1", "--timeout", "0.2"];
    // An answer that is dropped is one that never comes.
    const silenced = await pair.left.run("sh", ["-c", "echo 1 > /proc/sys/net/ipv4/icmp_echo_ignore_all"]);
    assert(silenced.success, silenced.report);
    const { code, lines, error, report } = await ping({ namespace: pair.left, args });
    assertEquals(code, 1, report);
    assertEquals(lines[1], "1: no answer");
    assertEquals(error, "ping: 127.0.0.1 did not answer");
  });
});
