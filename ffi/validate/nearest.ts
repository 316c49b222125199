/** Maximum number of edits (insertions, removals, replacements, swaps of neighbours) that count as a misspelling. */
const MOST_SLIPS = 2;

/** Minimum length of a word that counts as an abbreviation. */
const LEAST_PREFIX = 3;

/** The word of a list that a misspelt or shortened one is nearest to, upper and lower case being the same; undefined
 * where none is near. */
export function nearestOf(word: string, list: readonly string[]): string | undefined {
  const longer = list.find((candidate) => word.length >= LEAST_PREFIX && candidate.startsWith(word));
  if (longer !== undefined) return longer;
  let nearest: string | undefined;
  let least = MOST_SLIPS + 1;
  for (const candidate of list) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance >= least || distance >= candidate.length) continue;
    nearest = candidate;
    least = distance;
  }
  return nearest;
}

/** Returns the number of edits that turn one word into the other: the optimal string alignment distance. */
function editDistance(from: string, to: string): number {
  let before: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const replaced = last[column - 1]! + (from[row - 1] === to[column - 1] ? 0 : 1);
      let least = Math.min(replaced, last[column]! + 1, current[column - 1]! + 1);
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (swapped) least = Math.min(least, before[column - 2]! + 1);
      current.push(least);
    }
    before = last;
    last = current;
  }
  return last[to.length]!;
}
