import { assert, assertStringIncludes } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { run } from "../support/process.ts";
import { ROOT } from "../support/repository.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { VECTORED } from "./datagrams.ts";

noDescriptorLeaks();

/** What must be the same with and without recvmmsg, sendmmsg and UDP_SEGMENT. */
const FILES = ["batch", "receive_many", "segments", "segments_fallback", "send_many", "send_waiting", "packet_info"];

describe("Without calls that move many datagrams", TIMEOUT, () => {
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
