import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { startDeno } from "../support/process.ts";
import { TIMEOUT } from "../support/timeout.ts";

noDescriptorLeaks();

// In processes of their own: what a Worker had open when it was terminated stays open until its process ends.
const TERMINATING = new URL("./programs/terminating.ts", import.meta.url);

describe("A Worker that waits for datagrams", TIMEOUT, () => {
  for (
    const [when, word] of [["as soon as it waits", "at once"], ["while a thread waits for it", "settled"]] as const
  ) {
    for (const count of [1, 3]) {
      const what = count === 1 ? "alone" : "beside two more";
      it(`is terminated ${what} ${when}, and the process goes on and ends by itself`, async () => {
        await using child = startDeno(TERMINATING, { args: [String(count), word] });
        const { success, stdout, report } = await child.finished();
        assert(success, report);
        const answers = Array.from({ length: 2 * count }, () => "answer 2 true");
        assertEquals(stdout.split("\n"), [...answers, "our own 9", "end"], report);
      });
    }
  }
});
