import { describeMachine, type Machine } from "./machine.ts";
import { figure } from "./report.ts";
import { middleOf, ratio } from "./statistics.ts";
import { BASELINE, OURS, type Outcome, type Result } from "./workload.ts";

const WIDTH = 860;
const MARGIN = 20;
const NAMES = 180;
const BARS = 400;
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

function group(result: Result, top: number): { svg: string; height: number } {
  const { workload } = result;
  const [metric] = workload.metrics;
  const shown = result.outcomes.filter(({ absent, samples }) => absent === null && samples.length > 0);
  const longest = Math.max(...shown.map((outcome) => middleOf(outcome, metric!.key)));
  const bars = shown.map((outcome, index) => bar(result, outcome, longest, top + HEADING + index * STEP));
  const unit = `${metric!.title}, ${metric!.better} is better`;
  const head = [text(MARGIN, top + 16, workload.title, "workload"), text(MARGIN, top + 31, unit, "small")];
  return { svg: [...head, ...bars].join("\n"), height: HEADING + shown.length * STEP + GAP };
}

/** A bar for each subject's first metric, a group for each workload, and under them the machine. */
export function chart(machine: Machine, rounds: number, results: readonly Result[]): string {
  let y = MARGIN + 30;
  const groups = results.map((result) => {
    const { svg, height } = group(result, y);
    y += height;
    return svg;
  });
  const foot = `Medians of ${rounds} rounds, × Deno in the same run. ${describeMachine(machine)}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y + 30}" width="${WIDTH}" height="${y + 30}">
<style>${STYLE}</style>
${text(MARGIN, MARGIN + 10, "Berkeley against Deno's own sockets", "title")}
${groups.join("\n")}
${text(MARGIN, y + 14, foot, "small")}
</svg>
`;
}
