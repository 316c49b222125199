/** Bits of readiness. An error or a hang-up sets both, since either call would then return at once. */
export const READABLE = 1;
export const WRITABLE = 2;

/** After a hang-up no further edge follows, though more may be there: the peer shut down its side or sent urgent data,
 * or the socket failed. From then on a call always has to be tried. */
export const HANGUP = 4;

/** The error queue of a socket may have something new: what became of a packet that was sent, ip(7). It is part of every
 * error and hang-up, and a descriptor can be watched for it alone. */
export const ERRORS = 8;

/** Names one registration in what a poller reports: a place in the Reactor's array, and a number that the next
 * registration in that place does not have. Both are 32-bit, as the kernel stores them. */
export interface Token {
  readonly slot: number;
  readonly generation: number;
}

/** Watches descriptors for the Reactor. Every backend keeps to this:
 *
 * - `add` is called once for a descriptor, `modify` with more interest later, `delete` before the descriptor is closed.
 *   After `delete` nothing is reported for that token except what `poll` or `wait` had already taken from the kernel.
 * - Readiness is reported once. An edge-triggered backend reports the next edge by itself; where `oneShot` is true, it
 *   reports nothing more until `modify` asks again.
 * - `poll` waits on this thread for at most `milliseconds`, which may be a fraction. `wait` does so on a thread of the
 *   runtime's pool. Both resolve to how many events `slot(i)`, `generation(i)` and `readiness(i)` then describe. `poll`
 *   may be called while a `wait` is pending, but not two waits at a time.
 * - `wait` returns after `wake`, after `milliseconds` at the latest, or when there is an event.
 * - After `watchLoop(fd)`, `poll` also returns when that descriptor, the event loop's own epoll(7), is readable, and
 *   reports it as LOOP_SLOT. `wait` does not, nor `poll` while one is pending. A backend that cannot do this returns false. -1 ends it.
 * - `yield` only passes through a thread of the pool and takes no event. `loopReady` says whether the event loop's
 *   descriptor is readable now. */
export interface Poller {
  readonly oneShot: boolean;
  /** A wait that keeps what it watches open until it returns, also what was deleted since; null or absent where none
   * does. */
  readonly keeping?: Promise<unknown> | null;
  add(fd: number, token: Token, interest: number): void;
  modify(fd: number, token: Token, interest: number): void;
  delete(fd: number, token: Token): void;
  poll(milliseconds: number): number;
  wait(milliseconds: number): Promise<number>;
  wake(): void;
  yield(): Promise<unknown>;
  watchLoop(fd: number): boolean;
  loopReady(): boolean;
  slot(index: number): number;
  generation(index: number): number;
  readiness(index: number): number;
}

/** Events taken in by one call; more stay in the kernel for the next. It also bounds what is done before the event loop
 * gets its turn: some 300 µs where each event leads to a small read and a small write. */
export const MAX_EVENTS = 64;

/** Milliseconds a thread stays in one wait. A Worker that is terminated cannot call its thread back, and a process does
 * not exit before its threads have returned: this bounds how long that takes. At four waits a second, an idle process
 * uses a ten-thousandth of a core. */
export const MAX_WAIT = 250;

/** The slot of the poller's own wake-up descriptor. */
export const WAKE_SLOT = 0;

/** The slot of the event loop's descriptor. */
export const LOOP_SLOT = 1;

/** Slots from here on are for registrations. */
export const FIRST_SLOT = 2;
