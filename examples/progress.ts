/**
 * How far a program that takes a while has come: a line on standard error that is drawn again and again. Only a terminal
 * gets it.
 *
 * @module
 */

/** Milliseconds until the line is drawn first, and then between two drawings. */
const FIRST = 1000;
const INTERVAL = 200;

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** Writes to standard error over the line that is there. */
function overwrite(line: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${line}`));
}

/** Prints a line that is no result, such as "Searching …", on standard error, if that is a terminal. */
export function note(line: string): void {
  if (Deno.stderr.isTerminal()) console.error(line);
}

/** Counts steps, and shows "n of m" and the time left until it is disposed of. */
export class Steps implements Disposable {
  /** Steps that are done. */
  done = 0;
  readonly #total: number;
  readonly #what: string;
  readonly #started = performance.now();
  readonly #timer: ReturnType<typeof setInterval> | undefined;
  #drawn = false;

  /** `what` is counted, in the plural: "requests". */
  constructor(total: number, what: string) {
    this.#total = total;
    this.#what = what;
    if (!Deno.stderr.isTerminal()) return;
    const timer = setInterval(() => this.#draw(), INTERVAL);
    Deno.unrefTimer(timer);
    this.#timer = timer;
  }

  /** Removes the line, before another is printed. */
  clear(): void {
    if (this.#drawn) overwrite("");
    this.#drawn = false;
  }

  #draw(): void {
    const elapsed = performance.now() - this.#started;
    if (elapsed < FIRST) return;
    const left = this.done === 0
      ? ""
      : `, ${whole.format(elapsed / this.done * (this.#total - this.done) / 1000)} s left`;
    overwrite(`${whole.format(this.done)} of ${whole.format(this.#total)} ${this.#what}${left}`);
    this.#drawn = true;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.clear();
  }
}
