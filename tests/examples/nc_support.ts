/**
 * nc.ts and the programs of others that do the same.
 *
 * @module
 */
import { LOOPBACK } from "../support/loopback.ts";
import { type Child, type Finished, start } from "../support/process.ts";
import { ROOT } from "../support/repository.ts";
import { missingCommands } from "../support/skipping.ts";

/** The path of the example. */
export const NC: string = new URL("examples/nc.ts", ROOT).pathname;

/** Why a test with nc(1), ncat and socat cannot run, or null. */
export const missing: string | null = await missingCommands("nc", "ncat", "socat");

/** Starts nc.ts with permission for whatever its arguments name. */
export function nc(...args: string[]): Child {
  const flags = ["run", "--no-prompt", "--allow-ffi", "--allow-net", "--allow-read", "--allow-write"];
  return start(Deno.execPath(), [...flags, NC, ...args], { stdin: true });
}

/** Starts a listening nc.ts; resolves to where it listens. */
export async function listening(...args: string[]): Promise<[child: Child, at: string]> {
  const child = nc("-v", "-l", ...args);
  const [, at] = await child.waitForLine(/^listening on (?:127\.0\.0\.1 port )?(.*)$/, "stderr");
  return [child, at!];
}

/** Both ends say something and end; each has then received what the other said. */
export async function converse(one: Child, other: Child): Promise<void> {
  await one.write("from the one\n");
  await other.waitForLine(/^from the one$/);
  await other.write("from the other\n");
  await one.waitForLine(/^from the other$/);
}

/** Uses a path in a folder of its own. */
export async function withPath(body: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(`${folder}/s`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Starts a program of others. */
export function foreign(command: string, ...args: string[]): Child {
  return start(command, args, { stdin: true });
}

/** Runs one to its end, without input. */
export async function finish(child: Child): Promise<Finished> {
  await child.closeInput();
  return await child.finished();
}

/** Connects again while nothing listens yet. */
export async function connected(...args: string[]): Promise<Child> {
  for (;;) {
    const child = nc("-v", ...(args.length === 1 ? [LOOPBACK] : []), ...args);
    const line = await child.stderr.next();
    if (line?.startsWith("connected to")) return child;
    await finish(child);
  }
}

/** Waits until there is a file at a path. */
export async function untilExists(path: string): Promise<void> {
  while (!await Deno.lstat(path).then(() => true, () => false)) await new Promise((resolve) => setTimeout(resolve, 5));
}
