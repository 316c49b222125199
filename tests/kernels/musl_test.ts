import { assertEquals } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { libc } from "../../ffi/libc/libc.ts";
import { startDeno } from "../support/process.ts";
import { itUnless } from "../support/skipping.ts";
import { linuxTable } from "../support/systems.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { EVERY_KIND, WHOLE } from "./support.ts";

/** Its C library and its loader are one file. */
const MUSL = libc().system.libraries.find((path) => path.includes("ld-musl-"));

function whyNot(): string | null {
  if (!linuxTable || MUSL === undefined) return "musl is a C library of Linux";
  try {
    Deno.statSync(MUSL);
    return null;
  } catch {
    return `not installed: musl, ${MUSL}`;
  }
}

// musl keeps errno where glibc, whose process this is, keeps the key of its pointers to functions: nothing that calls one
// of these can be done, which looking up names and exiting are.
describe("musl", TIMEOUT, () => {
  const GRANTS = {
    "chosen by BERKELEY_LIBC": { flags: ["-A"], env: { BERKELEY_LIBC: MUSL ?? "" } },
    "the one library that is granted": {
      flags: ["--no-prompt", "--allow-net", "--allow-sys", `--allow-ffi=${MUSL}`, "--allow-run", "--allow-read"],
      env: {},
    },
  };
  for (const [how, options] of Object.entries(GRANTS)) {
    itUnless(whyNot(), `has sockets of every kind, ${how}`, async () => {
      await using child = startDeno(EVERY_KIND, { ...options, args: ["guest"] });
      const { stdout, signal, report } = await child.finished();
      assertEquals(signal, "SIGKILL", report);
      assertEquals(JSON.parse(stdout), WHOLE);
    });
  }
});
