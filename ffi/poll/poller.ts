/** Bits of readiness. Errors and hang-ups make both, since either call would then return at once. */
export const READABLE = 1;
export const WRITABLE = 2;

/** Nothing new need be told, though there is more: the peer has ended its side or sent urgent data, or the socket has
 * failed. From now on only a call that would block says that nothing is there. */
export const ENDED = 4;

/** Watches descriptors for the Reactor. What every mechanism must keep to:
 *
 * - `watch` is called with a token that is never used again. The interest only grows until `forget`.
 * - Readiness may be told once (edge) or as long as it lasts (level); who hears of it tries the call and, when it would
 *   still block, calls `watch` again before it waits on. An edge that comes between the two is told.
 * - `forget` is called before the descriptor is closed, and nothing is told of that token afterwards except what the
 *   last `look` or `wait` had already taken in.
 * - `nap` looks for NAP at most, on this thread, where the system can wait so briefly; else it is `look`.
 * - `look`, `nap` and `wait` are never under way at the same time. They resolve to how many events `token(i)` and
 *   `readiness(i)` then hold.
 * - `wait` returns after `wake`, after MAX_WAIT at the latest, or when there is something to tell. */
export interface Poller {
  watch(fd: number, token: number, interest: number): void;
  forget(fd: number, token: number): void;
  look(): number;
  nap(): number;
  wait(): Promise<number>;
  wake(): void;
  token(index: number): number;
  readiness(index: number): number;
}

/** Events taken in by one call. More stay in the kernel for the next. */
export const MAX_EVENTS = 256;

/** Milliseconds the thread stays in one wait. A Worker that is terminated cannot call its thread back, and a process
 * does not exit before its threads have returned: this bounds how long that takes. At four waits a second, an idle
 * process uses a ten-thousandth of a core. */
export const MAX_WAIT = 250;

/** Nanoseconds of the longest nap: what the event loop's other work may be held up by, once. */
export const NAP = 100_000n;

/** The token of the poller's own wake-up descriptor; registrations count from 1. */
export const WAKE_TOKEN = 0;

const HIGH = 2 ** 32;

/** Tokens are safe integers, and the kernel keeps 64 bits for us: two words. */
export function tokenLow(token: number): number {
  return token >>> 0;
}

export function tokenHigh(token: number): number {
  return Math.floor(token / HIGH);
}

export function joinToken(low: number, high: number): number {
  return high * HIGH + low;
}
