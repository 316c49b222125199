import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { run } from "../support/process.ts";

const BDD = new URL("./bdd.ts", import.meta.url).href;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;
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

describe("describe() and it()", () => {
  it("show every name and count suites as tests and what they contain as steps", async () => {
    const { code, output, summary } = await runFixture(`
      describe("outer", () => {
        it("first", () => {});
        describe("inner", () => it("second", async (t) => void await t.step("third", () => {})));
      });
      it("alone", () => {});`);
    assertEquals([code, summary], [0, "ok | 2 passed (4 steps) | 0 failed"], output);
    for (const name of ["outer", "first", "inner", "second", "third", "alone"]) {
      assertMatch(output, new RegExp(`^ *${name} \\.\\.\\. ok`, "m"));
    }
  });

  it("fail with the test, and go on with the next", async () => {
    const { code, output, marks, summary } = await runFixture(`
      describe("outer", () => {
        describe("inner", () => {
          it("throws", () => { throw new RangeError("out of range"); });
          it("rejects", () => Promise.reject(new TypeError("of no type")));
          it("goes on", () => mark("went on"));
        });
      });`);
    assertEquals([code, marks, summary], [1, ["went on"], "FAILED | 0 passed (1 step) | 1 failed (3 steps)"], output);
    assertMatch(output, /outer \.\.\. inner \.\.\. throws.*\n.*RangeError: out of range/);
    assertMatch(output, /outer \.\.\. inner \.\.\. rejects.*\n.*TypeError: of no type/);
  });

  it("point at the line of the test file", async () => {
    const { output } = await runFixture(`\nit("alone", () => { throw new Error("no"); });`);
    assertMatch(output, /alone => .*fixture_test\.ts:3:1/);
  });

  it("take their options in every form", async () => {
    const { output, marks, summary } = await runFixture(`
      describe({ name: "one object", fn: () => it({ name: "a", fn: () => mark("a") }) });
      describe({ name: "object and body" }, () => it({ name: "b" }, () => mark("b")));
      describe("name, options, body", { sanitizeExit: false }, () => {
        it("c", { ignore: false }, () => mark("c"));
        it("d", { ignore: true }, () => mark("d"));
      });`);
    assertEquals(
      [marks, summary],
      [["a", "b", "c"], "ok | 3 passed (3 steps) | 0 failed | 0 ignored (1 step)"],
      output,
    );
  });
});

describe("skip and ignore", () => {
  it("report without running, bodies of suites and hooks included", async () => {
    const { code, output, marks, summary } = await runFixture(`
      describe.skip("skipped suite", () => { mark("body"); it("x", () => mark("x")); });
      it.ignore("ignored test", () => mark("ignored"));
      describe("suite", () => {
        describe.ignore("ignored suite", () => { beforeAll(() => mark("hook")); it("y", () => mark("y")); });
        it.skip("skipped test", () => mark("skipped"));
        it("runs", () => mark("runs"));
      });`);
    const expected = "ok | 1 passed (1 step) | 0 failed | 2 ignored (2 steps)";
    assertEquals([code, marks, summary], [0, ["runs"], expected], output);
    for (const name of ["skipped suite", "ignored test", "ignored suite", "skipped test"]) {
      assertMatch(output, new RegExp(`^ *${name} \\.\\.\\. ignored`, "m"));
    }
  });
});

describe("only", () => {
  it("narrows to one nested test, and the run does not count as passed", async () => {
    const { code, output, marks } = await runFixture(`
      describe("outer", () => {
        it("neighbour above", () => mark("above"));
        describe("inner", () => {
          it("before", () => mark("before"));
          it.only("chosen", () => mark("chosen"));
          it("after", () => mark("after"));
        });
        describe("neighbour below", () => it("deep", () => mark("below")));
      });
      describe("elsewhere", () => it("other", () => mark("other")));
      it("alone", () => mark("alone"));`);
    assertEquals([code, marks], [1, ["chosen"]], output);
    assertMatch(output, /^ *neighbour above \.\.\. ignored/m);
    assertStringIncludes(output, `"only" option was used`);
  });

  it("keeps a whole suite, or what is chosen within it", async () => {
    const { marks, output } = await runFixture(`
      describe("outer", () => {
        describe.only("whole", () => { it("a", () => mark("a")); it("b", () => mark("b")); });
        describe.only("part", () => { it("c", () => mark("c")); it.only("d", () => mark("d")); });
        it("e", () => mark("e"));
      });`);
    assertEquals(marks, ["a", "b", "d"], output);
  });

  it("works at the top", async () => {
    const { marks, output } = await runFixture(`
      it("a", () => mark("a"));
      it.only("b", () => mark("b"));
      describe.only("c", () => it("d", () => mark("d")));`);
    assertEquals(marks, ["b", "d"], output);
  });
});

describe("hooks", () => {
  it("run around their suites and tests, from the outside in and back", async () => {
    const { code, output, marks } = await runFixture(`
      beforeAll(() => mark("file+"));
      afterAll(() => mark("file-"));
      beforeEach(() => mark("each+"));
      afterEach(() => mark("each-"));
      describe("outer", () => {
        beforeAll(async () => { await null; mark(" outer+"); });
        afterAll(() => mark(" outer-"));
        beforeEach(() => mark("  outer each+ 1"));
        beforeEach(() => mark("  outer each+ 2"));
        afterEach(() => mark("  outer each- 1"));
        afterEach(() => mark("  outer each- 2"));
        it("a", () => mark("    a"));
        describe("inner", () => {
          beforeAll(() => mark("  inner+"));
          afterAll(() => mark("  inner-"));
          beforeEach(() => mark("   inner each+"));
          afterEach(() => mark("   inner each-"));
          it("b", () => mark("    b"));
        });
      });
      it("c", () => mark("    c"));`);
    assertEquals(code, 0, output);
    const outerEach = (...inside: string[]) => [
      ...["each+", "  outer each+ 1", "  outer each+ 2"],
      ...inside,
      ...["  outer each- 1", "  outer each- 2", "each-"],
    ];
    assertEquals(marks, [
      ...["file+", " outer+"],
      ...outerEach("    a"),
      "  inner+",
      ...outerEach("   inner each+", "    b", "   inner each-"),
      ...["  inner-", " outer-"],
      ...["each+", "    c", "each-"],
      "file-",
    ]);
  });

  it("fail the suite whose beforeAll() throws, without running its tests", async () => {
    const { code, output, marks } = await runFixture(`
      describe("outer", () => {
        describe("inner", () => {
          beforeAll(() => { mark("set up"); throw new Error("no set-up"); });
          beforeAll(() => mark("set up more"));
          afterAll(() => mark("tear down"));
          it("a", () => mark("a"));
        });
        it("b", () => mark("b"));
      });`);
    assertEquals([code, marks], [1, ["set up", "tear down", "b"]], output);
    assertMatch(output, /outer \.\.\. inner .*\n.*no set-up/);
  });

  it("fail the test whose beforeEach() throws, without its body", async () => {
    const { code, output, marks } = await runFixture(`
      describe("suite", () => {
        let count = 0;
        beforeEach(() => { if (count++ === 0) throw new Error("no set-up"); });
        afterEach(() => mark("tear down"));
        it("a", () => mark("a"));
        it("b", () => mark("b"));
      });`);
    assertEquals([code, marks], [1, ["tear down", "b", "tear down"]], output);
    assertMatch(output, /suite \.\.\. a .*\n.*no set-up/);
  });

  it("fail the test or the suite when afterEach() or afterAll() throws, and the next still runs", async () => {
    const { code, output, marks } = await runFixture(`
      describe("suite", () => {
        afterEach(() => { throw new Error("no tear-down"); });
        afterEach(() => mark("each"));
        afterAll(() => { throw new Error("no end"); });
        afterAll(() => mark("all"));
        it("a", () => { throw new Error("no test"); });
      });`);
    assertEquals([code, marks], [1, ["each", "all"]], output);
    for (const message of ["no test", "no tear-down", "no end"]) assertStringIncludes(output, `Error: ${message}`);
  });

  it("fail the file when a hook outside every suite throws", async () => {
    const before = await runFixture(`beforeAll(() => { throw new Error("no start"); }); it("a", () => mark("a"));`);
    assertEquals([before.code, before.marks], [1, []], before.output);
    const after = await runFixture(`afterAll(() => { throw new Error("no end"); }); it("a", () => mark("a"));`);
    assertEquals([after.code, after.marks, after.summary], [1, ["a"], "FAILED | 1 passed | 1 failed"], after.output);
  });
});

describe("sanitizers", () => {
  const config = ["--config", CONFIG];
  const leaks = `setTimeout(() => {}, 60_000); Deno.openSync("/dev/null");`;

  it("are on in this repository, for everything in a suite", async () => {
    const { code, output } = await runFixture(`describe("suite", () => it("leaks", () => { ${leaks} }));`, config);
    assertEquals(code, 1, output);
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

  it("let a suite hold between its hooks what it closes in the end", async () => {
    const { code, output } = await runFixture(
      `describe("suite", () => {
        let file: Deno.FsFile;
        beforeAll(() => { file = Deno.openSync("/dev/null"); });
        afterAll(() => file.close());
        it("uses it", () => void file.statSync());
      });`,
      config,
    );
    assertEquals(code, 0, output);
  });
});

describe("misuse is refused", () => {
  const refused: Record<string, [text: string, message: string]> = {
    "an asynchronous suite": [
      `describe("suite", (async () => { await null; }) as () => void);`,
      `The body of describe "suite" is asynchronous`,
    ],
    "a test without a body": [`it({ name: "empty" } as never);`, `Test "empty" has no body`],
    "an option that has no effect on a nested test": [
      `describe("suite", () => it("test", { sanitizeOps: false }, () => {}));`,
      `"sanitizeOps" has no effect on the nested "test"`,
    ],
    "a test within a test": [`it("outer", () => it("inner", () => {}));`, `Test "inner" comes too late`],
    "a hook within a test": [`it("outer", () => afterEach(() => {}));`, "afterEach() comes too late"],
  };
  for (const [name, [text, message]] of Object.entries(refused)) {
    it(name, async () => {
      const { code, output } = await runFixture(text);
      assertEquals(code, 1, output);
      assertStringIncludes(output, message);
    });
  }
});
