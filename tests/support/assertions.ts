/**
 * Assertions about this module's errors, and about many bytes.
 *
 * @module
 */
import { assert, assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import { isSocketError, type SocketError } from "../../mod.ts";

/** Fails with the first difference instead of with megabytes. */
export function assertSameBytes(actual: Uint8Array, expected: Uint8Array): void {
  assertEquals(actual.length, expected.length);
  const index = actual.findIndex((byte, index) => byte !== expected[index]);
  assertEquals(index, -1, `byte ${index} of ${actual.length} differs`);
}

/** Fails unless the error is that of an expired deadline. */
export function assertTimedOut(error: unknown, syscall?: "recvmsg" | "sendmsg"): asserts error is SocketError {
  assertInstanceOf(error, Deno.errors.TimedOut);
  assert(isSocketError(error));
  assertEquals([error.code, error.errno, error.timeout], ["ETIMEDOUT", 0, true]);
  if (syscall !== undefined) assertEquals(error.syscall, syscall);
}

/** Fails unless the error is a TypeError with these words. */
export function assertRefused(error: unknown, words: string): void {
  assertInstanceOf(error, TypeError);
  assertStringIncludes(error.message, words);
}
