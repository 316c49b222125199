/** A claim of the demo and whether it holds. */
export interface Check {
  /** The claim, in one sentence. */
  claim: string;
  /** Whether the claim holds. */
  passed: boolean;
  /** Lines about what was observed. */
  details?: readonly string[];
}

/** Formats numbers as bars of text, each with its label before it and the number behind it. */
export function bars(numbers: readonly number[], label: (index: number) => string, width = 40): string[] {
  const most = Math.max(...numbers, 1);
  return numbers.map((number, index) => `${label(index)} ${"█".repeat(Math.round(number / most * width))} ${number}`);
}
