import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { listen, listenDatagram } from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { startDeno } from "../support/process.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { Directory, noAbstractNames } from "./support.ts";

noDescriptorLeaks();

const PROGRAM = new URL("./programs/permitted.ts", import.meta.url);

type Step = [operation: "listen" | "connect" | "datagram" | "send", path: string];

const ABSTRACT = `\0berkeley-permissions-${Deno.pid}`;

/** What is tried, with "$" for the directory. */
const STEPS: Step[] = [
  ["listen", "$/new"],
  ["listen", "relative"],
  ["listen", "$/with:colon"],
  ["listen", ABSTRACT],
  ["connect", "$/live"],
  ["connect", "live"],
  ["connect", "$/missing"],
  ["connect", ABSTRACT],
  ["datagram", "$/new"],
  ["datagram", "relative"],
  ["datagram", ABSTRACT],
];

/** Flags, with "$" for the directory, and whether they allow none, some or all of the steps. */
const GRANTS: readonly (readonly [flags: string, allowed: "none" | "some" | "all"])[] = [
  ["", "none"],
  ["--allow-net", "some"],
  ["--allow-read --allow-write", "none"],
  ["--allow-read --allow-write --allow-net", "all"],
  ["--allow-read --allow-net", "some"],
  ["--allow-write --allow-net", "some"],
  ["--allow-read --allow-write --allow-net=127.0.0.1", "none"],
  ["--allow-read --allow-write --allow-net=unix:$/new", "some"],
  ["--allow-read --allow-write --allow-net=unix:$/relative,unix:$/live", "some"],
  ["--allow-read=$ --allow-write=$ --allow-net=unix:$/new", "some"],
  ["--allow-read=$/relative --allow-write=$/relative --allow-net=unix:$/relative", "some"],
  ["--allow-read=$/new --allow-write=$/new --allow-net", "some"],
  ["--allow-read --allow-write=$/live --allow-net", "some"],
  ["--allow-read --allow-write --allow-net --deny-net=unix:$/new", "some"],
  ["--allow-read --allow-write --deny-write=$/new --allow-net", "some"],
  ["--allow-read --deny-read=$/live --allow-write --allow-net", "some"],
  ["--allow-read --allow-write --allow-net --deny-net=127.0.0.1", "all"],
];

/** The outcomes with Deno's sockets and with this module's, by step. Other errors have other messages. */
async function outcomes(flags: string, steps: Step[]): Promise<{ deno: string[]; ours: string[] }> {
  using directory = new Directory();
  const path = Deno.realPathSync(directory.path);
  using _live = listen({ transport: "unix", path: `${path}/live`, backlog: 100 });
  const inPlace = (text: string) => text.replaceAll("$", path);
  const child = startDeno(PROGRAM, {
    flags: ["--unstable-net", ...inPlace(flags).split(" ").filter(Boolean)],
    args: [JSON.stringify(steps.map(([operation, path]) => [operation, inPlace(path)]))],
    cwd: path,
  });
  const { success, stdout, report } = await child.finished();
  assert(success, report);
  const pairs = JSON.parse(stdout) as [string, string][];
  const named = (which: 0 | 1) =>
    pairs.map((pair, index) => {
      const said = pair[which].startsWith("NotCapable") ? pair[which] : pair[which].replace(/: .*/, "");
      // A NUL is no good character for a message.
      return `${steps[index]!.join(" ")}: ${said}`.replaceAll("\0", "@");
    });
  return { deno: named(0), ours: named(1) };
}

describe("Unix sockets", TIMEOUT, () => {
  for (const [flags, allowed] of GRANTS) {
    it(`with ${flags === "" ? "no flags" : flags} have Deno's permissions and messages`, async () => {
      const steps = noAbstractNames === null ? STEPS : STEPS.filter(([, path]) => path !== ABSTRACT);
      const { deno, ours } = await outcomes(`--allow-ffi ${flags}`, steps);
      assertEquals(ours, deno);
      const refused = ours.filter((line) => line.includes(": NotCapable: ")).length;
      // Without abstract names, what is left may all need the same grant.
      if (noAbstractNames === null || allowed !== "some") {
        assertEquals(refused === 0 ? "all" : refused === ours.length ? "none" : "some", allowed, ours.join("\n"));
      }
      for (const line of ours) {
        assertMatch(
          line,
          /: (allowed|NotFound|ConnectionRefused)$|: NotCapable: Requires (net|read|write) access to ".*"/,
        );
      }
    });
  }

  itUnless(noAbstractNames, "ask for each destination of a datagram", async () => {
    using directory = new Directory();
    const path = Deno.realPathSync(directory.path);
    using _sink = listenDatagram({ transport: "unixgram", path: `${path}/sink` });
    const { deno, ours } = await outcomes(
      `--allow-ffi --allow-read=${path} --allow-write=${path}/sink --allow-net`,
      [["send", `${path}/sink`], ["send", `${path}/other`]],
    );
    assertEquals(ours, deno);
    assertEquals(ours[0], `send ${path}/sink: allowed`);
    assertStringIncludes(ours[1]!, `NotCapable: Requires write access to "${path}/other"`);
  });

  it("without permission are refused before the library is opened", async () => {
    const { ours } = await outcomes("", [["listen", "$/new"], ["connect", "$/live"], ["datagram", "$/new"]]);
    for (const line of ours) assertStringIncludes(line, "NotCapable: Requires read access");
    const granted = await outcomes("--allow-read --allow-write --allow-net", [["listen", "$/new"]]);
    assertStringIncludes(granted.ours[0]!, "NotCapable: Requires ffi access");
  });
});
