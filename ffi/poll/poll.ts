import type { Libc } from "../libc/libc.ts";
import { POLLFD_SIZE, pollfdRevents, writePollfd } from "../struct/pollfd.ts";
import { ERRORS, HANGUP, LOOP_SLOT, type Poller, READABLE, type Token, WAKE_SLOT, WRITABLE } from "./poller.ts";
import { systemError, unwrap } from "../libc/socket_error.ts";

const NANOSECONDS = 1_000_000;

/** A descriptor in the set, with what is still to be reported of it. */
interface Watched extends Token {
  readonly fd: number;
  interest: number;
}

/** The set as one call is given it. */
interface Snapshot {
  readonly fds: Uint8Array<ArrayBuffer>;
  readonly view: DataView;
  readonly watched: readonly Watched[];
}

/** poll(2): level-triggered and linear in the size of the set. Tests run over it in place of epoll, to show that
 * nothing above relies on edges. A level that is not acted on would be reported for ever, so each is reported once. */
export class Poll implements Poller {
  readonly oneShot = true;
  readonly #libc: Libc;
  /** The wake-up descriptor is the first of the set, and the event loop's, when known, the second. */
  readonly #wake: Watched;
  #loop: Watched | undefined;
  readonly #watched = new Map<number, Watched>();
  readonly #counter = new BigUint64Array([1n]);
  readonly #timeout = new BigInt64Array(2);
  /** A wait on a thread is pending, and a wake-up is for it. */
  #waiting = false;
  keeping: Promise<unknown> | null = null;
  #reported: Token[] = [];
  #readiness: number[] = [];

  constructor(libc: Libc) {
    const { EFD_CLOEXEC, EFD_NONBLOCK } = libc.system.constants;
    this.#libc = libc;
    const fd = unwrap(libc.c.eventfd!(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
    this.#wake = { fd, slot: WAKE_SLOT, generation: 0, interest: READABLE };
  }

  add(fd: number, { slot, generation }: Token, interest: number): void {
    this.#watched.set(slot, { fd, slot, generation, interest });
    // A thread in poll(2) works on the set it was given.
    this.wake();
  }

  modify(_fd: number, { slot }: Token, interest: number): void {
    this.#watched.get(slot)!.interest |= interest;
    this.wake();
  }

  delete(_fd: number, { slot }: Token): void {
    this.#watched.delete(slot);
    this.wake();
  }

  poll(milliseconds: number): number {
    const snapshot = this.#snapshot(this.#waiting ? undefined : this.#loop);
    const { c, errno, system } = this.#libc;
    this.#timeout[1] = BigInt(Math.ceil(milliseconds * NANOSECONDS));
    if (c.ppoll!(snapshot.fds, snapshot.watched.length, this.#timeout, null) === -1) {
      const code = errno();
      if (code === system.errors.EINTR) return 0;
      throw systemError(code, "ppoll");
    }
    return this.#take(snapshot);
  }

  async wait(milliseconds: number): Promise<number> {
    const snapshot = this.#snapshot(undefined);
    this.#waiting = true;
    const waiting = this.#libc.c.poll_blocking(snapshot.fds, snapshot.watched.length, milliseconds);
    this.keeping = waiting;
    const count = await waiting;
    this.keeping = null;
    this.#waiting = false;
    return count === -1 ? this.poll(0) : this.#take(snapshot);
  }

  wake(): void {
    this.#counter[0] = 1n;
    this.#libc.c.write(this.#wake.fd, this.#counter, 8n);
  }

  yield(): Promise<unknown> {
    return this.#libc.c.poll_blocking(new Uint8Array(0), 0, 0);
  }

  loopReady(): boolean {
    if (this.#loop === undefined) return false;
    const fds = new Uint8Array(POLLFD_SIZE);
    writePollfd(new DataView(fds.buffer), 0, this.#loop.fd, this.#libc.system.constants.POLLIN);
    return this.#libc.c.poll(fds, 1, 0) > 0;
  }

  watchLoop(fd: number): boolean {
    this.#loop = fd === -1 ? undefined : { fd, slot: LOOP_SLOT, generation: 0, interest: READABLE };
    return this.#loop !== undefined;
  }

  slot(index: number): number {
    return this.#reported[index]!.slot;
  }

  generation(index: number): number {
    return this.#reported[index]!.generation;
  }

  readiness(index: number): number {
    return this.#readiness[index]!;
  }

  #snapshot(loop: Watched | undefined): Snapshot {
    const { POLLIN, POLLOUT } = this.#libc.system.constants;
    const watched = [this.#wake, ...(loop === undefined ? [] : [loop])];
    for (const one of this.#watched.values()) if (one.interest !== 0) watched.push(one);
    const fds = new Uint8Array(watched.length * POLLFD_SIZE);
    const view = new DataView(fds.buffer);
    watched.forEach(({ fd, interest }, index) => {
      writePollfd(view, index, fd, (interest & READABLE ? POLLIN : 0) | (interest & WRITABLE ? POLLOUT : 0));
    });
    return { fds, view, watched };
  }

  #take({ view, watched }: Snapshot): number {
    const { POLLIN, POLLOUT } = this.#libc.system.constants;
    this.#reported = [];
    this.#readiness = [];
    for (const [index, one] of watched.entries()) {
      const revents = pollfdRevents(view, index);
      if (revents === 0) continue;
      const told = (revents & ~(POLLIN | POLLOUT)) !== 0
        ? READABLE | WRITABLE | HANGUP | ERRORS
        : (revents & POLLIN ? READABLE : 0) | (revents & POLLOUT ? WRITABLE : 0);
      if (one === this.#wake) {
        if (this.#waiting) continue;
        this.#libc.c.read(one.fd, this.#counter, 8n);
      } else if (one !== this.#loop) {
        // Deleted while the thread waited.
        if (this.#watched.get(one.slot) !== one) continue;
        one.interest &= ~told;
      }
      this.#reported.push(one);
      this.#readiness.push(told);
    }
    return this.#reported.length;
  }
}
