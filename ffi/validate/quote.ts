/** Characters of a text that are quoted: a whole file given by mistake must not drown the sentence. */
const LONGEST = 200;

/** A value as an error's words quote it, on one line: text as JSON has it, so that control characters show; everything
 * else as Deno.inspect has it, which knows NaN, BigInt and circles. */
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
