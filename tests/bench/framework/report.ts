import { loadLanguage } from "./load.ts";
import { describeMachine, type Machine } from "./machine.ts";
import { middleOf, ratio, reached } from "./statistics.ts";
import { BASELINE, type Metric, type Outcome, type Result } from "./workload.ts";

/** A figure as people read it. */
export function figure(value: number, digits: number): string {
  if (Number.isNaN(value)) return "—";
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** What the figures of a run are. */
export function medians(rounds: number): string {
  return rounds === 1 ? "One round" : `Medians of ${rounds} rounds`;
}

/** Columns of text that a report fits into. */
const WIDTH = 100;
/** Columns of a heading before it goes on in the next line. */
const HEADING = 12;

/** A text in lines of at most so many columns, of which all but the first begin with `indent`. */
export function wrapped(text: string, width: number, indent = ""): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent + word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function row(result: Result, outcome: Outcome): string[] {
  return [
    outcome.subject,
    ...result.workload.metrics.flatMap(({ key, digits }) => [
      figure(middleOf(outcome, key), digits),
      figure(ratio(result, outcome.subject, key), 2),
    ]),
  ];
}

/** Rows of text, in columns: the first to the left, the others to the right. The first row may have several lines. */
function columns(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const heads = head.map((title) => wrapped(title, HEADING));
  const height = Math.max(...heads.map(({ length }) => length));
  const lines = Array.from(
    { length: height },
    (_, line) => heads.map((title) => title[title.length - height + line] ?? ""),
  );
  const all = [...lines, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const align = (cell: string, column: number) =>
    column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!);
  return all.map((row) => `  ${row.map(align).join("  ")}`.trimEnd());
}

/** Who could not take part, and why. */
function absences({ outcomes }: Result): string[] {
  const absent = outcomes.flatMap(({ subject, absent }) => absent === null ? [] : [`${subject} (${absent})`]);
  return absent.length === 0 ? [] : indented(`left out: ${absent.join("; ")}`);
}

function indented(text: string): string[] {
  return wrapped(text, WIDTH - 2, "  ").map((line) => `  ${line}`);
}

/** The medians of one workload, the ratios, and its goals. */
export function describeResult(result: Result): string {
  const { workload, outcomes } = result;
  const hasBaseline = outcomes.some(({ subject }) => subject === BASELINE);
  const head = ["", ...workload.metrics.flatMap(({ title }) => [title, hasBaseline ? `× ${BASELINE}` : ""])];
  const present = outcomes.filter(({ absent }) => absent === null);
  return [
    ...wrapped(`${workload.name}: ${workload.title}`, WIDTH, "  "),
    ...indented(`load: ${workload.load}, ${loadLanguage}`),
    ...columns(head, present.map((outcome) => row(result, outcome))),
    ...absences(result),
    ...goals(result),
  ].join("\n");
}

function goals(result: Result): string[] {
  return result.workload.goals.map((goal) => {
    const metric = result.workload.metrics.find(({ key }) => key === goal.metric)!;
    const wanted = `${metric.better === "more" ? "≥" : "≤"} ${goal.bound}`;
    const what = goal.against === undefined ? metric.title : `× ${goal.against} in ${metric.title}`;
    const found = reached(result, goal);
    if (found === null) return `  goal: ${goal.of} ${wanted} ${what}: not measured`;
    return `  goal: ${goal.of} ${wanted} ${what}: ${figure(found.value, 2)}, ${found.reached ? "reached" : "MISSED"}`;
  });
}

function outcomeJson(result: Result, outcome: Outcome, metrics: readonly Metric[]) {
  const of = (value: (key: string) => number) => Object.fromEntries(metrics.map(({ key }) => [key, value(key)]));
  return {
    subject: outcome.subject,
    absent: outcome.absent,
    medians: of((key) => middleOf(outcome, key)),
    ratios: of((key) => ratio(result, outcome.subject, key)),
    samples: outcome.samples,
  };
}

/** Everything that was measured. */
export function toJson(machine: Machine, rounds: number, results: readonly Result[]): string {
  const workloads = results.map((result) => {
    const { name, title, metrics, goals, load } = result.workload;
    const outcomes = result.outcomes.map((outcome) => outcomeJson(result, outcome, metrics));
    const reachedGoals = goals.map((goal) => ({ ...goal, ...reached(result, goal) }));
    return { name, title, load: `${load}, ${loadLanguage}`, metrics, outcomes, goals: reachedGoals };
  });
  return JSON.stringify({ machine, description: describeMachine(machine), rounds, workloads }, null, 2) + "\n";
}
