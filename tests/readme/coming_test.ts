import { assert, assertEquals } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { startDeno } from "../support/process.ts";
import { itUnless } from "../support/skipping.ts";
import { noAbstractNames } from "../support/systems.ts";

noDescriptorLeaks();

/** What each program prints. They are type-checked with all other files. */
const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  deno: ["hello", "5", "true ETIMEDOUT", "stopped"],
  node: ["true", "5 true", "true null", "5 10 127.0.0.2", "10", "ECONNRESET recvmsg true"],
  go: [
    "tcp4 127.0.0.1",
    "tcp4 127.0.0.1",
    "true",
    "TcpConn true TcpListener",
    "127.0.0.3",
    "socket true",
    "false",
  ],
};

describe("A program moved here by the README's table", () => {
  for (const [name, lines] of Object.entries(PROGRAMS)) {
    itUnless(name === "deno" ? noAbstractNames : null, `runs as it did there: ${name}`, async () => {
      const script = new URL(`coming/${name}.ts`, import.meta.url);
      const child = startDeno(script, { flags: ["--allow-ffi", "--allow-net"] });
      const { success, stdout, report } = await child.finished();
      assert(success, report);
      assertEquals(stdout.split("\n"), lines, report);
    });
  }
});
