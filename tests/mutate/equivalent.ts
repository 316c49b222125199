/**
 * Changes that make no difference anybody could see, each with its reason: they are not counted.
 *
 * @module
 */

export interface Equivalent {
  /** The file, from the root of the repository. */
  readonly path: string;
  /** Text of the line that is changed. */
  readonly line: string;
  readonly reason: string;
}

export const EQUIVALENT: readonly Equivalent[] = [];

/** The reason why a change of this line is not counted; undefined where it is. */
export function equivalence(path: string, line: string): string | undefined {
  return EQUIVALENT.find((known) => known.path === path && line.includes(known.line))?.reason;
}
