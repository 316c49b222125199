import { assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { listenDatagram, sockopt } from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { inside } from "../support/inside.ts";
import { missingNamespaces } from "../support/namespaces.ts";
import { type Finished, run } from "../support/process.ts";
import { ROOT } from "../support/repository.ts";
import { NARROW_MTU, ROUTED, RoutedPair } from "../support/routed.ts";
import { itUnless } from "../support/skipping.ts";
import { printedCommands, runExample } from "./support.ts";

noDescriptorLeaks();

const noNamespaces = await missingNamespaces();
const noErrors = sockopt.IP_RECVERR.supported ? null : "no IP_RECVERR here";

/** Runs an example in a namespace with the flags of its last command, and other addresses. */
async function runInside(namespace: string, example: string, source: string, ...args: string[]): Promise<Finished> {
  const printed = (await printedCommands(example)).at(-1)!;
  const flags = printed.slice(1, printed.indexOf(`examples/${example}.ts`));
  const program = new URL(`examples/${example}.ts`, ROOT).pathname;
  const deno = [Deno.execPath(), "run", "--no-prompt", ...flags, program, "--interface", source, ...args];
  return await run("ip", ["netns", "exec", namespace, ...deno]);
}

/** Sends until the far host answers over both families: from then on no neighbour has to be looked for. */
async function warmUp({ left }: RoutedPair): Promise<void> {
  for (const family of ["ipv4", "ipv6"] as const) {
    const options = { transport: "udp", hostname: ROUTED.left[family], errors: true } as const;
    using udp = inside(left, () => listenDatagram(options));
    for (let tries = 0;; tries++) {
      await udp.send(new Uint8Array(1), { transport: "udp", hostname: ROUTED.right[family], port: 9 });
      const error = await udp.receiveError({ signal: AbortSignal.timeout(50) }).catch(() => null);
      if (error?.code === "ECONNREFUSED") break;
      if (tries === 500) throw new Error(`no answer from ${ROUTED.right[family]}`);
    }
  }
}

const TIMES = String.raw`( {2}\d+\.\d{3} ms){2}`;

describe("examples/traceroute.ts", () => {
  itUnless(noErrors, "reaches this machine in one hop", async () => {
    const { success, stdout, report } = await runExample("traceroute", "--probes", "2");
    assertEquals(success, true, report);
    const [, hop, ...rest] = stdout.split("\n");
    assertMatch(hop!, new RegExp(String.raw`^ 1 {2}127\.0\.0\.1${TIMES}$`));
    assertEquals(rest, []);
  });

  for (const family of ["ipv4", "ipv6"] as const) {
    itUnless(noNamespaces, `names the router on the way, over three namespaces: ${family}`, async () => {
      await using row = await RoutedPair.create();
      await warmUp(row);
      const { near, left, right } = ROUTED;
      const args = ["--probes", "2", right[family]];
      const { success, stdout, report } = await runInside(row.left, "traceroute", left[family], ...args);
      assertEquals(success, true, report);
      const lines = stdout.split("\n");
      assertEquals(lines[0], `Tracing the route from ${left[family]} to ${right[family]}, 30 hops at most`);
      for (const [index, address] of [near[family], right[family]].entries()) {
        const escaped = address.replaceAll(".", "\\.");
        assertMatch(lines[index + 1]!, new RegExp(` ${index + 1} {2}${escaped}${TIMES}$`), report);
      }
      assertEquals(lines.length, 3, report);
    });
  }

  itUnless(noNamespaces, "says so when the host is not reached", async () => {
    await using row = await RoutedPair.create();
    await warmUp(row);
    const args = ["--hops", "1", "--probes", "1", ROUTED.right.ipv4];
    const { code, stderr, report } = await runInside(row.left, "traceroute", ROUTED.left.ipv4, ...args);
    assertEquals([code, stderr], [1, `traceroute: ${ROUTED.right.ipv4} was not reached in 1 hops`], report);
  });
});

describe("examples/mtu.ts", () => {
  itUnless(noErrors, "finds that of loopback", async () => {
    const { success, stdout, report } = await runExample("mtu");
    assertEquals(success, true, report);
    const lines = ["65535 bytes: arrived at 127.0.0.1", "The MTU of the path to 127.0.0.1 is 65535 bytes"];
    assertEquals(stdout.split("\n"), lines);
  });

  for (const family of ["ipv4", "ipv6"] as const) {
    itUnless(noNamespaces, `finds the narrow cable behind the router: ${family}`, async () => {
      await using row = await RoutedPair.create();
      await warmUp(row);
      const { near, left, right } = ROUTED;
      const { success, stdout, report } = await runInside(row.left, "mtu", left[family], right[family]);
      assertEquals(success, true, report);
      assertEquals(stdout.split("\n"), [
        `1500 bytes: too large for ${near[family]}, which passes ${NARROW_MTU}`,
        `${NARROW_MTU} bytes: arrived at ${right[family]}`,
        `The MTU of the path to ${right[family]} is ${NARROW_MTU} bytes`,
      ], report);
    });
  }
});

describe("Both", () => {
  it("print commands for loopback first, and then for another interface", async () => {
    for (const example of ["traceroute", "mtu"]) {
      const [first, second] = await printedCommands(example);
      assertEquals([first!.includes("--interface"), second!.includes("--interface")], [false, true]);
    }
  });
});
