import { takesPart, type Workload } from "./workload.ts";

/** How far a run is: on a terminal one line that is overwritten, elsewhere a line for each sample. */
export class Progress {
  readonly #total: number;
  readonly #started = performance.now();
  readonly #terminal = Deno.stderr.isTerminal();
  #taken = 0;

  constructor(total: number) {
    this.#total = total;
  }

  /** Counts the samples of a run. */
  static async of(workloads: readonly Workload[], rounds: number): Promise<Progress> {
    const present = await Promise.all(workloads.map(async ({ subjects }) => (await takesPart(subjects)).length));
    return new Progress(rounds * present.reduce((sum, count) => sum + count, 0));
  }

  /** Announces the sample that is being taken. */
  begin(what: string): void {
    if (this.#terminal) this.#write(`\r\x1b[K${this.#taken + 1} of ${this.#total}${this.#left()}  ${what}`);
  }

  /** Counts a sample that was taken. */
  end(what: string): void {
    this.#taken++;
    if (!this.#terminal) this.#write(`${this.#taken} of ${this.#total}${this.#left()}  ${what}\n`);
  }

  /** Makes room for what is printed elsewhere. */
  clear(): void {
    if (this.#terminal) this.#write("\r\x1b[K");
  }

  /** The time that the samples so far let expect. */
  #left(): string {
    if (this.#taken === 0) return "";
    const seconds = (performance.now() - this.#started) / 1000 / this.#taken * (this.#total - this.#taken);
    const [minutes, rest] = [Math.floor(seconds / 60), Math.floor(seconds % 60)];
    return `, ${minutes}:${String(rest).padStart(2, "0")} left`;
  }

  #write(text: string): void {
    Deno.stderr.writeSync(new TextEncoder().encode(text));
  }
}
