import { describeMachine, type Machine } from "./machine.ts";
import { figure, medians, wrapped } from "./report.ts";
import { middleOf, ratio } from "./statistics.ts";
import { BASELINE, OURS, type Outcome, type Result } from "./workload.ts";

const WIDTH = 960;
const MARGIN = 20;
/** Where the bars begin, behind the longest name, and the length of the longest; behind it there is room for its figure. */
const NAMES = 260;
const BARS = 500;
/** Characters of small text that fit into the width. */
const LINE = 140;
/** What is so many times the baseline gets a scale of its own, beside which the others can be seen. */
const APART = 8;
const BAR = 16;
const STEP = 22;
const HEADING = 40;
const GAP = 14;

const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #333 }
  .title { font-size: 18px; font-weight: 600 }
  .workload { font-size: 13px; font-weight: 600 }
  .small { font-size: 11px; fill: #666 }
  .bar { fill: #b8bec6 } .baseline { fill: #7a8694 } .ours { fill: #0b7a75 }
  @media (prefers-color-scheme: dark) { text { fill: #ddd } .small { fill: #aaa } .bar { fill: #5a626c } .ours { fill: #35b5ae } }
`;

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function text(x: number, y: number, words: string, style = ""): string {
  return `<text x="${x}" y="${y}"${style === "" ? "" : ` class="${style}"`}>${escape(words)}</text>`;
}

function bar(result: Result, outcome: Outcome, longest: number, y: number): string {
  const [metric] = result.workload.metrics;
  const value = middleOf(outcome, metric!.key);
  const length = Math.max(1, value / longest * BARS);
  const { subject } = outcome;
  const style = subject.startsWith(OURS) ? "ours" : subject === BASELINE ? "baseline" : "bar";
  const times = ratio(result, subject, metric!.key);
  const words = `${figure(value, metric!.digits)}${Number.isNaN(times) ? "" : `  (× ${figure(times, 2)})`}`;
  return [
    text(MARGIN, y + BAR - 4, subject),
    `<rect x="${NAMES}" y="${y}" width="${length.toFixed(1)}" height="${BAR}" rx="2" class="${style}"/>`,
    text(NAMES + length + 6, y + BAR - 4, words),
  ].join("\n");
}

/** Those that fit one scale, and those that get another. */
function scales(result: Result): Outcome[][] {
  const [metric] = result.workload.metrics;
  const shown = result.outcomes.filter(({ absent, samples }) => absent === null && samples.length > 0);
  const isApart = ({ subject }: Outcome) => ratio(result, subject, metric!.key) > APART;
  return [shown.filter((outcome) => !isApart(outcome)), shown.filter(isApart)].filter(({ length }) => length > 0);
}

function group(result: Result, top: number): { svg: string; height: number } {
  const { workload } = result;
  const [metric] = workload.metrics;
  const unit = `${metric!.title}, ${metric!.better} is better`;
  const lines = [text(MARGIN, top + 16, workload.title, "workload"), text(MARGIN, top + 31, unit, "small")];
  let y = top + HEADING;
  for (const [index, outcomes] of scales(result).entries()) {
    if (index > 0) {
      lines.push(text(MARGIN, y + BAR - 4, "on a scale of their own:", "small"));
      y += STEP;
    }
    const longest = Math.max(...outcomes.map((outcome) => middleOf(outcome, metric!.key)));
    for (const outcome of outcomes) {
      lines.push(bar(result, outcome, longest, y));
      y += STEP;
    }
  }
  return { svg: lines.join("\n"), height: y - top + GAP };
}

/** A bar for each subject's first metric, a group for each workload, and under them the machine. */
export function chart(machine: Machine, rounds: number, results: readonly Result[]): string {
  let y = MARGIN + 30;
  const groups = results.map((result) => {
    const { svg, height } = group(result, y);
    y += height;
    return svg;
  });
  const foot = wrapped(`${medians(rounds)}, × Deno in the same run. ${describeMachine(machine)}`, LINE);
  const height = y + 16 * foot.length + MARGIN;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}">
<style>${STYLE}</style>
${text(MARGIN, MARGIN + 10, "Berkeley against Deno's own sockets", "title")}
${groups.join("\n")}
${foot.map((line, index) => text(MARGIN, y + 14 + 16 * index, line, "small")).join("\n")}
</svg>
`;
}
