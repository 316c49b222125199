import type { Libc } from "../libc/libc.ts";
import { epollDataHigh, epollDataLow, epollEvents, writeEpollEvent } from "../struct/epoll_event.ts";
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

/** epoll(7), edge-triggered: one registration a descriptor for life, and no call to go on waiting. */
export class Epoll implements Poller {
  readonly #libc: Libc;
  readonly #epoll: number;
  readonly #eventfd: number;
  readonly #interests = new Map<number, number>();
  readonly #events: Uint8Array<ArrayBuffer>;
  readonly #eventsView: DataView;
  readonly #change: Uint8Array<ArrayBuffer>;
  readonly #changeView: DataView;
  readonly #one = new BigUint64Array([1n]);
  /** struct timespec. */
  readonly #nap = new BigInt64Array([0n, NAP]);
  #canNap = true;

  constructor(libc: Libc) {
    const { c, system: { constants } } = libc;
    const { size } = libc.system.layout.epoll_event!;
    this.#libc = libc;
    this.#events = new Uint8Array(size * MAX_EVENTS);
    this.#eventsView = new DataView(this.#events.buffer);
    this.#change = new Uint8Array(size);
    this.#changeView = new DataView(this.#change.buffer);
    this.#epoll = unwrap(c.epoll_create1!(constants.EPOLL_CLOEXEC), "epoll_create1");
    this.#eventfd = c.eventfd!(0, constants.EFD_CLOEXEC | constants.EFD_NONBLOCK);
    if (this.#eventfd === -1) {
      const errno = libc.errno();
      c.close(this.#epoll);
      throw systemError(errno, "eventfd");
    }
    // Every write to an eventfd is an edge, so nobody has to read the counter back.
    this.#control(constants.EPOLL_CTL_ADD, this.#eventfd, WAKE_TOKEN, constants.EPOLLIN);
  }

  watch(fd: number, token: number, interest: number): void {
    const { constants } = this.#libc.system;
    const before = this.#interests.get(token);
    if (before !== undefined && (before & interest) === interest) return;
    const wanted = (before ?? 0) | interest;
    const events = ((wanted & READABLE) !== 0 ? constants.EPOLLIN | constants.EPOLLPRI | constants.EPOLLRDHUP : 0) |
      ((wanted & WRITABLE) !== 0 ? constants.EPOLLOUT : 0);
    this.#control(before === undefined ? constants.EPOLL_CTL_ADD : constants.EPOLL_CTL_MOD, fd, token, events);
    this.#interests.set(token, wanted);
  }

  forget(fd: number, token: number): void {
    if (!this.#interests.delete(token)) return;
    // Explicit, since a registration outlives its descriptor where another process or a duplicate holds the same
    // socket.
    this.#libc.c.epoll_ctl!(this.#epoll, this.#libc.system.constants.EPOLL_CTL_DEL, fd, this.#change);
  }

  look(): number {
    return this.#counted(this.#libc.c.epoll_wait!(this.#epoll, this.#events, MAX_EVENTS, 0));
  }

  nap(): number {
    const { c } = this.#libc;
    if (c.epoll_pwait2 === null || !this.#canNap) return this.look();
    const count = c.epoll_pwait2(this.#epoll, this.#events, MAX_EVENTS, this.#nap, null);
    if (count !== -1) return count;
    // Kernels before 5.11 have no such call, whatever the C library says.
    if (this.#libc.errno() === this.#libc.system.errors.ENOSYS) this.#canNap = false;
    return this.look();
  }

  async wait(): Promise<number> {
    const count = await this.#libc.c.epoll_wait_blocking!(this.#epoll, this.#events, MAX_EVENTS, MAX_WAIT);
    // The thread's errno stayed on the thread: ask again from here.
    return count === -1 ? this.look() : count;
  }

  wake(): void {
    this.#libc.c.write(this.#eventfd, this.#one, 8n);
  }

  token(index: number): number {
    const { layout } = this.#libc.system;
    return joinToken(epollDataLow(layout, this.#eventsView, index), epollDataHigh(layout, this.#eventsView, index));
  }

  readiness(index: number): number {
    const { constants, layout } = this.#libc.system;
    const events = epollEvents(layout, this.#eventsView, index);
    if ((events & (constants.EPOLLERR | constants.EPOLLHUP)) !== 0) return READABLE | WRITABLE | ENDED;
    return ((events & constants.EPOLLIN) !== 0 ? READABLE : 0) |
      // Reading stops before urgent data, and of what lies behind it nobody is told.
      ((events & (constants.EPOLLRDHUP | constants.EPOLLPRI)) !== 0 ? READABLE | ENDED : 0) |
      ((events & constants.EPOLLOUT) !== 0 ? WRITABLE : 0);
  }

  #control(operation: number, fd: number, token: number, events: number): void {
    const { c, system } = this.#libc;
    const armed = (events | system.constants.EPOLLET) >>> 0;
    writeEpollEvent(system.layout, this.#changeView, 0, armed, tokenLow(token), tokenHigh(token));
    unwrap(c.epoll_ctl!(this.#epoll, operation, fd, this.#change), "epoll_ctl");
  }

  #counted(count: number): number {
    if (count !== -1) return count;
    const errno = this.#libc.errno();
    if (errno === this.#libc.system.errors.EINTR) return 0;
    throw systemError(errno, "epoll_wait");
  }
}
