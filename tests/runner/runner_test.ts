import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { type Finished, run } from "../support/process.ts";
import { ROOT } from "../support/repository.ts";
import { LONG, select } from "./selection.ts";
import { countsOf, failuresOf, formatSummary, ignoredTests, sum } from "./summary.ts";

let folder: string;
beforeAll(async () => {
  folder = await Deno.makeTempDir({ prefix: "berkeley-" });
});
afterAll(() => Deno.remove(folder, { recursive: true }));

/** Runs files of tests by their texts, in a folder of their own. */
async function runTests(files: Readonly<Record<string, string>>, flags = ["--no-check"]): Promise<Finished> {
  const place = await Deno.makeTempDir({ dir: folder });
  for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(`${place}/${name}`, text);
  return await run(Deno.execPath(), ["run", "-A", "tests/run.ts", ...flags, place], { cwd: ROOT });
}

/** The last line that has the form of a summary, as .ci/run reads it, without the time. */
function summaryOf({ stdout }: Finished): string | undefined {
  const line = stdout.split("\n").findLast((line) => /^(ok|FAILED) \| [0-9]+ passed/.test(line));
  return line?.replace(/ \(\w+\)$/, "");
}

const PASSES = 'Deno.test("passes", async (t) => { await t.step("one", () => {}); });';
const FAILS = 'Deno.test("fails", () => { throw new Error("on purpose"); });';

describe("tests/run.ts", () => {
  it("adds up what all files have, and names what was ignored", async () => {
    const ignored = 'Deno.test({ name: "waits (for <nothing> & \\"more\\")", ignore: true, fn() {} });';
    const finished = await runTests({
      "one_test.ts": PASSES,
      "two_test.ts": `${PASSES}\n${ignored}`,
      "other.ts": FAILS,
    });
    assert(finished.success, finished.report);
    assertEquals(summaryOf(finished), "ok | 2 passed (2 steps) | 0 failed | 1 ignored");
    assertStringIncludes(finished.stdout, 'Ignored:\n  waits (for <nothing> & "more")');
    assertMatch(finished.stdout, /^[.,]{5}\n/);
  });

  it("reports each failure in Deno's words, behind all dots, and exits with 1", async () => {
    const finished = await runTests({ "one_test.ts": FAILS, "two_test.ts": PASSES, "three_test.ts": FAILS });
    assertEquals(finished.code, 1, finished.report);
    assertEquals(summaryOf(finished), "FAILED | 1 passed (1 step) | 2 failed");
    assertEquals(finished.stdout.match(/^error: Error: on purpose$/gm)?.length, 2, finished.report);
    assertMatch(finished.stdout, /^[.!]{4}\n/);
  });

  it("counts a file that throws, a process that ends and a wrong type as failures", async () => {
    const thrown = await runTests({ "one_test.ts": `${PASSES}\nthrow new Error("at the top");` });
    assertEquals([thrown.code, summaryOf(thrown)], [1, "FAILED | 0 passed | 1 failed"], thrown.report);
    const killed = await runTests({ "one_test.ts": 'Deno.test("ends", () => Deno.kill(Deno.pid, "SIGKILL"));' });
    assertEquals([killed.code, summaryOf(killed)], [1, "FAILED | 0 passed | 1 failed"], killed.report);
    assertMatch(killed.stdout, /one_test\.ts: SIGKILL/);
    const wrong = { "one_test.ts": `${PASSES}\nexport const one: number = "one";` };
    const typed = await runTests(wrong, []);
    assertEquals([typed.code, summaryOf(typed)], [1, "FAILED | 1 passed (1 step) | 1 failed"], typed.report);
    assertMatch(typed.stdout, /^deno check: exit status 1\nTS2322/m);
    assert((await runTests(wrong)).success);
  });

  it("passes flags on, and refuses to run nothing", async () => {
    const both = { "one_test.ts": `${PASSES}\n${FAILS}`, "two_test.ts": FAILS };
    const finished = await runTests(both, ["--no-check", "--filter", "passes"]);
    assertEquals([finished.code, summaryOf(finished)], [0, "ok | 1 passed (1 step) | 0 failed | 2 filtered out"]);
    const none = await runTests({ "other.ts": PASSES });
    assertEquals([none.code, none.stderr], [1, "error: No test modules found"], none.report);
  });
});

describe("select()", () => {
  it("finds the files of folders once each, and leaves out what is to be ignored", async () => {
    const place = await Deno.makeTempDir({ dir: folder });
    await Deno.mkdir(`${place}/inner`);
    for (const name of ["b_test.ts", "a_test.ts", "inner/c_test.ts", "support.ts"]) {
      await Deno.writeTextFile(`${place}/${name}`, "");
    }
    const all = select([place, `${place}/`, `${place}/a_test.ts`, "--filter", place, "--fail-fast"]);
    assertEquals(all.files, ["a_test.ts", "b_test.ts", "inner/c_test.ts"].map((name) => `${place}/${name}`));
    assertEquals(all.flags, ["--filter", place, "--fail-fast"]);
    assertEquals(select([`--ignore=${place}/inner,${place}/a_test.ts`, place]).files, [`${place}/b_test.ts`]);
  });

  it("begins with the files that take longest, each of which exists", () => {
    const { files } = select([new URL("tests", ROOT).pathname]);
    const first = files.slice(0, LONG.length);
    for (const [index, name] of LONG.entries()) assert(first[index]!.endsWith(`/tests/${name}`), name);
    const rest = files.slice(LONG.length);
    assertEquals(rest, rest.toSorted());
  });
});

describe("A summary", () => {
  const SEVERAL = "ok | 12 passed (3 steps) | 0 failed | 1 ignored | 2 filtered out (1m5s)";

  it("is read in whatever words it has, and written as it was", () => {
    const counts = countsOf(`.\n,\n\n${SEVERAL}\n\n`)!;
    assertEquals(counts.passed, { tests: 12, steps: 3 });
    assertEquals(counts["filtered out"], { tests: 2, steps: 0 });
    assertEquals(formatSummary(counts, 65_300), SEVERAL);
    assertEquals(countsOf(".\n.\n"), undefined);
    const failed = sum([counts, countsOf("FAILED | 1 passed (1 step) | 2 failed (1 step) (8ms)")!]);
    const text = "FAILED | 13 passed (4 steps) | 2 failed (1 step) | 1 ignored | 2 filtered out (5s)";
    assertEquals(formatSummary(failed, 5_000), text);
  });

  it("is not a part of what failed", () => {
    assertEquals(
      failuresOf(`.\n!\n\n ERRORS \n\nname => file\nerror: .\n\n${SEVERAL}\n\n`),
      "ERRORS \n\nname => file\nerror: .",
    );
  });

  it("has no names: those of ignored tests are in the report", () => {
    const report = `<testcase name="a &lt;b&gt; &#xe9;&#33;" classname="x" time="0.000">\n  <skipped/>\n</testcase>
      <testcase name="c" classname="x" time="0.000">\n</testcase>`;
    assertEquals(ignoredTests(report), ["a <b> é!"]);
  });
});
