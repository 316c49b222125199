import type { Libc } from "../libc/libc.ts";
import { keventFilter, keventFlags, keventUdataHigh, keventUdataLow, writeKevent } from "../struct/kevent.ts";
import { HANGUP, MAX_EVENTS, type Poller, READABLE, type Token, WAKE_SLOT, WRITABLE } from "./poller.ts";
import { systemError, unwrap } from "../libc/socket_error.ts";

/** The EVFILT_USER filter of `wake`. Others have the slot of a registration, which is larger. */
const WAKE_IDENT = 1;
const NANOSECONDS = 1_000_000;
const NO_EVENTS = new Uint8Array(0);

/** An array of struct kevent as kevent(2) fills it. */
interface Events {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView;
}

/** kqueue(2) on macOS and FreeBSD: one filter for each direction, cleared when it was reported (EV_CLEAR), which makes
 * it edge-triggered. */
export class Kqueue implements Poller {
  readonly oneShot = false;
  readonly #libc: Libc;
  readonly #kqueue: number;
  /** The filters that exist, by slot: READABLE, WRITABLE and, for an EVFILT_USER, HANGUP. Each is deleted by name. */
  readonly #filters: (number | undefined)[] = [];
  readonly #polled: Events;
  readonly #waited: Events;
  #current: Events;
  readonly #change: Uint8Array<ArrayBuffer>;
  readonly #changeView: DataView;
  /** struct timespec. */
  readonly #pollTimeout = new BigInt64Array(2);
  readonly #waitTimeout = new BigInt64Array(2);

  constructor(libc: Libc) {
    const { size } = libc.system.layout.kevent!;
    this.#libc = libc;
    this.#polled = this.#current = events(size);
    this.#waited = events(size);
    this.#change = new Uint8Array(size);
    this.#changeView = new DataView(this.#change.buffer);
    this.#kqueue = unwrap(libc.c.kqueue!(), "kqueue");
    const { EVFILT_USER, EV_ADD, EV_CLEAR } = libc.system.constants;
    const wake = { slot: WAKE_SLOT, generation: 0 };
    try {
      this.#require(this.#control(WAKE_IDENT, EVFILT_USER, EV_ADD | EV_CLEAR, 0, wake));
    } catch (error) {
      libc.c.close(this.#kqueue);
      throw error;
    }
  }

  add(fd: number, token: Token, interest: number): void {
    this.#filters[token.slot] = undefined;
    this.modify(fd, token, interest);
  }

  modify(fd: number, token: Token, interest: number): void {
    const before = this.#filters[token.slot] ?? 0;
    let added = 0;
    try {
      for (const direction of [READABLE, WRITABLE]) {
        if ((interest & ~before & direction) === 0) continue;
        added |= this.#watch(fd, token, direction);
      }
    } catch (error) {
      this.#unwatch(fd, token, added);
      throw error;
    }
    this.#filters[token.slot] = before | added;
  }

  delete(fd: number, token: Token): void {
    const filters = this.#filters[token.slot] ?? 0;
    this.#filters[token.slot] = undefined;
    this.#unwatch(fd, token, filters);
  }

  /** Adds the filter of a direction, and returns what to delete later. */
  #watch(fd: number, token: Token, direction: number): number {
    const { constants, errors } = this.#libc.system;
    const { EVFILT_READ, EVFILT_USER, EVFILT_WRITE, EV_ADD, EV_CLEAR, NOTE_TRIGGER } = constants;
    const flags = EV_ADD | EV_CLEAR;
    const code = this.#control(fd, direction === READABLE ? EVFILT_READ : EVFILT_WRITE, flags, 0, token);
    // A pipe whose reader has closed gets no EVFILT_WRITE. A write would fail, so the hang-up is reported instead.
    if (code !== errors.EPIPE) {
      this.#require(code);
      return direction;
    }
    this.#require(this.#control(token.slot, EVFILT_USER, flags, NOTE_TRIGGER, token));
    return direction | HANGUP;
  }

  /** Deletes filters. A failure is ignored: the descriptor was closed elsewhere, and its filters with it. */
  #unwatch(fd: number, token: Token, filters: number): void {
    const { EVFILT_READ, EVFILT_USER, EVFILT_WRITE, EV_DELETE } = this.#libc.system.constants;
    if ((filters & READABLE) !== 0) this.#control(fd, EVFILT_READ, EV_DELETE, 0, token);
    if ((filters & WRITABLE) !== 0) this.#control(fd, EVFILT_WRITE, EV_DELETE, 0, token);
    if ((filters & HANGUP) !== 0) this.#control(token.slot, EVFILT_USER, EV_DELETE, 0, token);
  }

  poll(milliseconds: number): number {
    writeTimespec(this.#pollTimeout, milliseconds);
    this.#current = this.#polled;
    const { c, errno, system } = this.#libc;
    const count = c.kevent!(this.#kqueue, NO_EVENTS, 0, this.#polled.bytes, MAX_EVENTS, this.#pollTimeout);
    if (count !== -1) return count;
    const code = errno();
    if (code === system.errors.EINTR) return 0;
    throw systemError(code, "kevent");
  }

  async wait(milliseconds: number): Promise<number> {
    writeTimespec(this.#waitTimeout, milliseconds);
    const { c } = this.#libc;
    const { bytes } = this.#waited;
    const count = await c.kevent_blocking!(this.#kqueue, NO_EVENTS, 0, bytes, MAX_EVENTS, this.#waitTimeout);
    this.#current = this.#waited;
    return count === -1 ? this.poll(0) : count;
  }

  /** A failure is ignored: the queue was closed elsewhere, which `poll` reports. */
  wake(): void {
    const { EVFILT_USER, NOTE_TRIGGER } = this.#libc.system.constants;
    this.#control(WAKE_IDENT, EVFILT_USER, 0, NOTE_TRIGGER, { slot: WAKE_SLOT, generation: 0 });
  }

  yield(): Promise<unknown> {
    return this.#libc.c.poll_blocking(NO_EVENTS, 0, 0);
  }

  loopReady(): boolean {
    return false;
  }

  /** The runtime's loop cannot be found here: kqueue(2) descriptors do not name what they watch. */
  watchLoop(_fd: number): boolean {
    return false;
  }

  slot(index: number): number {
    return keventUdataLow(this.#libc.system.layout, this.#current.view, index);
  }

  generation(index: number): number {
    return keventUdataHigh(this.#libc.system.layout, this.#current.view, index);
  }

  readiness(index: number): number {
    const { constants, layout } = this.#libc.system;
    const filter = keventFilter(layout, this.#current.view, index);
    const ended = (keventFlags(layout, this.#current.view, index) & (constants.EV_EOF | constants.EV_ERROR)) !== 0;
    if (filter === constants.EVFILT_READ) return ended ? READABLE | HANGUP : READABLE;
    return ended || filter === constants.EVFILT_USER ? READABLE | WRITABLE | HANGUP : WRITABLE;
  }

  /** Makes one change. Returns 0, or the errno. */
  #control(ident: number, filter: number, flags: number, fflags: number, { slot, generation }: Token): number {
    const { c, errno, system } = this.#libc;
    const change = { ident, filter, flags, fflags, data: 0, udataLow: slot, udataHigh: generation };
    writeKevent(system.layout, this.#changeView, 0, change);
    writeTimespec(this.#pollTimeout, 0);
    if (c.kevent!(this.#kqueue, this.#change, 1, NO_EVENTS, 0, this.#pollTimeout) !== -1) return 0;
    const code = errno();
    // Interrupted, the call has made the change: kqueue(2) of FreeBSD.
    return code === system.errors.EINTR ? 0 : code;
  }

  #require(code: number): void {
    if (code !== 0) throw systemError(code, "kevent");
  }
}

function events(size: number): Events {
  const bytes = new Uint8Array(size * MAX_EVENTS);
  return { bytes, view: new DataView(bytes.buffer) };
}

/** Writes a struct timespec. */
function writeTimespec(timespec: BigInt64Array<ArrayBuffer>, milliseconds: number): void {
  timespec[0] = BigInt(Math.trunc(milliseconds / 1000));
  timespec[1] = BigInt(Math.ceil(milliseconds % 1000 * NANOSECONDS));
}
