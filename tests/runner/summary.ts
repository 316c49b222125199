/**
 * What `deno test` writes with its dot reporter where there is no terminal, taken apart: a line for each dot, what
 * failed, and a summary.
 *
 * @module
 */

/** Numbers of tests and of steps in them, by Deno's word: "passed", "failed", "ignored", "filtered out". */
export type Counts = Record<string, { tests: number; steps: number }>;

const DOT = /^[.,!]$/;
const SUMMARY = /^(?:ok|FAILED) \| (.*) \(\w+\)$/;

/** Whether a line is what the dot reporter writes for one test. */
export function isDot(line: string): boolean {
  return DOT.test(line);
}

/** The counts of the last summary; undefined where there is none, as after a crash. */
export function countsOf(output: string): Counts | undefined {
  const summary = output.split("\n").map((line) => SUMMARY.exec(line)?.[1]).findLast((text) => text !== undefined);
  if (summary === undefined) return undefined;
  const counts: Counts = {};
  for (const part of summary.split(" | ")) {
    const [, tests, word, steps = "0"] = /^(\d+) ([a-z ]+?)(?: \((\d+) steps?\))?$/.exec(part) ?? [];
    if (word !== undefined) counts[word] = { tests: Number(tests), steps: Number(steps) };
  }
  return counts;
}

/** What else there is in the output: what failed, without dots, summary and the blank lines around them. */
export function failuresOf(output: string): string {
  return output.split("\n").filter((line) => !isDot(line) && !SUMMARY.test(line)).join("\n").trim();
}

/** Adds up counts. */
export function sum(all: readonly Counts[]): Counts {
  const total: Counts = { passed: { tests: 0, steps: 0 }, failed: { tests: 0, steps: 0 } };
  for (const [word, { tests, steps }] of all.flatMap((counts) => Object.entries(counts))) {
    const before = total[word] ?? { tests: 0, steps: 0 };
    total[word] = { tests: before.tests + tests, steps: before.steps + steps };
  }
  return total;
}

/** The summary as Deno writes it. */
export function formatSummary(counts: Counts, milliseconds: number): string {
  const parts = Object.entries(counts).map(([word, { tests, steps }]) => {
    return `${tests} ${word}${steps === 0 ? "" : ` (${steps} ${steps === 1 ? "step" : "steps"})`}`;
  });
  const seconds = Math.round(milliseconds / 1_000);
  const time = seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
  return `${counts.failed?.tests ? "FAILED" : "ok"} | ${parts.join(" | ")} (${time})`;
}

/** Names of the ignored tests in a report in JUnit's format, as Deno writes it. */
export function ignoredTests(report: string): string[] {
  const ignored = report.matchAll(/<testcase name="([^"]*)"[^>]*>\s*<skipped\/>/g);
  return Array.from(ignored, ([, name]) => unescape(name!));
}

function unescape(text: string): string {
  const named: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
  return text.replaceAll(
    /&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi,
    (whole, hex, decimal, name) =>
      name === undefined ? String.fromCodePoint(hex ? parseInt(hex, 16) : Number(decimal)) : named[name] ?? whole,
  );
}
