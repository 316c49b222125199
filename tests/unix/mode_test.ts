import { assert, assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { listen, listenDatagram } from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { run } from "../support/process.ts";
import { noOwnCalls } from "../support/kernel.ts";
import { itUnless, missingCommands } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { Remote } from "./remote.ts";
import { Directory, NOBODY, notShared } from "./support.ts";
import { thisSystem } from "../../ffi/libc/host.ts";
import { noSeqpacket } from "../support/systems.ts";

noDescriptorLeaks();

const MODED = new URL("./programs/moded.ts", import.meta.url).pathname;

/** Permission bits of a file. */
function bits(path: string): number {
  return Deno.lstatSync(path).mode! & 0o7777;
}

/** Why the system calls of a child cannot be watched, or null. */
const notTraceable = await missingCommands("strace") ??
  ((await run("strace", ["-o", "/dev/null", "true"])).success ? noOwnCalls : "strace may not trace here");

const umask = Deno.umask();
afterEach(() => void Deno.umask(umask));

describe("A mode", TIMEOUT, () => {
  for (const mask of [0o000, 0o022, 0o077, 0o777]) {
    for (const mode of [0o600, 0o660, 0o777, 0o000]) {
      it(`of 0${mode.toString(8)} is what the file has, with a umask of 0${mask.toString(8).padStart(3, "0")}`, () => {
        using directory = new Directory();
        Deno.umask(mask);
        using stream = listen({ transport: "unix", path: directory.file("stream"), mode });
        using datagrams = listenDatagram({ transport: "unixgram", path: directory.file("datagrams"), mode });
        assertEquals([stream, datagrams].map(({ addr }) => bits(addr.path!)), [mode, mode]);
        if (noSeqpacket === null) {
          using packets = listen({ transport: "seqpacket", path: directory.file("packets"), mode });
          assertEquals(bits(packets.addr.path!), mode);
        }
        assertEquals(Deno.umask(), mask);
      });
    }
  }

  it("is by default as the umask allows", () => {
    using directory = new Directory();
    for (const mask of [0o000, 0o027, 0o077]) {
      Deno.umask(mask);
      using listener = listen({ transport: "unix", path: directory.file() });
      assertEquals(bits(listener.addr.path), 0o777 & ~mask);
    }
  });

  itUnless(notShared, "excludes other users, or includes them", async () => {
    using directory = new Directory();
    Deno.chmodSync(directory.path, 0o755);
    await using nobody = await Remote.start(NOBODY);
    await nobody.call("listenDatagram", { transport: "unixgram" });
    for (const [mode, allowed] of [[0o700, false], [0o706, true], [0o770, false], [0o702, true]] as const) {
      Deno.umask(allowed ? 0o077 : 0o000);
      using stream = listen({ transport: "unix", path: directory.file("stream"), mode });
      using datagrams = listenDatagram({ transport: "unixgram", path: directory.file("datagrams"), mode });
      const outcomes = [
        await nobody.outcome("connect", "unix", stream.addr.path),
        await nobody.outcome("sendTo", "hello", datagrams.addr.path),
      ];
      if (allowed) assertEquals(outcomes, ["connected", null]);
      for (const outcome of allowed ? [] : outcomes) {
        assertMatch(String(outcome), /^PermissionDenied: .*: permission denied \(EACCES\)/);
        // What helps with UDP would mislead here.
        assertNotMatch(String(outcome), /broadcast|ports/);
      }
    }
  });

  itUnless(
    notTraceable,
    "is set before listen(2), and never has more bits than requested",
    async () => {
      using directory = new Directory();
      const trace = directory.file("trace");
      const deno = [Deno.execPath(), "run", "-A", "--no-prompt", MODED, directory.file("socket")];
      const { success, report } = await run("strace", [
        "-f",
        "--seccomp-bpf",
        "-e",
        "fchmod,bind,chmod,listen,umask",
        "-o",
        trace,
        ...deno,
      ]);
      assert(success, report);
      const calls = Deno.readTextFileSync(trace).match(/\b(fchmod|bind|chmod|listen|umask)\([^)]*\) += 0/g) ?? [];
      const [first, ...others] = calls.map((call) => call.replace(/\(.*/, ""));
      if (thisSystem().bindKeepsMode) {
        assertEquals([first, ...others], ["fchmod", "bind", "chmod", "listen"], report);
        assertMatch(calls[0]!, /, 0640\)/);
        assertMatch(calls[2]!, /, 0640\)/);
      } else {
        assertEquals([first, ...others], ["umask", "bind", "umask", "chmod", "listen"], report);
        assertMatch(calls[0]!, /\(0137\)/);
        assertMatch(calls[3]!, /, 0640\)/);
      }
    },
  );
});
