/**
 * How long a test may take. Not a measurement: a test that hangs should end with a report.
 *
 * @module
 */

/** Milliseconds. */
export const TIMEOUT_MS = 60_000;

/** Option of a suite or a test that waits. */
export const TIMEOUT: { readonly timeout: number } = { timeout: TIMEOUT_MS };
