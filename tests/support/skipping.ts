/**
 * Tests that need something the machine may lack: they are reported as ignored, with the reason in their name.
 *
 * @module
 */
import { describe, it, type TestOptions } from "@std/testing/bdd";
import { commandExists } from "./process.ts";

/** Registers a test that is ignored where there is a reason. */
export function itUnless(reason: string | null, name: string, fn: (t: Deno.TestContext) => void | Promise<void>): void {
  if (reason === null) it(name, fn);
  else it.skip(`${name} (${reason})`, fn);
}

/** Why a test that runs these programs cannot: which of them are missing, or null where none is. */
export async function missingCommands(...names: string[]): Promise<string | null> {
  const present = await Promise.all(names.map(commandExists));
  const missing = names.filter((_, index) => !present[index]);
  return missing.length === 0 ? null : `not installed: ${missing.join(", ")}`;
}

/** Registers a group of tests, or where there is a reason one that is ignored and says it. */
export function describeUnless(reason: string | null, name: string, options: TestOptions, body: () => void): void {
  if (reason === null) describe(name, options, body);
  else it.skip(`${name} (${reason})`, () => {});
}
