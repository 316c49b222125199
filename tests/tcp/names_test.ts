import { assert, assertEquals, assertGreater } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { connect } from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { freePort, withoutIPv6 } from "../support/loopback.ts";
import { run } from "../support/process.ts";
import { itUnless, missingCommands } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { Blackhole, NO_BLACKHOLE } from "./blackhole.ts";
import { listenTcp } from "./support.ts";

noDescriptorLeaks();

const PROGRAM = new URL("./programs/dial_name.ts", import.meta.url).href;
const NAME = "threefold.test";

/** What the program prints. */
interface Outcome {
  addresses: string[];
  dialled: string[];
  /** The address that answered, or the name of the error. */
  outcome: string;
  code?: string;
  descriptorsLeft: number;
}

/** Why there can be no name with addresses of the test's choosing, or null. */
async function withoutNames(): Promise<string | null> {
  const missing = NO_BLACKHOLE ?? withoutIPv6() ?? await missingCommands("unshare", "mount");
  if (missing !== null) return missing;
  const { success, stderr } = await run("unshare", ["--mount", "true"]);
  return success ? null : `no mount namespace: ${stderr.trim()}`;
}

/** Dials `NAME` in a process with a table of hosts of its own, in which the name has these addresses. */
async function dialName(hosts: string[], port: number, ...options: string[]): Promise<Outcome> {
  const table = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(table, hosts.map((host) => `${host} ${NAME}\n`).join(""));
    const script = `mount --bind "$1" /etc/hosts && exec "$2" run --no-prompt -A "$3" "$4" "$5" "$6"`;
    const args = [table, Deno.execPath(), PROGRAM, NAME, String(port), options.join(" ")];
    const { success, stdout, report } = await run("unshare", ["--mount", "sh", "-c", script, "sh", ...args]);
    assert(success, report);
    return JSON.parse(stdout);
  } finally {
    await Deno.remove(table);
  }
}

const NO_NAMES = await withoutNames();

describe("Dialling a name", TIMEOUT, () => {
  itUnless(NO_NAMES, "races its addresses of both families: two hang, the third connects", async () => {
    using listener = listenTcp({ hostname: "127.0.0.2" });
    const { port } = listener.addr;
    using _v4 = await Blackhole.open("127.0.0.1", port);
    using _v6 = await Blackhole.open("::1", port);
    const hosts = ["127.0.0.1", "127.0.0.2", "::1"];
    const outcome = await dialName(hosts, port, "delay=10");
    assertEquals(outcome.addresses.toSorted(), hosts);
    assertEquals(outcome.outcome, "127.0.0.2");
    // As RFC 8305 says: after an address of one family comes one of the other.
    const families = outcome.dialled.slice(0, 2).map((host) => host.includes(":"));
    assertEquals(families.toSorted(), [false, true]);
    assertEquals(outcome.descriptorsLeft, 0);
  });

  itUnless(NO_NAMES, "tries one after the other without autoSelectFamily, and hangs on one that hangs", async () => {
    using listener = listenTcp({ hostname: "127.0.0.2" });
    const { port } = listener.addr;
    using _hangs = await Blackhole.open("127.0.0.1", port);
    const outcome = await dialName(["127.0.0.1", "127.0.0.2"], port, "sequential", "delay=10", "deadline=600");
    assertEquals([outcome.dialled, outcome.outcome], [["127.0.0.1"], "TimedOut"]);
    assertEquals(outcome.descriptorsLeft, 0);
  });

  itUnless(NO_NAMES, "from a local port tries one after the other, and shares the deadline among them", async () => {
    using listener = listenTcp({ hostname: "127.0.0.2" });
    const { port } = listener.addr;
    using _hangs = await Blackhole.open("127.0.0.1", port);
    const local = `local=127.0.0.3:${freePort()}`;
    const { dialled, outcome } = await dialName(["127.0.0.1", "127.0.0.2"], port, local, "deadline=4500");
    assertEquals([dialled, outcome], [["127.0.0.1", "127.0.0.2"], "127.0.0.2"]);
  });

  itUnless(NO_NAMES, "from a local address whose port is free to choose races too", async () => {
    using listener = listenTcp({ hostname: "127.0.0.2" });
    const { port } = listener.addr;
    using _hangs = await Blackhole.open("127.0.0.1", port);
    const { dialled, outcome } = await dialName(["127.0.0.1", "127.0.0.2"], port, "local=127.0.0.3", "delay=10");
    assertEquals([dialled, outcome], [["127.0.0.1", "127.0.0.2"], "127.0.0.2"]);
  });

  itUnless(NO_NAMES, "tries the next where one refuses, with autoSelectFamily and without", async () => {
    using listener = listenTcp({ hostname: "127.0.0.2" });
    for (const options of [["delay=60000"], ["sequential"]]) {
      const { port } = listener.addr;
      const { dialled, outcome } = await dialName(["127.0.0.1", "127.0.0.2", "::1"], port, ...options);
      assertEquals(outcome, "127.0.0.2");
      assertGreater(dialled.length, 1);
    }
  });

  itUnless(NO_NAMES, "whose addresses all refuse is ConnectionRefused, after trying each", async () => {
    const outcome = await dialName(["127.0.0.1", "127.0.0.2", "::1"], freePort());
    assertEquals(outcome.dialled.toSorted(), ["127.0.0.1", "127.0.0.2", "::1"]);
    assertEquals([outcome.outcome, outcome.code], ["ConnectionRefused", "ECONNREFUSED"]);
    assertEquals(outcome.descriptorsLeft, 0);
  });

  itUnless(NO_NAMES, "leaves out addresses of another family than the local address", async () => {
    using listener = listenTcp({ hostname: "127.0.0.1" });
    const { port } = listener.addr;
    const outcome = await dialName(["::1", "127.0.0.1"], port, "local=127.0.0.3");
    assertEquals([outcome.dialled, outcome.outcome], [["127.0.0.1"], "127.0.0.1"]);
  });

  it("finds localhost", async () => {
    using listener = listenTcp();
    using conn = await connect({ hostname: "localhost", port: listener.addr.port });
    assertEquals(conn.remoteAddr, listener.addr);
  });
});
