import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { thisSystem } from "../../ffi/libc/host.ts";
import { libraryPath, noLibraryPath } from "../support/c_library.ts";
import { startDeno } from "../support/process.ts";
import { itUnless } from "../support/skipping.ts";

const PROGRAM = new URL("./programs/chosen.ts", import.meta.url);

async function chosen(flags: string[], env: Record<string, string>): Promise<string> {
  const { stdout } = await startDeno(PROGRAM, { flags, env }).finished();
  return stdout.trim();
}

describe("BERKELEY_SYSTEM and BERKELEY_LIBC", () => {
  const { name } = thisSystem();
  const another = { BERKELEY_LIBC: libraryPath ?? "" };

  itUnless(noLibraryPath, "choose the library, under a grant for that file too", async () => {
    for (const ffi of ["--allow-ffi", `--allow-ffi=${libraryPath}`]) {
      assertEquals(await chosen([ffi, "--allow-env"], another), `${thisSystem().name}, ${libraryPath}`);
    }
  });

  itUnless(noLibraryPath, "give no library that is not granted", async () => {
    const message = await chosen(["--allow-ffi=/nowhere", "--allow-env"], another);
    assertStringIncludes(message, "NotCapable");
  });

  itUnless(noLibraryPath, "are not read, and not asked for, without --allow-env for them", async () => {
    const env = { BERKELEY_SYSTEM: "nonsense", BERKELEY_LIBC: "/nonsense" };
    for (const flags of [[], ["--allow-env=HOME"], ["--allow-env", "--deny-env"]]) {
      assertStringIncludes(await chosen([`--allow-ffi`, ...flags], env), name);
    }
  });

  itUnless(noLibraryPath, "refuse a name without a table in a sentence that quotes it", async () => {
    for (const nonsense of ["nonsense", "__proto__"]) {
      const message = await chosen(["--allow-ffi", "--allow-env"], { BERKELEY_SYSTEM: nonsense });
      assertStringIncludes(
        message,
        `TypeError: Invalid BERKELEY_SYSTEM: "${nonsense}", expected one of linux_x86_64, `,
      );
    }
  });
});
