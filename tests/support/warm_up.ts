/**
 * Opens what this module opens on first use and keeps: the library and the poller. Loaded before the tests, because the
 * resource sanitizer and the count of descriptors would hold either against the first test that needs it. And lets every
 * test end with the poller's thread at home, which it is on its way to when the last operation has ended.
 *
 * @module
 */
import { reactor } from "../../ffi/poll/reactor.ts";
import { openLibrary } from "../../mod.ts";

openLibrary();

Deno.test.afterEach(async () => {
  while (reactor().leaving) await new Promise((resolve) => setTimeout(resolve, 1));
});
