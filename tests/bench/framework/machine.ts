/** The machine and the time of a run. Figures of two runs are not compared; this identifies the run. */
export interface Machine {
  readonly date: string;
  readonly system: string;
  readonly processor: string;
  readonly cores: number;
  readonly deno: string;
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
  };
}

/** One line. */
export function describeMachine({ date, system, processor, cores, deno }: Machine): string {
  return `${date}: Deno ${deno}, ${system}, ${processor}, ${cores} cores, loopback`;
}
