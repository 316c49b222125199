/**
 * How long a test may take. Not a measurement: a test that hangs should end with a report.
 *
 * @module
 */

/** How many times as long it may take under an emulator: the variable TEST_TIMEOUT_FACTOR. */
function factor(): number {
  const variable = "TEST_TIMEOUT_FACTOR";
  if (Deno.permissions.querySync({ name: "env", variable }).state !== "granted") return 1;
  return Number(Deno.env.get(variable) ?? 1);
}

/** Milliseconds. */
export const TIMEOUT_MS = 60_000 * factor();

/** Option of a suite or a test that waits. */
export const TIMEOUT: { readonly timeout: number } = { timeout: TIMEOUT_MS };
