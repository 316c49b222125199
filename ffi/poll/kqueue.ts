import type { Libc } from "../libc/libc.ts";
import { keventFilter, keventFlags, keventUdataHigh, keventUdataLow, writeKevent } from "../struct/kevent.ts";
import {
  ENDED,
  joinToken,
  MAX_EVENTS,
  MAX_WAIT,
  NAP,
  type Poller,
  READABLE,
  tokenHigh,
  tokenLow,
  WAKE_TOKEN,
  WRITABLE,
} from "./poller.ts";
import { systemError, unwrap } from "../libc/socket_error.ts";

const WAKE_IDENT = 1;

/** kqueue(2) on macOS and FreeBSD: a filter a direction, cleared when told, so it is edge-triggered as epoll is here.
 */
export class Kqueue implements Poller {
  readonly #libc: Libc;
  readonly #kqueue: number;
  readonly #interests = new Map<number, number>();
  readonly #events: Uint8Array<ArrayBuffer>;
  readonly #eventsView: DataView;
  readonly #change: Uint8Array<ArrayBuffer>;
  readonly #changeView: DataView;
  readonly #nothing = new Uint8Array(0);
  /** struct timespec. */
  readonly #now = new BigInt64Array([0n, 0n]);
  readonly #shortly = new BigInt64Array([0n, NAP]);
  readonly #soon = new BigInt64Array([0n, BigInt(MAX_WAIT) * 1_000_000n]);

  constructor(libc: Libc) {
    const { size } = libc.system.layout.kevent!;
    this.#libc = libc;
    this.#events = new Uint8Array(size * MAX_EVENTS);
    this.#eventsView = new DataView(this.#events.buffer);
    this.#change = new Uint8Array(size);
    this.#changeView = new DataView(this.#change.buffer);
    this.#kqueue = unwrap(libc.c.kqueue!(), "kqueue");
    const { constants } = libc.system;
    this.#control(WAKE_IDENT, constants.EVFILT_USER, constants.EV_ADD | constants.EV_CLEAR, 0, WAKE_TOKEN);
  }

  watch(fd: number, token: number, interest: number): void {
    const { constants } = this.#libc.system;
    const before = this.#interests.get(token) ?? 0;
    const added = interest & ~before;
    const flags = constants.EV_ADD | constants.EV_CLEAR;
    if ((added & READABLE) !== 0) this.#control(fd, constants.EVFILT_READ, flags, 0, token);
    if ((added & WRITABLE) !== 0) this.#control(fd, constants.EVFILT_WRITE, flags, 0, token);
    if (added !== 0) this.#interests.set(token, before | added);
  }

  forget(fd: number, token: number): void {
    const { constants } = this.#libc.system;
    const interest = this.#interests.get(token) ?? 0;
    this.#interests.delete(token);
    if ((interest & READABLE) !== 0) this.#control(fd, constants.EVFILT_READ, constants.EV_DELETE, 0, token);
    if ((interest & WRITABLE) !== 0) this.#control(fd, constants.EVFILT_WRITE, constants.EV_DELETE, 0, token);
  }

  look(): number {
    return this.#take(this.#now);
  }

  nap(): number {
    return this.#take(this.#shortly);
  }

  #take(timeout: BigInt64Array<ArrayBuffer>): number {
    const { c } = this.#libc;
    const count = c.kevent!(this.#kqueue, this.#nothing, 0, this.#events, MAX_EVENTS, timeout);
    if (count !== -1) return count;
    const errno = this.#libc.errno();
    if (errno === this.#libc.system.errors.EINTR) return 0;
    throw systemError(errno, "kevent");
  }

  async wait(): Promise<number> {
    const { c } = this.#libc;
    const count = await c.kevent_blocking!(this.#kqueue, this.#nothing, 0, this.#events, MAX_EVENTS, this.#soon);
    return count === -1 ? this.look() : count;
  }

  wake(): void {
    const { constants } = this.#libc.system;
    this.#control(WAKE_IDENT, constants.EVFILT_USER, 0, constants.NOTE_TRIGGER, WAKE_TOKEN);
  }

  token(index: number): number {
    const { layout } = this.#libc.system;
    return joinToken(keventUdataLow(layout, this.#eventsView, index), keventUdataHigh(layout, this.#eventsView, index));
  }

  readiness(index: number): number {
    const { constants, layout } = this.#libc.system;
    const filter = keventFilter(layout, this.#eventsView, index);
    const ended = (keventFlags(layout, this.#eventsView, index) & (constants.EV_EOF | constants.EV_ERROR)) !== 0;
    if (filter === constants.EVFILT_READ) return ended ? READABLE | ENDED : READABLE;
    return ended ? READABLE | WRITABLE | ENDED : WRITABLE;
  }

  #control(ident: number, filter: number, flags: number, fflags: number, token: number): void {
    const { c, system } = this.#libc;
    const udataLow = tokenLow(token);
    const udataHigh = tokenHigh(token);
    writeKevent(system.layout, this.#changeView, 0, { ident, filter, flags, fflags, data: 0, udataLow, udataHigh });
    const result = c.kevent!(this.#kqueue, this.#change, 1, this.#nothing, 0, this.#now);
    unwrap(result, "kevent");
  }
}
