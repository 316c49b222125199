/**
 * Deno's build for arm64, from npm, and a script that starts it under qemu-user. Both are kept in the user's cache.
 *
 * @module
 */
import { exists } from "../support/exists.ts";
import { run } from "../support/process.ts";
import { ROOT } from "../support/repository.ts";
import { missingCommands } from "../support/skipping.ts";

/** Where Debian's packages libc6-arm64-cross and libgcc-s1-arm64-cross put their files. */
const LIBRARIES = "/usr/aarch64-linux-gnu/lib";

/** What Deno is linked with. */
const NEEDED = ["ld-linux-aarch64.so.1", "libc.so.6", "libdl.so.2", "libgcc_s.so.1", "libm.so.6", "libpthread.so.0"];

const PACKAGE = "@deno/linux-arm64-glibc";

/** Why no Deno for arm64 can be started here, or null. */
export async function whyNot(): Promise<string | null> {
  if (Deno.build.os !== "linux") return "the emulator passes system calls on to Linux";
  if (Deno.build.arch === "aarch64") return "this machine is arm64, so `deno task test` runs them";
  const reason = await missingCommands("qemu-aarch64", "npm", "tar", "timeout");
  if (reason !== null) return reason;
  const missing = NEEDED.map((name) => `${LIBRARIES}/${name}`).filter((path) => !exists(path));
  return missing.length === 0 ? null : `not installed: ${missing.join(", ")}`;
}

/** The path of the script, whose Deno has the version of .dvmrc. Where npm does not have that, or cannot be reached, the
 * promise rejects with NotFetched. */
export async function emulatedDeno(): Promise<string> {
  const version = (await Deno.readTextFile(new URL(".dvmrc", ROOT))).trim();
  const cache = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME")}/.cache`;
  const folder = `${cache}/berkeley/deno-${version}-arm64`;
  if (!exists(`${folder}/package/deno`)) await fetchInto(folder, version);
  if (!exists(`${folder}/root`)) await linkLibraries(`${folder}/root`);
  await writeScripts(folder);
  return `${folder}/deno`;
}

/** npm could not bring Deno's build. */
export class NotFetched extends Error {
  override readonly name = "NotFetched";
}

/** Makes the folder; it is whole or not there. */
async function fetchInto(folder: string, version: string): Promise<void> {
  const parent = folder.slice(0, folder.lastIndexOf("/"));
  await Deno.mkdir(parent, { recursive: true });
  const unfinished = await Deno.makeTempDir({ dir: parent });
  try {
    console.log(`Fetching ${PACKAGE}@${version} to ${folder}`);
    const args = ["pack", `${PACKAGE}@${version}`, "--silent", "--pack-destination", unfinished];
    const packed = await run("npm", args);
    if (!packed.success) throw new NotFetched(packed.report);
    const [archive] = Array.from(Deno.readDirSync(unfinished), ({ name }) => name);
    const unpacked = await run("tar", ["-xzf", `${unfinished}/${archive}`, "-C", unfinished]);
    if (!unpacked.success) throw new Error(unpacked.report);
    await Deno.remove(`${unfinished}/${archive}`);
    await Deno.chmod(unfinished, 0o755);
    await Deno.rename(unfinished, folder);
  } catch (error) {
    await Deno.remove(unfinished, { recursive: true });
    throw error;
  }
}

/** What the emulator takes for the root of the file system, before the real one. */
async function linkLibraries(root: string): Promise<void> {
  await Deno.mkdir(`${root}/lib`, { recursive: true });
  await Deno.symlink(LIBRARIES, `${root}/lib/aarch64-linux-gnu`);
  await Deno.symlink(`${LIBRARIES}/${NEEDED[0]}`, `${root}/lib/${NEEDED[0]}`);
}

/** Writes the script that starts Deno, and one that ends it after ten minutes. Its cache is not that of this machine's
 * Deno, which is for another processor. */
async function writeScripts(folder: string): Promise<void> {
  const start = `exec qemu-aarch64 -L "${folder}/root" "${folder}/package/deno" "$@"`;
  const scripts = {
    "deno": `export DENO_DIR="\${DENO_DIR:-${folder}/cache}"\n${start}`,
    "deno-for-ten-minutes": `exec timeout --kill-after=10 600 "${folder}/deno" "$@"`,
  };
  for (const [name, script] of Object.entries(scripts)) {
    await Deno.writeTextFile(`${folder}/${name}`, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
}
