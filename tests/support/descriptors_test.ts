import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { describeDescriptors, descriptorCount } from "./descriptors.ts";
import { run } from "./process.ts";
import { CONFIG } from "./repository.ts";
import { itUnless } from "./skipping.ts";

const HELPER = new URL("./descriptors.ts", import.meta.url).href;
const WARM_UP = new URL("./warm_up.ts", import.meta.url).pathname;

/** Runs a test file of these lines, under the configuration of this repository. */
async function runTestFile(...lines: string[]): Promise<{ code: number; output: string }> {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/leak_test.ts`;
    await Deno.writeTextFile(path, [`import { noDescriptorLeaks } from "${HELPER}";`, ...lines].join("\n"));
    const flags = ["--config", CONFIG, "--no-lock", "--no-check", "-A", `--preload=${WARM_UP}`];
    const { code, stdout, stderr } = await run(Deno.execPath(), ["test", ...flags, path]);
    return { code, output: stdout + stderr };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

describe("descriptorCount()", () => {
  it("counts what is opened and closed", () => {
    const before = descriptorCount();
    {
      using _file = Deno.openSync("/dev/zero");
      assertEquals(descriptorCount(), before + 1);
    }
    assertEquals(descriptorCount(), before);
  });
});

describe("describeDescriptors()", () => {
  itUnless(Deno.build.os === "linux" ? null : "no /proc here", "describes sockets", () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const port = listener.addr.port.toString(16).toUpperCase().padStart(4, "0");
    assertMatch(describeDescriptors(), new RegExp(`^\\d+ socket:\\[\\d+\\] tcp .*0100007F:${port}`, "m"));
  });
});

describe("noDescriptorLeaks()", () => {
  it("passes a file that closes everything", async () => {
    const { code, output } = await runTestFile(
      "noDescriptorLeaks();",
      `Deno.test("closes", () => Deno.listen({ port: 0 }).close());`,
    );
    assertEquals(code, 0, output);
  });

  it("fails a file that does not, and names what is left open", async () => {
    const { code, output } = await runTestFile(
      "noDescriptorLeaks({ timeout: 0 });",
      `Deno.test({ name: "leaks", sanitizeResources: false, fn: () => void Deno.openSync("/dev/zero") });`,
    );
    assertEquals(code, 1, output);
    assertMatch(output, /Descriptors left open: 1\n\d+ \/dev\/zero/);
    assertStringIncludes(output, "1 passed | 1 failed");
  });

  it("waits for what closes later", async () => {
    const { code, output } = await runTestFile(
      "noDescriptorLeaks();",
      `const options = { sanitizeOps: false, sanitizeResources: false };`,
      `Deno.test("closes late", options, () => void setTimeout((file) => file.close(), 50, Deno.openSync("/dev/zero")));`,
    );
    assertEquals(code, 0, output);
  });

  it("allows prepared descriptors to stay open", async () => {
    const { code, output } = await runTestFile(
      `noDescriptorLeaks({ prepare: () => void Deno.openSync("/dev/zero") });`,
      `Deno.test("does nothing", () => {});`,
    );
    assertEquals(code, 0, output);
  });
});
