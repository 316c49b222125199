import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { libraryPath, noLibraryPath } from "../support/c_library.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { start, startDeno } from "../support/process.ts";
import { itUnless, missingCommands } from "../support/skipping.ts";

noDescriptorLeaks();

const PROGRAM = new URL("./programs/permitted.ts", import.meta.url);
const PLAIN = new URL("../socket/programs/plain.ts", import.meta.url);

/** script(1) gives a program a terminal. */
const missing = await missingCommands("script");

const GROUP = "239.255.21.1";

/** A port without a listener. */
const PORT = 47_809;

type Step = [operation: "listen" | "send" | "join", hostname: string, port: number];

const STEPS: Step[] = [
  ["listen", "127.0.0.1", 0],
  ["listen", "127.0.0.2", 0],
  ["listen", "localhost", 0],
  ["listen", "0.0.0.0", 0],
  ["listen", "::1", 0],
  ["listen", "[::1]", 0],
  ["send", "127.0.0.1", PORT],
  ["send", "127.0.0.1", PORT + 1],
  ["send", "127.0.0.2", PORT],
  ["send", "localhost", PORT],
  ["send", "::1", PORT],
  ["join", GROUP, 0],
];

/** What "localhost" leads to here, as a grant spells it. */
const LOCAL = grantedLocalhost();

function grantedLocalhost(): string {
  const socket = Deno.listen({ hostname: "localhost", port: 0 });
  const { hostname } = socket.addr;
  socket.close();
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}

/** What happened with Deno's socket, and with ours, by step. */
async function outcomes(flags: string[], steps: Step[] = STEPS): Promise<{ deno: string[]; ours: string[] }> {
  const child = startDeno(PROGRAM, { flags: ["--unstable-net", ...flags], args: [JSON.stringify(steps), LOCAL] });
  const { success, stdout, report } = await child.finished();
  assert(success, report);
  const pairs = JSON.parse(stdout) as [string, string][];
  const named = (which: 0 | 1) => pairs.map((pair, index) => `${steps[index]!.join(" ")}: ${pair[which]}`);
  return { deno: named(0), ours: named(1) };
}

/** Flags, and how many of the steps they allow; the rest is NotCapable. */
const GRANTS: readonly (readonly [flags: string, allowed: "none" | "some" | "all"])[] = [
  ["", "none"],
  ["--deny-net", "none"],
  ["--allow-net", "all"],
  ["--allow-net=127.0.0.1", "some"],
  ["--allow-net=0.0.0.0", "some"],
  ["--allow-net=[::1]", "some"],
  ["--allow-net=localhost", "some"],
  [`--allow-net=${LOCAL}:0,localhost:${PORT}`, "some"],
  [`--allow-net=127.0.0.1:0,127.0.0.1:${PORT},[::1]:0`, "some"],
  // A name that is granted leads to an address that is denied.
  [`--allow-net=${LOCAL}:0,localhost --deny-net=${LOCAL}:${PORT}`, "some"],
  [`--allow-net=localhost --deny-net=${LOCAL}`, "none"],
  [`--allow-net --deny-net=127.0.0.1:${PORT}`, "some"],
  ["--allow-net --deny-net=127.0.0.1", "some"],
  ["--allow-net --deny-net=localhost", "some"],
  ["--allow-net=127.0.0.0/8", "some"],
];

for (const ffi of ["--allow-ffi", ...libraryPath === null ? [] : [`--allow-ffi=${libraryPath}`]]) {
  const path = ffi === "--allow-ffi" ? "for all" : "for the C library's path";

  describe(`With --allow-ffi ${path}`, () => {
    for (const [flags, allowed] of GRANTS) {
      it(`${flags === "" ? "no --allow-net" : flags} allows what Deno allows, and refuses the rest in Deno's words`, async () => {
        const { deno, ours } = await outcomes([ffi, ...flags.split(" ").filter(Boolean)]);
        assertEquals(ours, deno);
        const count = ours.filter((line) => line.endsWith(": allowed")).length;
        assertEquals(count === 0 ? "none" : count === STEPS.length ? "all" : "some", allowed, ours.join("\n"));
        for (const line of ours) assertMatch(line, /: allowed$|: NotCapable: Requires net access to ".*"/);
      });
    }
  });
}

describe("Without --allow-ffi", () => {
  itUnless(
    noLibraryPath,
    "everything is NotCapable",
    async () => {
      const { ours } = await outcomes(["--allow-net"], [["listen", "127.0.0.1", 0]]);
      assertStringIncludes(ours[0]!, "NotCapable: Requires ffi access");
    },
  );

  it("a missing permission is reported before --allow-ffi", async () => {
    const { ours } = await outcomes([], [["listen", "127.0.0.1", 0]]);
    assertStringIncludes(ours[0]!, "NotCapable: Requires net access");
  });

  it("and with another library's grant, everything is NotCapable", async () => {
    const { ours } = await outcomes(["--allow-net", "--allow-ffi=/no/such/library.so"], [["listen", "127.0.0.1", 0]]);
    assertStringIncludes(ours[0]!, "NotCapable: Requires ffi access");
  });

  it("the module can be imported", async () => {
    const child = startDeno("-", { flags: [], stdin: true });
    await child.write(`import * as berkeley from ${JSON.stringify(new URL("../../mod.ts", import.meta.url).href)};`);
    await child.write(`console.log(typeof berkeley.listenDatagram, berkeley.sockopt.SO_REUSEPORT.name);`);
    await child.closeInput();
    const { success, stdout, report } = await child.finished();
    assert(success, report);
    assertEquals(stdout, "function SO_REUSEPORT");
  });
});

/** What a plain Socket may do, by what it tries. */
async function plainOutcomes(...flags: string[]): Promise<Record<string, string>> {
  const { success, stdout, report } = await startDeno(PLAIN, { flags: ["--allow-ffi", ...flags] }).finished();
  assert(success, report);
  return Object.fromEntries(
    stdout.split("\n").map((line) => [line.split(": ")[0], line.split(": ").slice(1).join(": ")]),
  );
}

describe("A plain Socket", () => {
  const needs = (access: string, to: string) =>
    `Requires ${access} access to ${JSON.stringify(to)}, run again with the --allow-${access} flag`;

  it("without --allow-net reaches no address, nor a port by listening unbound", async () => {
    assertEquals(await plainOutcomes(), {
      "bind": needs("net", "127.0.0.1:0"),
      "bind to bytes": needs("net", "127.0.0.1:9"),
      "bind to netlink": needs("net", "address family 16"),
      "connect": needs("net", "127.0.0.1:9"),
      "connect to bytes": needs("net", "127.0.0.1:9"),
      "send": needs("net", "127.0.0.1:9"),
      "listen without a bind": needs("net", "0.0.0.0:0"),
      "bind to a path": needs("read", "/no/such/directory/socket"),
      "bind to an abstract name": needs("net", "unix:@berkeley"),
    });
  });

  it("with a grant for a host reaches that, and nothing that no grant can name", async () => {
    const outcomes = await plainOutcomes("--allow-net=127.0.0.1", "--allow-read");
    assertEquals(outcomes, {
      "bind": "allowed",
      "bind to bytes": outcomes["bind to bytes"]!,
      "bind to netlink": needs("net", "address family 16"),
      "connect": "asked of the system",
      "connect to bytes": "asked of the system",
      "send": "allowed",
      "listen without a bind": needs("net", "0.0.0.0:0"),
      "bind to a path": needs("write", "/no/such/directory/socket"),
      "bind to an abstract name": needs("net", "unix:@berkeley"),
    });
    assert(!outcomes["bind to bytes"]!.startsWith("Requires"));
  });

  it("with everything granted is limited by the system only", async () => {
    for (const outcome of Object.values(await plainOutcomes("--allow-net", "--allow-read", "--allow-write"))) {
      assert(["allowed", "asked of the system"].includes(outcome), outcome);
    }
  });
});

describe("On a terminal", { timeout: 120_000 }, () => {
  const reason = noLibraryPath ?? missing;

  itUnless(reason, "there is no prompt if the C library's path is granted", async () => {
    const flags = [`--allow-ffi=${libraryPath}`, "--allow-net=127.0.0.1", "--unstable-net"];
    const steps = JSON.stringify([["send", "127.0.0.1", PORT], ["listen", "127.0.0.1", 0]]);
    const command = [Deno.execPath(), "run", ...flags, PROGRAM.pathname, steps, LOCAL]
      .map((word) => `'${word}'`).join(" ");
    // A prompt would wait for an answer for ever.
    await using child = start("script", ["--quiet", "--return", "--command", command, "/dev/null"]);
    const [line] = await child.waitForLine(/^(?:\[\[|.*requests).*/);
    assertStringIncludes(line, '[["allowed","allowed"],["allowed","allowed"]]');
  });
});
