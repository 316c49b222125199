import { assert, assertEquals, assertLessOrEqual, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { startDeno } from "../support/process.ts";
import { chart } from "./framework/chart.ts";
import { withResults } from "./framework/readme.ts";
import { describeResult } from "./framework/report.ts";
import type { Machine } from "./framework/machine.ts";
import { BASELINE, OURS, type Result, type Workload } from "./framework/workload.ts";
import { workloads } from "./workloads/mod.ts";

const MACHINE: Machine = {
  date: "2026-01-31",
  system: "linux 6.18.44 x86_64",
  processor: "A processor with a long name, of the 14th generation @ 3.20GHz",
  cores: 2,
  deno: "2.9.6",
  commit: "0123abc",
  load: 0.25,
};

/** What a run would yield in which the first subjects reached these values, and the last could not take part. */
function resultOf(workload: Workload, values: readonly number[], absent: string | null = null): Result {
  const outcomes = workload.subjects.map(({ name }, index) => {
    const isAbsent = absent !== null && index === workload.subjects.length - 1;
    const value = values[index % values.length]!;
    const sample = Object.fromEntries(workload.metrics.map(({ key }) => [key, value]));
    return { subject: name, absent: isAbsent ? absent : null, samples: isAbsent ? [] : [sample] };
  });
  return { workload, outcomes };
}

describe("The command line of the bench", () => {
  const mistakes: [args: string[], line: string][] = [
    [["--olny", "udp_receive"], "unknown option --olny; did you mean --only?"],
    [["--rounds", "0x2"], "--rounds 0x2: expected a whole number from 1 to 1000"],
    [["--only", "nosuch"], "no workload is called nosuch; see --list"],
  ];
  for (const [args, line] of mistakes) {
    it(`is refused in one line, and nothing is measured: ${args.join(" ")}`, async () => {
      const child = startDeno(new URL("main.ts", import.meta.url), { args });
      const { code, stdout, stderr } = await child.finished();
      assertEquals([code, stdout, stderr], [1, "", `bench: ${line}`]);
    });
  }
});

describe("The report of the bench", () => {
  it("fits 100 columns for every workload", () => {
    for (const workload of workloads) {
      for (const line of describeResult(resultOf(workload, [37_470_442.5])).split("\n")) {
        assertLessOrEqual(line.length, 100, line);
      }
    }
  });

  it("leaves out by name who could not take part", () => {
    const [workload] = workloads;
    const text = describeResult(resultOf(workload!, [1], "not installed"));
    const name = workload!.subjects.at(-1)!.name;
    assertStringIncludes(text, `left out: ${name} (not installed)`);
    assert(!text.includes(`\n  ${name}  `), text);
  });
});

describe("The chart of the bench", () => {
  it("gives what is many times the baseline a scale of its own", () => {
    const workload = workloads.find(({ subjects }) => subjects.length >= 3)!;
    const values = workload.subjects.map(({ name }) => name === BASELINE ? 100 : name === OURS ? 200 : 9000);
    const svg = chart(MACHINE, 5, [resultOf(workload, values)]);
    const widths = Array.from(svg.matchAll(/<rect [^>]* width="([\d.]+)"/g), ([, width]) => Number(width));
    assert(widths.filter((width) => width === 500).length >= 2, svg);
    assertMatch(svg, /on a scale of their own:/);
  });

  it("has every subject's name and figure inside of its width", () => {
    for (const workload of workloads) {
      const svg = chart(MACHINE, 5, [resultOf(workload, [37_470_442])]);
      const [, width] = svg.match(/viewBox="0 0 (\d+) /)!;
      for (const [, x, , content] of svg.matchAll(/<text x="([\d.]+)" y="[\d.]+"( class="\w+")?>([^<]*)</g)) {
        // A character of 13 pixels is some 7 wide.
        assertLessOrEqual(Number(x) + 7 * content!.length, Number(width) + 20, content);
        if (Number(x) === 20 && workload.subjects.some(({ name }) => name === content)) {
          assertLessOrEqual(7 * content!.length, 260, content);
        }
      }
    }
  });
});

describe("The table of a page", () => {
  const page = "before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n";

  it("is written anew, with the machine and the commit", () => {
    const text = withResults(page, MACHINE, 5, [resultOf(workloads[0]!, [2])]);
    assertMatch(text, /^before\n<!-- bench -->\n\n\| workload /);
    assert(!text.includes("old"), text);
    assertMatch(
      text,
      /Medians of 5 rounds\. 2026-01-31: Deno 2\.9\.6, .*, commit 0123abc, load average 0\.3 before\.\n\n<!-- \/bench -->\nafter\n$/,
    );
  });

  it("is refused where the page has no place for it", () => {
    assertThrows(() => withResults("nothing", MACHINE, 5, []), TypeError, "has no <!-- bench -->");
  });
});
