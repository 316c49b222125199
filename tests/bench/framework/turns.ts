import type { Contender, Outcome, Result, Sample, Work } from "./workload.ts";

/** The contenders in the order of a round: every other round backwards, so that nobody always follows the same one. */
export function order<T>(contenders: readonly T[], round: number): T[] {
  return round % 2 === 0 ? [...contenders] : contenders.toReversed();
}

/** Lets all contenders that are there do a work in turns, and tells of each sample as it comes. */
export async function takeTurns(
  work: Work,
  rounds: number,
  settle: () => Promise<void>,
  tell: (round: number, contender: string, sample: Sample) => void,
): Promise<Result> {
  const samples = new Map<string, Sample[]>();
  const absent = new Map<string, string>();
  const present: Contender[] = [];
  for (const contender of work.contenders) {
    const reason = await contender.available();
    samples.set(contender.name, []);
    if (reason === null) present.push(contender);
    else absent.set(contender.name, reason);
  }
  for (let round = 0; round < rounds; round++) {
    for (const contender of order(present, round)) {
      await settle();
      const sample = await work.round(contender);
      samples.get(contender.name)!.push(sample);
      tell(round, contender.name, sample);
    }
  }
  const outcomes: Outcome[] = work.contenders.map(({ name }) => ({
    contender: name,
    absent: absent.get(name) ?? null,
    samples: samples.get(name)!,
  }));
  return { work, outcomes };
}
