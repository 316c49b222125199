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
  /** The change: the part of `described` behind the position, such as "`<` becomes `<=`". */
  readonly change: string;
  readonly reason: string;
}

export const EQUIVALENT: readonly Equivalent[] = [
  {
    path: "ffi/poll/event_loop.ts",
    line: "read < MAX_READS",
    change: "`<` becomes `<=`",
    reason: "a fifth look, after four in vain, at the number of a system call that another thread makes",
  },
  {
    path: "ffi/udp/destinations.ts",
    line: "#port = -1;",
    change: "`1` becomes `2`",
    reason: "no port is negative: either is a port that no address has",
  },
  {
    path: "ffi/validate/nearest.ts",
    line: "const swapped = row > 1 && column > 1",
    change: "`>` becomes `>=`",
    reason: "before the first letter there is undefined, which no letter is equal to",
  },
  {
    path: "ffi/unix/listen_datagram.ts",
    line: "openDescriptor(constants.AF_UNIX, constants.SOCK_DGRAM, 0)",
    change: "`0` becomes `1`",
    reason: "Linux takes PF_UNIX, which is 1, for the protocol 0 of a Unix socket",
  },
];

/** The reason why a change of this line is not counted; undefined where it is. */
export function equivalence(path: string, line: string, change: string): string | undefined {
  const known = EQUIVALENT.find((one) => one.path === path && line.includes(one.line) && change === one.change);
  return known?.reason;
}
