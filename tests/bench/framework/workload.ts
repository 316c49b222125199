/** What the bench is made of. A work is something that contenders do in turns; a round of it gives one sample. */

/** Numbers of one round, by the keys of the work's metrics. */
export type Sample = Readonly<Record<string, number>>;

export interface Metric {
  readonly key: string;
  /** "datagrams/s". */
  readonly title: string;
  readonly better: "more" | "less";
  /** Digits after the point; 0 groups thousands. */
  readonly digits: number;
}

/** Who does the work: a program that is started afresh for every round. */
export interface Contender {
  readonly name: string;
  command(): Promise<readonly string[]>;
  /** Why it cannot take part here, or null. */
  available(): Promise<string | null>;
}

/** What is to be reached: as a ratio to another contender of the same run, or as a number. */
export interface Goal {
  readonly metric: string;
  readonly of: string;
  /** The other contender. Left out, `bound` is the number itself. */
  readonly against?: string;
  /** At least this where more is better, at most this where less is. */
  readonly bound: number;
}

export interface Work {
  /** What `--only` names. */
  readonly name: string;
  /** What is measured, in words. */
  readonly title: string;
  /** The one that the chart shows stands first. */
  readonly metrics: readonly Metric[];
  readonly contenders: readonly Contender[];
  readonly goals: readonly Goal[];
  /** What makes the load, and why not something better. */
  readonly load: string;
  /** One round of one contender, load and all. */
  round(contender: Contender): Promise<Sample>;
}

/** Samples of one contender, in the order they were taken. */
export interface Outcome {
  readonly contender: string;
  /** Set where it could not take part. */
  readonly absent: string | null;
  readonly samples: readonly Sample[];
}

export interface Result {
  readonly work: Work;
  readonly outcomes: readonly Outcome[];
}

/** Name of the contender that ratios are taken to: Deno's own API. */
export const BASELINE = "Deno";

/** Name of the module's contender. */
export const OURS = "ours";
