import { assert, assertStringIncludes } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { run } from "../support/process.ts";
import { itUnless } from "../support/skipping.ts";
import { VECTORED } from "./datagrams.ts";
import { PATIENCE } from "./support.ts";

noDescriptorLeaks();

/** What must be the same with and without recvmmsg, sendmmsg and UDP_SEGMENT. */
const FILES = ["batch", "receive_many", "segments", "segments_fallback", "send_many", "send_waiting", "packet_info"];

const ROOT = new URL("../..", import.meta.url);

describe("Without calls that move many datagrams", PATIENCE, () => {
  for (const file of FILES) {
    itUnless(VECTORED ? null : "this is already so", `everything is the same: ${file}_test.ts`, async () => {
      const path = `tests/udp/${file}_test.ts`;
      const flags = ["-A", "--no-check", "--preload=./tests/support/warm_up.ts"];
      const { success, stdout, report } = await run(Deno.execPath(), ["test", ...flags, path], {
        env: { BERKELEY_MMSG: "off" },
        cwd: ROOT,
      });
      assert(success, report);
      assertStringIncludes(stdout, "0 failed", report);
    });
  }
});
