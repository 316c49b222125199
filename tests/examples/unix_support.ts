/**
 * Runs the examples that meet at a Unix socket as a person would: with the command that stands in the header of each, and
 * a path of the test's own wherever the printed one stands, so that no two runs meet.
 *
 * @module
 */
import { type Child, start, type StartOptions } from "../support/process.ts";
import { ROOT } from "../support/repository.ts";
import { printedCommands } from "./support.ts";

/** The paths that headers print. */
const PRINTED_PATH = /\/tmp\/berkeley-[a-z]+\.sock|\/run\/systemd\/notify/g;

/** How such an example is started. */
export interface UnixExampleOptions extends Omit<StartOptions, "cwd"> {
  /** Which of the commands in the header, counted from 0. */
  command?: number;
  /** Added to the printed arguments. */
  args?: readonly string[];
}

/** Puts a path where a printed argument has one. */
export function withPath(argument: string, path: string): string {
  return argument.replaceAll(PRINTED_PATH, path);
}

/** Starts an example by the command in its header, with this path in place of the printed one. */
export async function startAt(path: string, example: string, options: UnixExampleOptions = {}): Promise<Child> {
  const { command = 0, args = [], ...rest } = options;
  const [run, ...printed] = (await printedCommands(example))[command]!;
  const all = [run!, "--no-prompt", ...printed.map((argument) => withPath(argument, path)), ...args];
  return start(Deno.execPath(), all, { ...rest, cwd: ROOT });
}

/** A folder that goes with all that is in it; `await using`. */
export async function temporaryFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir({ prefix: "berkeley-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** Whether anything stands at a path. */
export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
