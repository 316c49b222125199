import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { exists, startAt, temporaryFolder } from "./unix_support.ts";

noDescriptorLeaks();

/** How often, and with what pause in milliseconds, a test looks for a file before it fails. */
const LOOKS = 1000;
const PAUSE = 10;

/** Waits until there is a file at the path, or none. */
async function until(path: string, present: boolean): Promise<void> {
  for (let look = 0; look < LOOKS; look++) {
    if (await exists(path) === present) return;
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
  throw new Error(`${path} ${present ? "never came" : "is still there"}`);
}

describe("The socket file of an example", () => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    it(`is removed by unix_echo_server.ts at ${signal}`, async () => {
      await using folder = await temporaryFolder();
      const path = `${folder.path}/socket`;
      await using server = await startAt(path, "unix_echo_server", { args: ["--path", path] });
      await server.waitForLine(/^Listening on /);
      assert(await exists(path));
      const { code, report } = await server.end(signal);
      assertEquals([code, await exists(path)], [0, false], report);
    });
  }

  for (const example of ["pass_socket", "pass_file"]) {
    it(`is removed by ${example}.ts at Ctrl-C`, async () => {
      await using folder = await temporaryFolder();
      const path = `${folder.path}/socket`;
      await using child = await startAt(path, example, { args: ["--path", path] });
      await until(path, true);
      const { report } = await child.end("SIGINT");
      assert(!await exists(path), report);
    });
  }

  for (const versions of [2, 3, 4]) {
    it(`is removed by graceful_restart.ts at Ctrl-C, after ${versions} versions, which end too`, async () => {
      await using folder = await temporaryFolder();
      const path = `${folder.path}/socket`;
      await using child = await startAt(path, "graceful_restart", { args: ["--path", path, "--restarts", "200"] });
      const [, server] = await child.waitForLine(new RegExp(`^Version ${versions} \\(process (\\d+)\\) serves`));
      assert(await exists(path));
      // A terminal sends the signal to all; here the program alone gets it, or one of its servers as well.
      if (versions === 3) Deno.kill(Number(server), "SIGINT");
      const { code, report } = await child.end("SIGINT");
      assertEquals([code, await exists(path)], [1, false], report);
      await until(`/proc/${server}`, false);
    });
  }
});
