import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { libraryFlags, libraryPath, noLibraryPath } from "../support/c_library.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { inside } from "../support/inside.ts";
import { missingNamespaces, NamespacePair } from "../support/namespaces.ts";
import { run, startDeno, type StartOptions } from "../support/process.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";

noDescriptorLeaks();

const PROGRAM = new URL("./programs/batch_collecting.ts", import.meta.url);

const ABSENT = "192.0.2.77";

const noNamespaces = await missingNamespaces();

async function runCollecting(flags: string[], options: StartOptions = {}): Promise<void> {
  await using child = startDeno(PROGRAM, { ...options, flags: ["--v8-flags=--expose-gc", ...flags] });
  const { success, stdout, report } = await child.finished();
  assert(success, report);
  assertEquals(stdout, "end", report);
}

describe("The memory of many datagrams", TIMEOUT, () => {
  it("stays alive as long as the kernel may use it, whenever the collector runs", async () => {
    await runCollecting(["--allow-net", "--allow-ffi"]);
  });

  itUnless(noLibraryPath, "does so with the C library's path granted alone", async () => {
    await runCollecting(["--allow-net", `--allow-ffi=${libraryPath}`, ...libraryFlags]);
  });

  it("does so with single calls", async () => {
    await runCollecting(["--allow-all"], { env: { BERKELEY_MMSG: "off" } });
  });

  for (const calls of ["on", "off"]) {
    itUnless(noNamespaces, `stays while sends wait, with calls for many ${calls}`, async () => {
      await using pair = await NamespacePair.create();
      const { left, right } = pair;
      inside(left.name, () => {
        Deno.writeTextFileSync("/proc/sys/net/ipv4/neigh/veth0/mcast_solicit", "10000");
        Deno.writeTextFileSync("/proc/sys/net/ipv4/neigh/veth0/retrans_time_ms", "20");
      });
      await using child = startDeno(PROGRAM, {
        flags: ["-A", "--v8-flags=--expose-gc"],
        args: [left.name, right.name, ABSENT],
        env: { BERKELEY_MMSG: calls },
      });
      await child.waitForLine(/^waiting$/);
      // The datagrams sent so far wait until this address exists.
      const { success, report } = await run("ip", ["-n", right.name, "address", "add", `${ABSENT}/24`, "dev", "veth0"]);
      assert(success, report);
      const finished = await child.finished();
      assertEquals(finished.stdout, "waiting\nend", finished.report);
    });
  }
});
