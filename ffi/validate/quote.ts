/** The number of characters of a string that are quoted, so that a message stays readable. */
const LONGEST = 200;

/** Formats a value for a message, on one line: a string as JSON, so that control characters are visible; any other value
 * with Deno.inspect, which handles NaN, BigInt and circular references. */
export function quote(value: unknown): string {
  if (typeof value === "string") {
    return JSON.stringify(value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value);
  }
  return Deno.inspect(value, {
    depth: 1,
    compact: true,
    breakLength: Infinity,
    iterableLimit: 8,
    strAbbreviateSize: LONGEST,
  });
}
