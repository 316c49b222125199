import { describeMachine, type Machine } from "./machine.ts";
import { figure, medians } from "./report.ts";
import { middleOf, ratio } from "./statistics.ts";
import { BASELINE, OURS, type Outcome, type Result } from "./workload.ts";

const BEGIN = "<!-- bench -->";
const END = "<!-- /bench -->";

/** The key of the metric that counts processor time. */
const PROCESSOR = "processor";

const times = (value: number) => Number.isNaN(value) ? "" : `${figure(value, value < 10 ? 2 : 0)}×`;

/** Rows of one workload: ours, by each way there is, against Deno's. */
function rows(result: Result): string[] {
  const { workload, outcomes } = result;
  const [metric] = workload.metrics;
  const baseline = outcomes.find(({ subject }) => subject === BASELINE);
  const median = (outcome: Outcome | undefined) =>
    outcome === undefined ? "" : figure(middleOf(outcome, metric!.key), metric!.digits);
  return outcomes.filter(({ subject, samples }) => subject.startsWith(OURS) && samples.length > 0).map((outcome) => {
    const way = outcome.subject === OURS ? "" : `; ${outcome.subject.slice(OURS.length + 2)}`;
    const processor = ratio(result, outcome.subject, PROCESSOR);
    const ours = ratio(result, outcome.subject, metric!.key);
    const cells = [
      workload.title + way,
      metric!.title,
      median(baseline),
      median(outcome),
      times(ours),
      times(processor),
    ];
    return `| ${cells.join(" | ")} |`;
  });
}

/** A page with the table between its comments written anew. */
export function withResults(page: string, machine: Machine, rounds: number, results: readonly Result[]): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin === -1 || end < begin) throw new TypeError(`The page has no ${BEGIN} before a ${END}`);
  const head =
    "| workload | unit | Deno | ours | × Deno | processor, × Deno |\n| --- | --- | ---: | ---: | ---: | ---: |";
  const foot = `${medians(rounds)}. ${describeMachine(machine)}.`;
  const table = [head, ...results.flatMap(rows)].join("\n");
  return `${page.slice(0, begin)}${BEGIN}\n\n${table}\n\n${foot}\n\n${page.slice(end)}`;
}
