/**
 * The C compiler for the processor that this Deno is for, which under an emulator is not this machine's.
 *
 * @module
 */
import { commandExists, run } from "./process.ts";
import { missingCommands } from "./skipping.ts";

const CANDIDATES = ["gcc", `${Deno.build.arch}-linux-gnu-gcc`];

async function find(): Promise<string | null> {
  for (const command of CANDIDATES) {
    if (!await commandExists(command)) continue;
    const { stdout } = await run(command, ["-dumpmachine"]);
    if (stdout.startsWith(`${Deno.build.arch}-`)) return command;
  }
  return null;
}

const found = await find();

/** Why there is none, or null. */
export const noCompiler: string | null = found !== null
  ? null
  : await missingCommands("gcc") ?? `gcc is not for ${Deno.build.arch}`;

/** Its command. */
export const compiler: string = found ?? "gcc";
