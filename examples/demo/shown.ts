/** One thing the demo shows, and whether it turned out true. */
export interface Shown {
  /** What is claimed, in a sentence. */
  what: string;
  /** Whether it is so. */
  true: boolean;
  /** What was seen, a line each. */
  seen?: readonly string[];
}

/** Bars of text, one for each number, with its label before it and the number behind. */
export function bars(numbers: readonly number[], label: (index: number) => string, width = 40): string[] {
  const most = Math.max(...numbers, 1);
  return numbers.map((number, index) => `${label(index)} ${"█".repeat(Math.round(number / most * width))} ${number}`);
}
