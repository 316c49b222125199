/**
 * Calls that are refused: by whom, with what words, and with nothing left open behind them.
 *
 * @module
 */
import { assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { descriptorCount } from "../support/descriptors.ts";
import { TIMEOUT } from "../support/timeout.ts";

type ErrorClass = new (message?: string) => Error;

/** What is refused, how, and what its sentence quotes. */
export type Row = readonly [given: unknown, errorClass: ErrorClass, quoted: string];

/** What a call throws or rejects with, and that nothing stays open behind it. */
export async function refusal(call: () => unknown): Promise<Error> {
  const before = descriptorCount();
  try {
    await call();
  } catch (error) {
    assertEquals(descriptorCount(), before);
    assertInstanceOf(error, Error);
    return error;
  }
  throw new Error("Nothing was thrown");
}

/** One test for each row. */
export function refuses(what: string, rows: readonly Row[], call: (given: never) => unknown): void {
  describe(what, TIMEOUT, () => {
    for (const [given, errorClass, quoted] of rows) {
      it(`of ${show(given)} is refused with ${errorClass.name}`, async () => {
        const error = await refusal(() => call(given as never));
        assertInstanceOf(error, errorClass);
        assertStringIncludes(error.message, quoted);
      });
    }
  });
}

function show(given: unknown): string {
  return typeof given === "string"
    ? JSON.stringify(given)
    : Deno.inspect(given, { breakLength: Infinity, iterableLimit: 4 });
}
