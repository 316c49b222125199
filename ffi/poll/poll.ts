import type { Libc } from "../libc/libc.ts";
import { POLLFD_SIZE, pollfdRevents, writePollfd } from "../struct/pollfd.ts";
import { ENDED, MAX_WAIT, type Poller, READABLE, WAKE_TOKEN, WRITABLE } from "./poller.ts";
import { systemError, unwrap } from "../libc/socket_error.ts";

interface Watched {
  readonly fd: number;
  readonly token: number;
  interest: number;
}

/** poll(2): level-triggered and linear in what is watched. Tests put it in epoll's place, to show that nothing above
 * leans on edges.
 *
 * Readiness that was told is not asked for again until `watch` is called once more: a level that nobody takes would
 * otherwise be told for ever. */
export class Poll implements Poller {
  readonly #libc: Libc;
  readonly #eventfd: number;
  readonly #watched = new Map<number, Watched>();
  readonly #counter = new BigUint64Array([1n]);
  #tokens: number[] = [];
  #readiness: number[] = [];

  constructor(libc: Libc) {
    const { EFD_CLOEXEC, EFD_NONBLOCK } = libc.system.constants;
    this.#libc = libc;
    this.#eventfd = unwrap(libc.c.eventfd!(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
  }

  watch(fd: number, token: number, interest: number): void {
    const watched = this.#watched.get(token);
    if (watched === undefined) this.#watched.set(token, { fd, token, interest });
    else watched.interest |= interest;
    // A thread in poll(2) works on the set it was given.
    this.wake();
  }

  forget(_fd: number, token: number): void {
    this.#watched.delete(token);
    this.wake();
  }

  look(): number {
    const { fds, watched } = this.#snapshot();
    if (this.#libc.c.poll(fds, fds.length / POLLFD_SIZE, 0) === -1) {
      const errno = this.#libc.errno();
      if (errno === this.#libc.system.errors.EINTR) return 0;
      throw systemError(errno, "poll");
    }
    return this.#take(fds, watched);
  }

  nap(): number {
    return this.look();
  }

  async wait(): Promise<number> {
    const { fds, watched } = this.#snapshot();
    const count = await this.#libc.c.poll_blocking(fds, fds.length / POLLFD_SIZE, MAX_WAIT);
    return count === -1 ? this.look() : this.#take(fds, watched);
  }

  wake(): void {
    this.#counter[0] = 1n;
    this.#libc.c.write(this.#eventfd, this.#counter, 8n);
  }

  token(index: number): number {
    return this.#tokens[index]!;
  }

  readiness(index: number): number {
    return this.#readiness[index]!;
  }

  #snapshot(): { fds: Uint8Array<ArrayBuffer>; watched: Watched[] } {
    const { POLLIN, POLLOUT } = this.#libc.system.constants;
    const watched = [...this.#watched.values()].filter(({ interest }) => interest !== 0);
    const fds = new Uint8Array((watched.length + 1) * POLLFD_SIZE);
    const view = new DataView(fds.buffer);
    watched.forEach(({ fd, interest }, index) => {
      writePollfd(view, index, fd, (interest & READABLE ? POLLIN : 0) | (interest & WRITABLE ? POLLOUT : 0));
    });
    writePollfd(view, watched.length, this.#eventfd, POLLIN);
    return { fds, watched };
  }

  #take(fds: Uint8Array<ArrayBuffer>, watched: Watched[]): number {
    const { POLLIN, POLLOUT } = this.#libc.system.constants;
    const view = new DataView(fds.buffer);
    this.#tokens = [];
    this.#readiness = [];
    for (const [index, one] of watched.entries()) {
      const revents = pollfdRevents(view, index);
      // Closed while the thread waited, or nothing to tell.
      if (revents === 0 || this.#watched.get(one.token) !== one) continue;
      const told = (revents & ~(POLLIN | POLLOUT)) !== 0
        ? READABLE | WRITABLE | ENDED
        : (revents & POLLIN ? READABLE : 0) | (revents & POLLOUT ? WRITABLE : 0);
      one.interest &= ~told;
      this.#tokens.push(one.token);
      this.#readiness.push(told);
    }
    if (pollfdRevents(view, watched.length) !== 0) {
      this.#libc.c.read(this.#eventfd, this.#counter, 8n);
      this.#tokens.push(WAKE_TOKEN);
      this.#readiness.push(READABLE);
    }
    return this.#tokens.length;
  }
}
