import type { Outcome, Result, Sample, Subject, Workload } from "./workload.ts";

/** The subjects in the order of a round: every other round backwards, so that none always follows the same one. */
export function order<T>(subjects: readonly T[], round: number): T[] {
  return round % 2 === 0 ? [...subjects] : subjects.toReversed();
}

/** Runs a workload with all available subjects in turn, and reports each sample. */
export async function takeTurns(
  workload: Workload,
  rounds: number,
  settle: (round: number, subject: string) => Promise<void>,
  tell: (round: number, subject: string, sample: Sample) => void,
): Promise<Result> {
  const samples = new Map<string, Sample[]>();
  const absent = new Map<string, string>();
  const present: Subject[] = [];
  for (const subject of workload.subjects) {
    const reason = await subject.available();
    samples.set(subject.name, []);
    if (reason === null) present.push(subject);
    else absent.set(subject.name, reason);
  }
  for (let round = 0; round < rounds; round++) {
    for (const subject of order(present, round)) {
      await settle(round, subject.name);
      const sample = await workload.round(subject);
      samples.get(subject.name)!.push(sample);
      tell(round, subject.name, sample);
    }
  }
  const outcomes: Outcome[] = workload.subjects.map(({ name }) => ({
    subject: name,
    absent: absent.get(name) ?? null,
    samples: samples.get(name)!,
  }));
  return { workload, outcomes };
}
