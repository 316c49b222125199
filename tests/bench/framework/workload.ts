/** What the bench is made of. A workload is something that subjects run in turns; a round of it gives one sample. */

/** Numbers of one round, by the keys of the workload's metrics. */
export type Sample = Readonly<Record<string, number>>;

export interface Metric {
  readonly key: string;
  /** "datagrams/s". */
  readonly title: string;
  readonly better: "more" | "less";
  /** Digits after the point; 0 groups thousands. */
  readonly digits: number;
}

/** Who runs the workload: a program that is started afresh for every round. */
export interface Subject {
  readonly name: string;
  command(): Promise<readonly string[]>;
  /** Why it cannot take part here, or null. */
  available(): Promise<string | null>;
}

/** Those of the subjects that can take part here. */
export async function takesPart(subjects: readonly Subject[]): Promise<Subject[]> {
  const reasons = await Promise.all(subjects.map((subject) => subject.available()));
  return subjects.filter((_, index) => reasons[index] === null);
}

/** What is to be reached: as a ratio to another subject of the same run, or as a number. */
export interface Goal {
  readonly metric: string;
  readonly of: string;
  /** The other subject. Left out, `bound` is the number itself. */
  readonly against?: string;
  /** At least this where more is better, at most this where less is. */
  readonly bound: number;
}

export interface Workload {
  /** What `--only` names. */
  readonly name: string;
  /** What is measured, in words. */
  readonly title: string;
  /** The one that the chart shows stands first. */
  readonly metrics: readonly Metric[];
  readonly subjects: readonly Subject[];
  readonly goals: readonly Goal[];
  /** What makes the load, and why not something better. */
  readonly load: string;
  /** One round of one subject, load and all. */
  round(subject: Subject): Promise<Sample>;
}

/** Samples of one subject, in the order they were taken. */
export interface Outcome {
  readonly subject: string;
  /** Set where it could not take part. */
  readonly absent: string | null;
  readonly samples: readonly Sample[];
}

export interface Result {
  readonly workload: Workload;
  readonly outcomes: readonly Outcome[];
}

/** Name of the subject that ratios are taken to: Deno's own API. */
export const BASELINE = "Deno";

/** Name of the module's subject. */
export const OURS = "ours";
