/** The machine and the time of a run. Figures of two runs are not compared; this identifies the run. */
export interface Machine {
  readonly date: string;
  readonly system: string;
  readonly processor: string;
  readonly cores: number;
  readonly deno: string;
  /** The commit that was measured, with a "+" where files differ from it; null outside of a repository. */
  readonly commit: string | null;
  /** Load average of the last minute before the run: on a calm machine far below the number of cores. */
  readonly load: number;
}

async function git(...args: string[]): Promise<string | null> {
  const cwd = new URL("../../../", import.meta.url);
  try {
    const { success, stdout } = await new Deno.Command("git", { args, cwd, stderr: "null" }).output();
    return success ? new TextDecoder().decode(stdout).trim() : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

async function commitOf(): Promise<string | null> {
  const commit = await git("rev-parse", "--short", "HEAD");
  if (commit === null) return null;
  return await git("status", "--porcelain", "mod.ts", "ffi") === "" ? commit : `${commit}+`;
}

async function processorName(): Promise<string> {
  try {
    const text = await Deno.readTextFile("/proc/cpuinfo");
    return text.match(/^model name\s*:\s*(.+)$/m)?.[1] ?? Deno.build.arch;
  } catch {
    return Deno.build.arch;
  }
}

export async function thisMachine(): Promise<Machine> {
  return {
    date: new Date().toISOString().slice(0, 10),
    system: `${Deno.build.os} ${Deno.osRelease()} ${Deno.build.arch}`,
    processor: await processorName(),
    cores: navigator.hardwareConcurrency,
    deno: Deno.version.deno,
    commit: await commitOf(),
    load: Deno.loadavg()[0]!,
  };
}

/** One line. */
export function describeMachine({ date, system, processor, cores, deno, commit, load }: Machine): string {
  const measured = commit === null ? "" : `, commit ${commit}`;
  const before = `load average ${load.toFixed(1)} before`;
  return `${date}: Deno ${deno}, ${system}, ${processor}, ${cores} cores, loopback${measured}, ${before}`;
}
