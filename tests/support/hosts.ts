/**
 * Processes in which names have addresses of the test's choosing: a mount namespace with another /etc/hosts, or another
 * /etc/resolv.conf.
 *
 * @module
 */
import { type Finished, run } from "./process.ts";
import { missingCommands } from "./skipping.ts";

/** Files that are put in the place of the machine's own, by their paths. */
export type Files = Readonly<Record<string, string>>;

/** Why there can be no such process, or null. */
export async function missingMountNamespaces(): Promise<string | null> {
  const missing = Deno.build.os === "linux" ? await missingCommands("unshare", "mount", "ip") : "no mount namespaces";
  if (missing !== null) return missing;
  const { success, stderr } = await run("unshare", ["--mount", "--net", "true"]);
  return success ? null : `no mount namespace: ${stderr.trim()}`;
}

/** Runs a script to its end in a network of its own, which is loopback alone, with other files. `limits` are arguments of
 * the shell's ulimit. */
export async function runWithFiles(
  files: Files,
  script: string,
  args: readonly string[] = [],
  limits = "",
): Promise<Finished> {
  const folder = await Deno.makeTempDir();
  try {
    const steps = ["ip link set lo up"];
    for (const [index, [path, text]] of Object.entries(files).entries()) {
      await Deno.writeTextFile(`${folder}/${index}`, text);
      steps.push(`mount --bind "${folder}/${index}" ${path}`);
    }
    if (limits !== "") steps.push(`ulimit ${limits}`);
    steps.push(`exec "$0" run --no-prompt -A "$@"`);
    const shell = ["sh", "-c", steps.join(" && "), Deno.execPath(), script, ...args];
    return await run("unshare", ["--mount", "--net", ...shell]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
