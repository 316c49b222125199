/**
 * Runs the examples as a person would: with the command that stands in the header of each, and no permission beyond it.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { bytes } from "../support/bytes.ts";
import type { Namespace } from "../support/namespaces.ts";
import { type Child, type Finished, start, type StartOptions } from "../support/process.ts";
import { ROOT } from "../support/repository.ts";

/** How an example is started. */
export interface ExampleOptions extends Omit<StartOptions, "cwd"> {
  /** Which of the commands in the header, counted from 0. */
  command?: number;
  /** Added to the printed arguments. */
  args?: readonly string[];
  /** Where it runs; otherwise where the tests do. */
  namespace?: Namespace;
}

/** The commands that the header of an example prints, word by word. */
export async function printedLines(example: string): Promise<string[][]> {
  const source = await Deno.readTextFile(new URL(`examples/${example}.ts`, ROOT));
  const header = source.slice(0, source.indexOf("*/"));
  const lines = Array.from(header.matchAll(/^ \* {5}(.*\bdeno run .*)$/gm), ([, line]) => line!.split(" "));
  if (lines.length === 0) throw new Error(`The header of ${example}.ts prints no command to run it`);
  return lines;
}

/** Arguments of `deno` in these commands. */
export async function printedCommands(example: string): Promise<string[][]> {
  return (await printedLines(example)).map((words) => words.slice(words.indexOf("deno") + 1));
}

/** Starts an example by the command in its header. */
export async function startExample(example: string, options: ExampleOptions = {}): Promise<Child> {
  const { command = 0, args = [], namespace, ...rest } = options;
  const [run, ...printed] = (await printedCommands(example))[command]!;
  const all = [run!, "--no-prompt", ...printed, ...args];
  if (namespace !== undefined) return namespace.start(Deno.execPath(), all, { ...rest, cwd: ROOT });
  return start(Deno.execPath(), all, { ...rest, cwd: ROOT });
}

/** Runs an example by the first command in its header to its end. */
export async function runExample(example: string, ...args: string[]): Promise<Finished> {
  const child = await startExample(example, { args });
  return await child.finished();
}

/** Sends text and gives as many bytes as come back. */
export async function echo(conn: Deno.Conn, text: string): Promise<string> {
  const sent = bytes(text);
  const back = new Uint8Array(sent.length);
  assertEquals(await conn.write(sent), sent.length);
  for (let length = 0; length < back.length;) {
    const read = await conn.read(back.subarray(length));
    assert(read !== null, "The connection ended");
    length += read;
  }
  return new TextDecoder().decode(back);
}

/** Writes all and closes the write side: one write of Deno's own may be short. */
export async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) written += await conn.write(bytes.subarray(written));
  await conn.closeWrite();
}

/** Starts examples/dashboard.ts and waits for its address. */
export async function startDashboard(...args: string[]): Promise<{ dashboard: Child; url: string }> {
  const dashboard = await startExample("dashboard", { args: ["--port", "0", ...args] });
  const [, url] = await dashboard.waitForLine(/^Open (http:\/\/127\.0\.0\.1:\d+\/); Ctrl-C stops$/);
  return { dashboard, url: url! };
}
