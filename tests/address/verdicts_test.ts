import { assert, assertEquals } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { listen, listenDatagram } from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { LOOPBACK } from "../support/loopback.ts";
import { startDeno } from "../support/process.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { Directory, notLinux } from "../unix/support.ts";
import type { Step } from "./programs/verdicts.ts";

noDescriptorLeaks();

const PROGRAM = new URL("./programs/verdicts.ts", import.meta.url);

/** A port that the flags name, and one beside it. */
const PORT = 47_811;

/** What is tried, with "$" for the directory; "$/link" leads to "$/other". */
const STEPS: readonly Step[] = [
  ["tcp listen", "127.0.0.1"],
  ["tcp listen", "0.0.0.0"],
  ["tcp listen", "::1"],
  ["tcp listen", "localhost"],
  ["tcp connect", "127.0.0.1", PORT],
  ["tcp connect", "127.0.0.2", PORT],
  ["tcp connect", "::1", PORT],
  ["tcp connect", "localhost", PORT],
  ["udp listen", "127.0.0.1"],
  ["udp listen", "127.0.0.2"],
  ["udp listen", "[::1]"],
  ["udp send", "127.0.0.1", PORT],
  ["udp send", "127.0.0.1", PORT + 1],
  ["udp send", "127.0.0.2", PORT],
  ["udp send", "::1", PORT],
  ["udp send from all", "::ffff:127.0.0.1", PORT],
  ["udp join", "", 0],
  ["unix listen", "$/new"],
  ["unix listen", "new"],
  ["unix listen", "./other/../new"],
  ["unix listen", "$/link/../new"],
  ["unix listen", "\0berkeley-verdicts"],
  ["unix connect", "$/live"],
  ["unix connect", "live"],
  ["unix connect", "$/link/../live"],
  ["unix connect", "\0berkeley-verdicts"],
  ["datagram listen", "$/new"],
  ["datagram listen", "\0berkeley-verdicts"],
  ["datagram send", "$/sink"],
  ["datagram send", "link/../sink"],
  ["datagram send", "\0berkeley-verdicts"],
  ["datagram send from a path", "sink"],
];

/** Each with "$" for the directory. */
const FLAGS: readonly string[] = [
  "",
  "--allow-net",
  "--allow-read --allow-write",
  "--allow-read --allow-write --allow-net",
  "--allow-write --allow-net",
  "--allow-read --allow-net",
  "--allow-net=127.0.0.1",
  `--allow-net=127.0.0.1:0,127.0.0.1:${PORT},[::1]:0`,
  "--allow-net=[::1],[::]",
  "--allow-net=localhost",
  "--allow-net=127.0.0.0/8",
  "--allow-net --deny-net=127.0.0.1",
  `--allow-net --deny-net=127.0.0.1:${PORT},[::1]`,
  "--allow-net --deny-net=localhost --allow-write",
  "--allow-write --allow-net --deny-read=$/other",
  "--allow-write --allow-net --deny-read=$/sink",
  "--allow-write=$/sink,$/from --allow-net --allow-read=$/from",
  "--allow-read=$ --allow-write=$ --allow-net",
  "--allow-read=$ --allow-write=$ --allow-net --deny-write=$/sink",
  "--allow-read=$/other --allow-write=$/other --allow-net",
  "--allow-read --allow-write --allow-net=unix:$/new,unix:$/live",
  "--allow-read --allow-write --allow-net=unix:$/sink,unix:$/from,127.0.0.2",
  "--allow-read --allow-write --allow-net --deny-net=unix:$/sink,unix:$/new",
  "--allow-read --allow-write=$/new,$/live --allow-net --deny-net=127.0.0.2",
];

/** Verdicts of Deno's functions and of ours with these flags, each with its step. */
async function verdicts(flags: string, directory: string): Promise<{ deno: string[]; ours: string[] }> {
  const inPlace = (text: string) => text.replaceAll("$", directory);
  const steps = STEPS.map(([operation, to, ...port]) => [operation, inPlace(to), ...port]);
  const { success, stdout, report } = await startDeno(PROGRAM, {
    flags: ["--allow-ffi", "--unstable-net", ...inPlace(flags).split(" ").filter(Boolean)],
    args: [JSON.stringify(steps)],
    cwd: directory,
  }).finished();
  assert(success, report);
  const pairs = JSON.parse(stdout) as [string, string][];
  assertEquals(pairs.length, STEPS.length);
  // An abstract name begins with a NUL in Deno's words, and with "@" in ours.
  const named = (which: 0 | 1) => {
    return pairs.map((pair, index) => `${STEPS[index]!.join(" ")}: ${pair[which]}`.replaceAll("\0", "@"));
  };
  return { deno: named(0), ours: named(1) };
}

describe("With the same flags", TIMEOUT, () => {
  itUnless(notLinux, `${FLAGS.length * STEPS.length} verdicts are the ones of Deno's own functions`, async (t) => {
    using place = new Directory();
    const directory = Deno.realPathSync(place.path);
    Deno.mkdirSync(`${directory}/other`);
    Deno.symlinkSync("other", `${directory}/link`);
    using _live = listen({ transport: "unix", path: `${directory}/live`, backlog: 1000 });
    const sink = listenDatagram({ transport: "unixgram", path: `${directory}/sink` });
    using _tcp = listen({ hostname: LOOPBACK, port: PORT, tcpBacklog: 1000 });
    // Its queue is short, and who sends to a full one waits.
    const drained = Array.fromAsync(sink);
    let [passed, refused] = [0, 0];
    for (const flags of FLAGS) {
      await t.step(flags === "" ? "none" : flags, async () => {
        const { deno, ours } = await verdicts(flags, directory);
        assertEquals(ours, deno);
        for (const line of ours) line.endsWith(": passes") ? passed++ : refused++;
      });
    }
    sink.close();
    await drained;
    assertEquals(passed + refused, 768);
    // Neither everything nor nothing.
    assert(passed > 200 && refused > 200, `${passed} passed, ${refused} refused`);
  });
});
