import type { Libc } from "../libc/libc.ts";
import { keventFilter, keventFlags, keventUdataHigh, keventUdataLow, writeKevent } from "../struct/kevent.ts";
import { HANGUP, MAX_EVENTS, type Poller, READABLE, type Token, WAKE_SLOT, WRITABLE } from "./poller.ts";
import { systemError, unwrap } from "../libc/socket_error.ts";

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
  /** What was asked for, by slot: EV_DELETE needs each filter by name. */
  readonly #interests: (number | undefined)[] = [];
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
    try {
      unwrap(this.#control(WAKE_IDENT, EVFILT_USER, EV_ADD | EV_CLEAR, 0, WAKE_SLOT, 0), "kevent");
    } catch (error) {
      libc.c.close(this.#kqueue);
      throw error;
    }
  }

  add(fd: number, token: Token, interest: number): void {
    this.#interests[token.slot] = 0;
    this.modify(fd, token, interest);
  }

  modify(fd: number, { slot, generation }: Token, interest: number): void {
    const { EVFILT_READ, EVFILT_WRITE, EV_ADD, EV_CLEAR } = this.#libc.system.constants;
    const before = this.#interests[slot] ?? 0;
    const added = interest & ~before;
    const flags = EV_ADD | EV_CLEAR;
    if ((added & READABLE) !== 0) unwrap(this.#control(fd, EVFILT_READ, flags, 0, slot, generation), "kevent");
    if ((added & WRITABLE) !== 0) unwrap(this.#control(fd, EVFILT_WRITE, flags, 0, slot, generation), "kevent");
    this.#interests[slot] = before | added;
  }

  delete(fd: number, { slot, generation }: Token): void {
    const { EVFILT_READ, EVFILT_WRITE, EV_DELETE } = this.#libc.system.constants;
    const interest = this.#interests[slot] ?? 0;
    this.#interests[slot] = undefined;
    // A failure is ignored: the descriptor was closed elsewhere, and its filters with it.
    if ((interest & READABLE) !== 0) this.#control(fd, EVFILT_READ, EV_DELETE, 0, slot, generation);
    if ((interest & WRITABLE) !== 0) this.#control(fd, EVFILT_WRITE, EV_DELETE, 0, slot, generation);
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

  wake(): void {
    const { EVFILT_USER, NOTE_TRIGGER } = this.#libc.system.constants;
    unwrap(this.#control(WAKE_IDENT, EVFILT_USER, 0, NOTE_TRIGGER, WAKE_SLOT, 0), "kevent");
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
    return ended ? READABLE | WRITABLE | HANGUP : WRITABLE;
  }

  #control(ident: number, filter: number, flags: number, fflags: number, slot: number, generation: number): number {
    const { c, system } = this.#libc;
    const change = { ident, filter, flags, fflags, data: 0, udataLow: slot, udataHigh: generation };
    writeKevent(system.layout, this.#changeView, 0, change);
    writeTimespec(this.#pollTimeout, 0);
    return c.kevent!(this.#kqueue, this.#change, 1, NO_EVENTS, 0, this.#pollTimeout);
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
