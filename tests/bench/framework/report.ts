import { loadLanguage } from "./load.ts";
import { describeMachine, type Machine } from "./machine.ts";
import { middleOf, ratio, reached } from "./statistics.ts";
import { BASELINE, type Metric, type Outcome, type Result } from "./workload.ts";

/** A figure as people read it. */
export function figure(value: number, digits: number): string {
  if (Number.isNaN(value)) return "—";
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function row(result: Result, outcome: Outcome): string[] {
  if (outcome.absent !== null) return [outcome.subject, `(${outcome.absent})`];
  return [
    outcome.subject,
    ...result.workload.metrics.flatMap(({ key, digits }) => [
      figure(middleOf(outcome, key), digits),
      figure(ratio(result, outcome.subject, key), 2),
    ]),
  ];
}

/** Rows of text, in columns: the first to the left, the others to the right. */
function columns(rows: readonly (readonly string[])[]): string {
  const full = rows.filter((row) => row.length === rows[0]!.length);
  const widths = rows[0]!.map((_, column) => Math.max(...full.map((row) => row[column]!.length)));
  const align = (cell: string, column: number) =>
    column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column] ?? 0);
  return rows.map((row) => `  ${row.map(align).join("  ")}`.trimEnd()).join("\n");
}

/** The medians of one workload, the ratios, and its goals. */
export function describeResult(result: Result): string {
  const { workload, outcomes } = result;
  const hasBaseline = outcomes.some(({ subject }) => subject === BASELINE);
  const head = ["", ...workload.metrics.flatMap(({ title }) => [title, hasBaseline ? `× ${BASELINE}` : ""])];
  const table = columns([head, ...outcomes.map((outcome) => row(result, outcome))]);
  return [`${workload.name}: ${workload.title} (load: ${workload.load}, ${loadLanguage})`, table, ...goals(result)]
    .join("\n");
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
