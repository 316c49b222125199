import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { run } from "../support/process.ts";
import { CONFIG } from "../support/repository.ts";

const BDD = new URL("./bdd.ts", import.meta.url).href;
const NAMES = "afterAll, afterEach, beforeAll, beforeEach, describe, it";

interface Outcome {
  code: number;
  output: string;
  /** What the fixture logged, one mark a line. */
  marks: string[];
  /** The last line: what passed, failed and was ignored. */
  summary: string;
}

/** Runs a test file of this text in a Deno of its own. */
async function runFixture(text: string, flags: readonly string[] = ["--no-config"]): Promise<Outcome> {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/fixture_test.ts`;
    const mark = "const mark = (text: string) => console.log(`mark ${text}`);";
    await Deno.writeTextFile(path, `import { ${NAMES} } from "${BDD}"; ${mark}\n${text}`);
    const { code, stdout, stderr } = await run(Deno.execPath(), [
      "test",
      "-A",
      "--no-check",
      "--no-lock",
      ...flags,
      path,
    ]);
    const output = stdout + stderr;
    const marks = Array.from(output.matchAll(/^mark (.*)$/gm), ([, text]) => text ?? "");
    const summary = output.match(/^(?:ok|FAILED) \| .*(?= \(\d)/m)?.[0] ?? "";
    return { code, output, marks, summary };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const NESTED = `
  describe("outer", () => {
    it("first", () => mark("first"));
    describe("inner", () => it("second", async (t) => void await t.step("third", () => mark("third"))));
  });
  it("alone", () => mark("alone"));`;

describe("describe() and it()", () => {
  it("register one test for each it(), under all of its names", async () => {
    const { code, output, summary } = await runFixture(NESTED);
    assertEquals([code, summary], [0, "ok | 3 passed (1 step) | 0 failed"], output);
    for (const name of ["outer: first", "outer: inner: second", "alone"]) {
      assertMatch(output, new RegExp(`^${name} \\.\\.\\. (ok|\\n)`, "m"));
    }
  });

  it("register tests that --filter finds by any of their names", async () => {
    const flags = ["--no-config", "--filter=inner: second"];
    assertEquals((await runFixture(NESTED, flags)).marks, ["third"]);
    assertEquals((await runFixture(NESTED, ["--no-config", "--filter=outer"])).marks, ["first", "third"]);
  });

  it("fail with the test, and go on with the next", async () => {
    const { code, output, marks, summary } = await runFixture(`
      describe("suite", () => {
        it("throws", () => { throw new RangeError("out of range"); });
        it("rejects", () => Promise.reject(new TypeError("of no type")));
        it("goes on", () => mark("went on"));
      });`);
    assertEquals([code, marks, summary], [1, ["went on"], "FAILED | 1 passed | 2 failed"], output);
    assertMatch(output, /^suite: throws =>.*\n.*RangeError: out of range/m);
    assertMatch(output, /^suite: rejects =>.*\n.*TypeError: of no type/m);
  });

  it("report the line of the test file", async () => {
    const { output } = await runFixture(`\nit("alone", () => { throw new Error("no"); });`);
    assertMatch(output, /alone => .*fixture_test\.ts:3:1/);
  });

  it("give the options of a suite to its tests, which may have their own", async () => {
    const { output, marks, summary } = await runFixture(`
      describe("suite", { ignore: true }, () => {
        it("a", () => mark("a"));
        describe("inner", { sanitizeExit: false }, () => it("b", () => mark("b")));
        it("c", { ignore: false }, () => mark("c"));
      });
      it("d", { ignore: true }, () => mark("d"));
      it.skip("e (a reason)", () => mark("e"));`);
    assertEquals([marks, summary], [["c"], "ok | 1 passed | 0 failed | 4 ignored"], output);
    assertStringIncludes(output, "e (a reason) ... ignored");
  });

  it("end a test that takes longer than the timeout of its suite", async () => {
    const forever = "new Promise((resolve) => setTimeout(resolve, 60_000))";
    const { code, output, marks } = await runFixture(`
      describe("suite", { timeout: 200 }, () => {
        it("hangs", () => ${forever});
        it("goes on", () => mark("went on"));
      });`);
    assertEquals([code, marks], [1, ["went on"]], output);
    assertMatch(output, /^suite: hangs =>/m);
  });
});

describe("hooks", () => {
  it("run around the file and each of its tests", async () => {
    const { code, output, marks } = await runFixture(`
      beforeAll(async () => { await null; mark("file+"); });
      afterAll(() => mark("file- 1"));
      afterAll(() => mark("file- 2"));
      beforeEach(() => mark(" each+ 1"));
      beforeEach(() => mark(" each+ 2"));
      afterEach(() => mark(" each- 1"));
      afterEach(() => mark(" each- 2"));
      describe("suite", () => it("a", () => mark("  a")));
      it("b", () => mark("  b"));`);
    assertEquals(code, 0, output);
    const around = (name: string) => [" each+ 1", " each+ 2", name, " each- 2", " each- 1"];
    assertEquals(marks, ["file+", ...around("  a"), ...around("  b"), "file- 2", "file- 1"]);
  });

  it("fail the test whose beforeEach() throws, without its body", async () => {
    const { code, output, marks } = await runFixture(`
      let count = 0;
      beforeEach(() => { if (count++ === 0) throw new Error("no set-up"); });
      afterEach(() => mark("tear down"));
      it("a", () => mark("a"));
      it("b", () => mark("b"));`);
    assertEquals([code, marks], [1, ["tear down", "b", "tear down"]], output);
    assertMatch(output, /^a =>.*\n.*no set-up/m);
  });

  it("fail the test whose afterEach() throws, and run after a test that failed", async () => {
    const { code, output, marks, summary } = await runFixture(`
      let count = 0;
      afterEach(() => { mark("each"); if (count++ === 0) throw new Error("no tear-down"); });
      it("a", () => {});
      it("b", () => { throw new Error("no test"); });`);
    assertEquals([code, marks, summary], [1, ["each", "each"], "FAILED | 0 passed | 2 failed"], output);
    for (const message of ["no test", "no tear-down"]) assertStringIncludes(output, `Error: ${message}`);
  });

  it("fail the file when one around it throws", async () => {
    const before = await runFixture(`beforeAll(() => { throw new Error("no start"); }); it("a", () => mark("a"));`);
    assertEquals([before.code, before.marks], [1, []], before.output);
    const after = await runFixture(`afterAll(() => { throw new Error("no end"); }); it("a", () => mark("a"));`);
    assertEquals([after.code, after.marks, after.summary], [1, ["a"], "FAILED | 1 passed | 1 failed"], after.output);
  });
});

describe("sanitizers", () => {
  const config = ["--config", CONFIG];
  const leaks = `setTimeout(() => {}, 60_000); Deno.openSync("/dev/null");`;

  it("are on in this repository, for each test of a suite", async () => {
    const text = `describe("suite", () => { it("leaks", () => { ${leaks} }); it("does not", () => {}); });`;
    const { code, output, summary } = await runFixture(text, config);
    assertEquals([code, summary], [1, "FAILED | 1 passed | 1 failed"], output);
    assertStringIncludes(output, "A timer was started in this test, but never completed");
    assertStringIncludes(output, "A file was opened during the test, but not closed during the test");
  });

  it("can be switched off for a suite", async () => {
    const options = "{ sanitizeOps: false, sanitizeResources: false }";
    const { code, output } = await runFixture(
      `describe("suite", ${options}, () => it("leaks", () => { ${leaks} }));`,
      config,
    );
    assertEquals(code, 0, output);
  });

  it("let a file hold between its hooks what it closes in the end", async () => {
    const { code, output } = await runFixture(
      `let file: Deno.FsFile;
       beforeAll(() => { file = Deno.openSync("/dev/null"); });
       afterAll(() => file.close());
       it("uses it", () => void file.statSync());`,
      config,
    );
    assertEquals(code, 0, output);
  });
});

describe("misuse is refused", () => {
  const refused: Record<string, [text: string, message: string]> = {
    "a hook of a suite": [
      `describe("suite", () => afterEach(() => {}));`,
      "afterEach() inside describe(): hooks belong to the whole file",
    ],
    "a test within a test": [`it("outer", () => it("inner", () => {}));`, "Nested Deno.test() calls are not supported"],
  };
  for (const [name, [text, message]] of Object.entries(refused)) {
    it(name, async () => {
      const { code, output } = await runFixture(text);
      assertEquals(code, 1, output);
      assertStringIncludes(output, message);
    });
  }
});
