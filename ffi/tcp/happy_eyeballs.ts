import { isSocketError } from "../libc/socket_error.ts";
import type { InetAddress } from "../struct/sockaddr.ts";
import { requireUnaborted } from "../validate/options.ts";

/** The longest a timer can be set for, in milliseconds: a longer one would fire at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Sorts addresses as RFC 8305, section 4, describes: the families alternate, beginning with that of the first. */
export function interleave(addresses: readonly InetAddress[]): InetAddress[] {
  const first = addresses.filter(({ family }) => family === addresses[0]?.family);
  const second = addresses.filter(({ family }) => family !== addresses[0]?.family);
  const ordered: InetAddress[] = [];
  for (let index = 0; index < Math.max(first.length, second.length); index++) {
    ordered.push(...first.slice(index, index + 1), ...second.slice(index, index + 1));
  }
  return ordered;
}

/** One of several attempts. When its signal is aborted, it closes what it has opened and rejects. */
export type Attempt<T> = (signal: AbortSignal) => Promise<T>;

export interface RaceOptions {
  /** Time until the next attempt begins, in milliseconds; with Infinity it begins only when one fails. */
  readonly stagger: number;
  /** Cancels all attempts. */
  readonly signal: AbortSignal | undefined;
}

/** The first success, if there was one, and the errors of failed attempts in the order in which they failed. */
export interface RaceResult<T> {
  readonly winner: T | undefined;
  readonly errors: readonly unknown[];
}

/** Runs attempts concurrently. Each begins when an earlier one fails or `stagger` milliseconds have passed. After the
 * first success all other attempts are cancelled; they have ended, and their results are disposed, before this resolves.
 * Rejects with the signal's reason if it is aborted. */
export async function firstSuccess<T extends Disposable>(
  attempts: readonly Attempt<T>[],
  { stagger, signal }: RaceOptions,
): Promise<RaceResult<T>> {
  requireUnaborted(signal);
  const cancel = new AbortController();
  const forward = () => cancel.abort(signal!.reason);
  signal?.addEventListener("abort", forward);
  const running = new Set<Promise<void>>();
  const errors: unknown[] = [];
  let winner: T | undefined;
  function succeed(value: T): void {
    if (cancel.signal.aborted) return value[Symbol.dispose]();
    winner = value;
    cancel.abort();
  }
  for (const attempt of attempts) {
    if (cancel.signal.aborted) break;
    const ended = attempt(cancel.signal).then(succeed, (error) => void errors.push(error));
    running.add(ended);
    ended.then(() => running.delete(ended));
    if (stagger > 0) await anyOrPause(running, stagger);
  }
  await Promise.all(running);
  signal?.removeEventListener("abort", forward);
  if (winner === undefined) signal?.throwIfAborted();
  return { winner, errors };
}

/** Resolves when one of the promises does, or after `milliseconds`. */
async function anyOrPause(promises: Iterable<Promise<void>>, milliseconds: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const pause = milliseconds > LONGEST_TIMER
    ? []
    : [new Promise<void>((resolve) => timer = setTimeout(resolve, Math.min(milliseconds, LONGEST_TIMER)))];
  await Promise.race([...promises, ...pause]);
  clearTimeout(timer);
}

/** Dials addresses in turn, the next one when one fails or has taken `delay` milliseconds. Rejects with the
 * most specific error. */
export async function raceAddresses<T extends Disposable>(
  addresses: readonly InetAddress[],
  delay: number,
  signal: AbortSignal,
  dial: (address: InetAddress, signal: AbortSignal, left: number) => Promise<T>,
): Promise<T> {
  const attempts = interleave(addresses).map((address, index): Attempt<T> => {
    return (cancelled) => dial(address, cancelled, addresses.length - index);
  });
  const { winner, errors } = await firstSuccess(attempts, { stagger: delay, signal });
  if (winner !== undefined) return winner;
  throw mostTelling(errors);
}

/** Returns the error of a host that was reached, if there is one, before errors of unreachable families. */
function mostTelling(errors: readonly unknown[]): unknown {
  const unreachable = ["ENETUNREACH", "EADDRNOTAVAIL", "EAFNOSUPPORT"];
  return errors.find((error) => !isSocketError(error) || !unreachable.includes(error.code)) ?? errors[0];
}
