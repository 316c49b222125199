import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { listen, listenDatagram } from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { startDeno } from "../support/process.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { Directory, notLinux } from "../unix/support.ts";

noDescriptorLeaks();

const PROGRAM = new URL("./programs/revoked.ts", import.meta.url);

/** Operations that need a grant for 127.0.0.1. */
const AT_HOST = ["listen", "listenDatagram", "send", "sendMany", "sendSegments", "Socket.send"];

/** Flags that name every host, file and socket; "$" is the directory. */
const IN_PLACE = "--allow-ffi --allow-read=$ --allow-write=$";
const NAMED = `${IN_PLACE} --allow-net=127.0.0.1,${
  ["sink", "live", "ours", "theirs"].map((name) => `unix:$/${name}`).join()
}`;

/** What is revoked, with which flags, and what Deno refuses then. */
const CASES: readonly (readonly [what: string, flags: string, refused: readonly string[]])[] = [
  ["net", "-A", [...AT_HOST, "unix send", "unix connect"]],
  ["net", NAMED, [...AT_HOST, "unix send", "unix connect"]],
  ["host", NAMED, AT_HOST],
  // A host cannot be taken from a grant of all.
  ["host", "-A", []],
  ["socket", NAMED, ["unix send"]],
  ["read", "-A", ["unix connect"]],
  ["read", `${IN_PLACE} --allow-net`, ["unix connect"]],
  ["write", "-A", ["unix send", "unix connect"]],
  ["written", `${IN_PLACE} --allow-net`, ["unix send", "unix connect"]],
];

/** What each operation said before and after, by its name. */
async function outcomes(what: string, flags: string, ...more: string[]): Promise<[string, string[]][]> {
  using place = new Directory();
  const directory = Deno.realPathSync(place.path);
  using _live = listen({ transport: "unix", path: `${directory}/live` });
  using _sink = listenDatagram({ transport: "unixgram", path: `${directory}/sink` });
  const { success, stdout, report } = await startDeno(PROGRAM, {
    flags: ["--unstable-net", ...flags.replaceAll("$", directory).split(" ")],
    args: [what, directory, ...more],
  }).finished();
  assert(success, report);
  return Object.entries(JSON.parse(stdout));
}

describe("A revoked permission", TIMEOUT, () => {
  for (const [what, flags, refused] of CASES) {
    itUnless(notLinux, `(${what} of ${flags}) is refused at once, as Deno refuses it`, async () => {
      for (const [operation, said] of await outcomes(what, flags)) {
        const after = refused.includes(operation) ? "NotCapable" : "passes";
        assertEquals([operation, ...said], [operation, "passes", "passes", after, after]);
      }
    });
  }

  itUnless(notLinux, "is refused at once where the runtime's objects are frozen", async () => {
    for (const [operation, ...said] of await outcomes("host", NAMED, "frozen")) {
      const after = AT_HOST.includes(operation) ? "NotCapable" : "passes";
      assertEquals([operation, ...said[0]!], [operation, "passes", "passes", after, after]);
    }
  });

  for (const net of ["--allow-net", "--allow-net=127.0.0.1"]) {
    it(`in another thread (${net}) is refused here soon`, async () => {
      const program = new URL("./programs/revoked_elsewhere.ts", import.meta.url);
      const flags = ["--allow-ffi", "--allow-read", net];
      const { success, stdout, report } = await startDeno(program, { flags }).finished();
      assert(success, report);
      assertEquals(stdout, "sent\nNotCapable");
    });
  }
});
