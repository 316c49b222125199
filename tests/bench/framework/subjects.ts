import { commandExists, run } from "../../support/process.ts";
import { file } from "./files.ts";
import { compiler, goCommand, loadCommand, type LoadProgram } from "./load.ts";
import { BASELINE, OURS, type Subject } from "./workload.ts";

const DENO = [Deno.execPath(), "run", "-A", "--no-prompt", "--unstable-net"];

function inDeno(name: string, ...words: string[]): Subject {
  return { name, command: () => Promise.resolve([...DENO, ...words]), available: () => Promise.resolve(null) };
}

/** The module. The script takes the name of the API as its first argument. */
export function ours(script: string, ...args: string[]): Subject {
  return inDeno(OURS, file(script), OURS, ...args);
}

/** Another way of the module to run the same workload, such as a batch. */
export function oursBy(way: string, script: string, ...args: string[]): Subject {
  return { ...ours(script, ...args), name: `${OURS}, ${way}` };
}

/** One script with our API and with Deno's. */
export function both(script: string, ...args: string[]): Subject[] {
  return [ours(script, ...args), inDeno(BASELINE, file(script), BASELINE, ...args)];
}

/** One script for an API of Node's, in Deno and in Node. */
export function nodeApi(api: string, script: string, ...args: string[]): Subject[] {
  const node: Subject = {
    name: `${api} in Node`,
    command: () => Promise.resolve(["node", file(script), ...args]),
    available: async () => (await commandExists("node")) ? null : "node is not installed",
  };
  return [inDeno(`${api} in Deno`, file(script), ...args), node];
}

/** A program of load/: what the system gives without a runtime. */
export function inC(call: string, program: LoadProgram, ...args: string[]): Subject {
  return {
    name: `C, ${call}`,
    command: async () => [...await loadCommand(program), ...args],
    available: () => Promise.resolve(compiler === null ? "no C compiler" : null),
  };
}

/** What Go's own net does. */
export function inGo(call: string): Subject {
  return {
    name: `Go, ${call}`,
    command: goCommand,
    available: async () => (await commandExists("go")) ? null : "Go is not installed",
  };
}

/** The command of Bun: installed, or as npm has it; null for neither. Asked once. */
async function findBun(): Promise<string[] | null> {
  if (await commandExists("bun")) return ["bun"];
  if (!await commandExists("npx")) return null;
  const { success } = await run("npx", ["--yes", "bun", "--version"]);
  return success ? ["npx", "--yes", "bun"] : null;
}

let bun: Promise<string[] | null> | undefined;

/** A script for Bun's own API. */
export function inBun(call: string, script: string, ...args: string[]): Subject {
  return {
    name: `Bun, ${call}`,
    command: async () => [...(await (bun ??= findBun()))!, file(script), ...args],
    available: async () => (await (bun ??= findBun())) === null ? "Bun is neither installed nor had by npx" : null,
  };
}
