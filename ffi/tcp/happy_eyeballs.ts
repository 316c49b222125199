import { isSocketError } from "../libc/socket_error.ts";
import type { InetAddress } from "../struct/sockaddr.ts";
import { requireUnaborted } from "../validate/options.ts";

/** What wins a race, and can be put away when it comes too late. */
type Closable = Disposable;

/** The order of RFC 8305, section 4: the families take turns, beginning with that of the first address. */
export function interleave(addresses: readonly InetAddress[]): InetAddress[] {
  const first = addresses.filter(({ family }) => family === addresses[0]?.family);
  const second = addresses.filter(({ family }) => family !== addresses[0]?.family);
  const ordered: InetAddress[] = [];
  for (let index = 0; index < Math.max(first.length, second.length); index++) {
    ordered.push(...first.slice(index, index + 1), ...second.slice(index, index + 1));
  }
  return ordered;
}

/** Attempts that run beside each other: the first success is kept, and everything else is cancelled and closed before
 * the caller hears of the outcome. */
export class Race<T extends Closable> {
  readonly #cancel = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #outer: AbortSignal | undefined;
  readonly errors: unknown[] = [];
  #winner: T | undefined;
  #progress = Promise.withResolvers<void>();

  constructor(outer: AbortSignal | undefined) {
    this.#outer = outer;
    requireUnaborted(outer);
    outer?.addEventListener("abort", this.#forward);
  }

  /** Begins an attempt. */
  start(attempt: (signal: AbortSignal) => Promise<T>): void {
    const running = attempt(this.#cancel.signal).then((value) => this.#succeed(value), (error) => {
      this.errors.push(error);
    }).then(() => {
      this.#running.delete(running);
      this.#progress.resolve();
      this.#progress = Promise.withResolvers();
    });
    this.#running.add(running);
  }

  /** Whether it is over: somebody won, or nobody may go on. */
  get over(): boolean {
    return this.#winner !== undefined || this.#cancel.signal.aborted;
  }

  get idle(): boolean {
    return this.#running.size === 0;
  }

  /** Resolves when an attempt ends, or after `delay` milliseconds. */
  async step(delay: number): Promise<void> {
    if (this.idle) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const pause = delay === Infinity ? [] : [new Promise<void>((resolve) => timer = setTimeout(resolve, delay))];
    await Promise.race([this.#progress.promise, ...pause]);
    clearTimeout(timer);
  }

  /** Waits for every attempt to have ended, and gives the winner or undefined. Throws the outer signal's reason when
   * that ended it. */
  async finish(): Promise<T | undefined> {
    if (this.#winner !== undefined) this.#cancel.abort();
    while (!this.idle) await this.step(Infinity);
    this.#outer?.removeEventListener("abort", this.#forward);
    if (this.#winner === undefined) this.#outer?.throwIfAborted();
    return this.#winner;
  }

  #succeed(value: T): void {
    if (this.over) return value[Symbol.dispose]();
    this.#winner = value;
    this.#cancel.abort();
  }

  readonly #forward = (): void => this.#cancel.abort(this.#outer!.reason);
}

/** Tries addresses one after the other, the next when one fails or has taken `delay` milliseconds. Rejects with the
 * error that says most. */
export async function raceAddresses<T extends Closable>(
  addresses: readonly InetAddress[],
  delay: number,
  signal: AbortSignal,
  attempt: (address: InetAddress, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const race = new Race<T>(signal);
  for (const address of interleave(addresses)) {
    if (race.over) break;
    race.start((cancelled) => attempt(address, cancelled));
    await race.step(delay);
  }
  while (!race.over && !race.idle) await race.step(Infinity);
  const winner = await race.finish();
  if (winner !== undefined) return winner;
  throw mostTelling(race.errors);
}

/** That a family has no route says less than that a host refused. */
function mostTelling(errors: readonly unknown[]): unknown {
  const unreachable = ["ENETUNREACH", "EADDRNOTAVAIL", "EAFNOSUPPORT"];
  return errors.find((error) => !isSocketError(error) || !unreachable.includes(error.code)) ?? errors[0];
}
