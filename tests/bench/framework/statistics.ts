import { BASELINE, type Goal, type Outcome, type Result } from "./workload.ts";

/** The middle one; between two middle ones, half-way. NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  if (Number.isInteger(middle)) return ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
  return sorted[Math.floor(middle)]!;
}

/** What a part of the values, from 0 to 1, does not exceed. */
export function quantile(values: ArrayLike<number>, part: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN;
}

/** Median of a metric over the rounds. */
export function middleOf(outcome: Outcome, metric: string): number {
  return median(outcome.samples.map((sample) => sample[metric] ?? NaN));
}

/** Median of a metric as a ratio to that of another subject of the same run. */
export function ratio(result: Result, subject: string, metric: string, against = BASELINE): number {
  const of = (name: string) => result.outcomes.find((outcome) => outcome.subject === name);
  const [one, other] = [of(subject), of(against)];
  if (one === undefined || other === undefined) return NaN;
  const unit = middleOf(other, metric);
  // What is measured over a baseline of its own has nothing to be a multiple of.
  return unit > 0 ? middleOf(one, metric) / unit : NaN;
}

/** How far a goal was reached; null where it could not be measured. */
export function reached(result: Result, goal: Goal): { value: number; reached: boolean } | null {
  const metric = result.workload.metrics.find(({ key }) => key === goal.metric)!;
  const outcome = result.outcomes.find(({ subject }) => subject === goal.of);
  const value = goal.against === undefined
    ? outcome === undefined ? NaN : middleOf(outcome, goal.metric)
    : ratio(result, goal.of, goal.metric, goal.against);
  if (Number.isNaN(value)) return null;
  return { value, reached: metric.better === "more" ? value >= goal.bound : value <= goal.bound };
}
