import type { Libc } from "../libc/libc.ts";
import { EpollEvents, writeEpollEvent } from "../struct/epoll_event.ts";
import { POLLFD_SIZE, writePollfd } from "../struct/pollfd.ts";
import {
  ERRORS,
  HANGUP,
  LOOP_SLOT,
  MAX_EVENTS,
  type Poller,
  READABLE,
  type Token,
  WAKE_SLOT,
  WRITABLE,
} from "./poller.ts";
import { systemError, unwrap } from "../libc/socket_error.ts";

const NANOSECONDS = 1_000_000;
const NOTHING = new Uint8Array(0);

/** epoll(7), edge-triggered: one registration for a descriptor's life, and no system call to go on waiting. */
export class Epoll implements Poller {
  readonly oneShot = false;
  readonly #libc: Libc;
  readonly #epoll: number;
  readonly #eventfd: number;
  /** Written by `poll`, on this thread. */
  readonly #polled: EpollEvents;
  /** Written by `wait`, on another thread, at whatever time. */
  readonly #waited: EpollEvents;
  #current: EpollEvents;
  readonly #change: Uint8Array<ArrayBuffer>;
  readonly #changeView: DataView;
  readonly #one = new BigUint64Array([1n]);
  /** struct pollfd of the epoll itself and struct timespec, for waits shorter than a millisecond. */
  readonly #pollfd = new Uint8Array(POLLFD_SIZE);
  readonly #timeout = new BigInt64Array(2);
  /** The event loop's epoll; -1 while it is not known. */
  #loop = -1;
  #loopWatched = false;
  /** A wait is pending, which the event loop's descriptor would end. */
  #waiting = false;
  readonly #loopPollfd = new Uint8Array(POLLFD_SIZE);
  readonly #loopView = new DataView(this.#loopPollfd.buffer);

  constructor(libc: Libc) {
    const { c, system: { constants, layout } } = libc;
    this.#libc = libc;
    this.#polled = this.#current = new EpollEvents(layout, MAX_EVENTS);
    this.#waited = new EpollEvents(layout, MAX_EVENTS);
    this.#change = new Uint8Array(this.#polled.size);
    this.#changeView = new DataView(this.#change.buffer);
    this.#epoll = unwrap(c.epoll_create1!(constants.EPOLL_CLOEXEC), "epoll_create1");
    writePollfd(new DataView(this.#pollfd.buffer), 0, this.#epoll, constants.POLLIN);
    this.#eventfd = c.eventfd!(0, constants.EFD_CLOEXEC | constants.EFD_NONBLOCK);
    try {
      unwrap(this.#eventfd, "eventfd");
      // Every write to an eventfd is an edge, so the counter need not be read back.
      const edges = constants.EPOLLIN | constants.EPOLLET;
      this.#control(constants.EPOLL_CTL_ADD, this.#eventfd, WAKE_SLOT, 0, edges);
    } catch (error) {
      c.close(this.#epoll);
      if (this.#eventfd !== -1) c.close(this.#eventfd);
      throw error;
    }
  }

  add(fd: number, { slot, generation }: Token, interest: number): void {
    this.#control(this.#libc.system.constants.EPOLL_CTL_ADD, fd, slot, generation, this.#events(interest));
  }

  modify(fd: number, { slot, generation }: Token, interest: number): void {
    this.#control(this.#libc.system.constants.EPOLL_CTL_MOD, fd, slot, generation, this.#events(interest));
  }

  delete(fd: number): void {
    // Explicit, since a registration outlives its descriptor where another process or a duplicate holds the same
    // socket. A failure is ignored: the descriptor was closed elsewhere, and its registration with it.
    this.#libc.c.epoll_ctl!(this.#epoll, this.#libc.system.constants.EPOLL_CTL_DEL, fd, this.#change);
  }

  poll(milliseconds: number): number {
    if (this.#loop !== -1 && !this.#loopWatched && !this.#waiting) this.#setLoopInterest(true);
    this.#current = this.#polled;
    const { c } = this.#libc;
    if (Number.isInteger(milliseconds)) {
      return this.#counted(c.epoll_wait!(this.#epoll, this.#polled.bytes, MAX_EVENTS, milliseconds));
    }
    // epoll_pwait2(2) is missing before Linux 5.11 and refused by some sandboxes; ppoll(2) is everywhere.
    this.#timeout[1] = BigInt(Math.ceil(milliseconds * NANOSECONDS));
    const refused = c.ppoll!(this.#pollfd, 1, this.#timeout, null) === -1 &&
      this.#libc.errno() !== this.#libc.system.errors.EINTR;
    // Where a sandbox refuses it: not to wait at all would keep a processor busy.
    const left = refused ? Math.ceil(milliseconds) : 0;
    return this.#counted(c.epoll_wait!(this.#epoll, this.#polled.bytes, MAX_EVENTS, left));
  }

  async wait(milliseconds: number): Promise<number> {
    // The event loop serves its own descriptors while this thread is in the wait.
    if (this.#loopWatched && milliseconds > 0) this.#setLoopInterest(false);
    const { bytes } = this.#waited;
    this.#waiting = true;
    const count = await this.#libc.c.epoll_wait_blocking!(this.#epoll, bytes, MAX_EVENTS, milliseconds);
    this.#waiting = false;
    this.#current = this.#waited;
    // The thread's errno stayed on the thread: the call is repeated here.
    return count === -1 ? this.poll(0) : count;
  }

  wake(): void {
    this.#libc.c.write(this.#eventfd, this.#one, 8n);
  }

  yield(): Promise<unknown> {
    return this.#libc.c.poll_blocking(NOTHING, 0, 0);
  }

  loopReady(): boolean {
    if (this.#loop === -1) return false;
    writePollfd(this.#loopView, 0, this.#loop, this.#libc.system.constants.POLLIN);
    return this.#libc.c.poll(this.#loopPollfd, 1, 0) > 0;
  }

  watchLoop(fd: number): boolean {
    const { EPOLLIN, EPOLL_CTL_ADD, EPOLL_CTL_DEL } = this.#libc.system.constants;
    if (this.#loop !== -1) this.#libc.c.epoll_ctl!(this.#epoll, EPOLL_CTL_DEL, this.#loop, this.#change);
    this.#loop = -1;
    this.#loopWatched = false;
    if (fd === -1) return false;
    try {
      this.#control(EPOLL_CTL_ADD, fd, LOOP_SLOT, 0, EPOLLIN);
    } catch {
      return false;
    }
    this.#loop = fd;
    return this.#loopWatched = true;
  }

  slot(index: number): number {
    return this.#current.dataLow(index);
  }

  generation(index: number): number {
    return this.#current.dataHigh(index);
  }

  readiness(index: number): number {
    const { EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLPRI, EPOLLRDHUP } = this.#libc.system.constants;
    const events = this.#current.events(index);
    if (events === EPOLLIN) return READABLE;
    if ((events & (EPOLLERR | EPOLLHUP)) !== 0) return READABLE | WRITABLE | HANGUP | ERRORS;
    return ((events & EPOLLIN) !== 0 ? READABLE : 0) |
      // Reading stops before urgent data, and no edge reports what lies behind it.
      ((events & (EPOLLRDHUP | EPOLLPRI)) !== 0 ? READABLE | HANGUP : 0) |
      ((events & EPOLLOUT) !== 0 ? WRITABLE : 0);
  }

  #events(interest: number): number {
    const { EPOLLET, EPOLLIN, EPOLLOUT, EPOLLPRI, EPOLLRDHUP } = this.#libc.system.constants;
    return EPOLLET | ((interest & READABLE) !== 0 ? EPOLLIN | EPOLLPRI | EPOLLRDHUP : 0) |
      ((interest & WRITABLE) !== 0 ? EPOLLOUT : 0);
  }

  /** Level-triggered: an edge could be taken in by a call that then does nothing about it. */
  #setLoopInterest(watched: boolean): void {
    const { EPOLLIN, EPOLL_CTL_MOD } = this.#libc.system.constants;
    this.#control(EPOLL_CTL_MOD, this.#loop, LOOP_SLOT, 0, watched ? EPOLLIN : 0);
    this.#loopWatched = watched;
  }

  #control(operation: number, fd: number, slot: number, generation: number, events: number): void {
    writeEpollEvent(this.#libc.system.layout, this.#changeView, 0, events >>> 0, slot, generation);
    unwrap(this.#libc.c.epoll_ctl!(this.#epoll, operation, fd, this.#change), "epoll_ctl");
  }

  #counted(count: number): number {
    if (count !== -1) return count;
    const errno = this.#libc.errno();
    if (errno === this.#libc.system.errors.EINTR) return 0;
    throw systemError(errno, "epoll_wait");
  }
}
