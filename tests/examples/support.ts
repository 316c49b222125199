/**
 * Runs the examples as a person would: with the command that stands in the header of each, and no permission beyond it.
 *
 * @module
 */
import { listenDatagram } from "../../mod.ts";
import type { Namespace } from "../support/namespaces.ts";
import { type Child, start, type StartOptions } from "../support/process.ts";

const ROOT = new URL("../../", import.meta.url);

/** How an example is started. */
export interface ExampleOptions extends Omit<StartOptions, "cwd"> {
  /** Which of the commands in the header, counted from 0. */
  command?: number;
  /** Added to the printed arguments. */
  args?: readonly string[];
  /** Where it runs; otherwise where the tests do. */
  namespace?: Namespace;
}

/** Arguments of `deno` in the commands that the header of an example prints. */
export async function printedCommands(example: string): Promise<string[][]> {
  const source = await Deno.readTextFile(new URL(`examples/${example}.ts`, ROOT));
  const header = source.slice(0, source.indexOf("*/"));
  const commands = Array.from(header.matchAll(/^ \* {5}deno (run .*)$/gm), ([, command]) => command!.split(" "));
  if (commands.length === 0) throw new Error(`The header of ${example}.ts prints no command to run it`);
  return commands;
}

/** Starts an example by the command in its header. */
export async function startExample(example: string, options: ExampleOptions = {}): Promise<Child> {
  const { command = 0, args = [], namespace, ...rest } = options;
  const [run, ...printed] = (await printedCommands(example))[command]!;
  const all = [run!, "--no-prompt", ...printed, ...args];
  if (namespace !== undefined) return namespace.start(Deno.execPath(), all, { ...rest, cwd: ROOT });
  return start(Deno.execPath(), all, { ...rest, cwd: ROOT });
}

/** A UDP port that nobody has. */
export function unusedPort(): number {
  using socket = listenDatagram({ transport: "udp", hostname: "0.0.0.0" });
  return socket.addr.port;
}
