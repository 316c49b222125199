/** The load generators: C where there is a compiler, since a generator should not be what a round measures, else Deno. */

import { commandExists, run } from "../../support/process.ts";
import { file } from "./files.ts";

/** Programs under load/, each a C file; load/fallback.ts can stand in for the first three. */
export type LoadProgram = "udp_flood" | "udp_echo" | "stream_load" | "stream_echo" | "udp_receive";

async function findCompiler(): Promise<string | null> {
  // sendmmsg(2) and epoll(7) are what makes the C programs worth having.
  if (Deno.build.os !== "linux") return null;
  for (const name of ["cc", "gcc", "clang"]) if (await commandExists(name)) return name;
  return null;
}

/** Null without one, and where the programs would not compile. */
export const compiler = await findCompiler();

/** What makes the load in this run. */
export const loadLanguage = compiler === null ? "Deno, for want of a C compiler" : "C";

let folder: string | undefined;
const compiled = new Map<LoadProgram, Promise<string>>();

async function compile(name: LoadProgram): Promise<string> {
  folder ??= Deno.makeTempDirSync({ prefix: "berkeley_bench_" });
  const program = `${folder}/${name}`;
  const { success, report } = await run(compiler!, ["-O2", "-Wall", "-o", program, file(`load/${name}.c`)]);
  if (!success) throw new Error(report);
  return program;
}

/** The command that starts a program of load/. */
export async function loadCommand(name: LoadProgram): Promise<string[]> {
  if (compiler === null) return [Deno.execPath(), "run", "-A", "--no-prompt", file("load/fallback.ts"), name];
  let program = compiled.get(name);
  if (program === undefined) compiled.set(name, program = compile(name));
  return [await program];
}

let goProgram: Promise<string> | undefined;

async function compileGo(name: string): Promise<string> {
  folder ??= Deno.makeTempDirSync({ prefix: "berkeley_bench_" });
  const program = `${folder}/${name}_go`;
  const { success, report } = await run("go", ["build", "-o", program, file(`load/${name}.go`)]);
  if (!success) throw new Error(report);
  return program;
}

/** The command of the one program in Go. */
export async function goCommand(): Promise<string[]> {
  return [await (goProgram ??= compileGo("udp_receive"))];
}

/** Removes what was compiled. */
export async function cleanUp(): Promise<void> {
  if (folder !== undefined) await Deno.remove(folder, { recursive: true });
}
