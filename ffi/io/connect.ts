import { libc } from "../libc/libc.ts";
import { systemError } from "../libc/socket_error.ts";
import { POLLFD_SIZE, pollfdRevents, writePollfd } from "../struct/pollfd.ts";
import type { Descriptor } from "./descriptor.ts";
import { Backoff } from "./backoff.ts";
import { AGAIN, type Again, Operation, type RetryLater } from "./operation.ts";
import { optionNumber, readOption } from "../option/option.ts";
import { peerName } from "../address/sockname.ts";

/** Whether a connection that is not established will not be any more: poll(2). */
function hasHungUp(fd: number): boolean {
  const { c, system: { constants } } = libc();
  const pollfd = new Uint8Array(POLLFD_SIZE);
  const view = new DataView(pollfd.buffer);
  writePollfd(view, 0, fd, constants.POLLOUT);
  c.poll(pollfd, 1, 0);
  return (pollfdRevents(view, 0) & constants.POLLHUP) !== 0;
}

/** connect(2) on a non-blocking socket, from the call to its outcome. It runs in the queue of writes, since a connection
 * that was made can be written to. */
export class Connecting extends Operation<void> {
  readonly syscall = "connect";
  readonly #descriptor: Descriptor;
  readonly #sockaddr: Uint8Array<ArrayBuffer>;
  readonly #address: string;
  #called = false;
  readonly #backoff: Backoff;

  constructor(descriptor: Descriptor, sockaddr: Uint8Array<ArrayBuffer>, address: string) {
    super();
    this.#descriptor = descriptor;
    this.#sockaddr = sockaddr;
    this.#address = address;
    this.#backoff = new Backoff(descriptor);
  }

  override attempt(): void | Again | RetryLater {
    return this.#called ? this.#outcome() : this.#call();
  }

  override get address(): string {
    return this.#address;
  }

  override settled(): void {
    this.#backoff.stop();
  }

  #call(): void | Again | RetryLater {
    const { c, errno, system: { errors } } = libc();
    this.#called = true;
    this.#descriptor.failure = 0;
    if (c.connect(this.#descriptor.fd, this.#sockaddr, this.#sockaddr.length) === 0) return;
    const code = errno();
    if (code === errors.EAGAIN) {
      // A Unix socket whose listener's backlog is full; no poller reports room in it.
      this.#called = false;
      return this.#backoff.later();
    }
    // Interrupted, the connection is made all the same: POSIX, connect().
    if (code === errors.EINPROGRESS || code === errors.EINTR) return AGAIN;
    throw systemError(code, "connect", this.#address);
  }

  /** Being writable is not being connected: SO_ERROR reports failure, and a peer's name success. */
  #outcome(): void | Again {
    this.#throwPending();
    const { fd, failure } = this.#descriptor;
    if (peerName(fd) !== null) return;
    // Another read of SO_ERROR took the error, which the system reports once.
    if (failure !== 0) throw systemError(failure, "connect", this.#address);
    if (!hasHungUp(fd)) return AGAIN;
    // The peer may have reset the connection after it was made, between the two calls above.
    this.#throwPending();
    throw systemError(libc().system.errors.ECONNABORTED!, "connect", this.#address, "another call has read its error");
  }

  #throwPending(): void {
    const { level, name } = optionNumber("SO_ERROR");
    const error = readOption(this.#descriptor.fd, level, name, 4, "SO_ERROR");
    const code = new DataView(error.buffer).getInt32(0, true);
    if (code !== 0) throw systemError(code, "connect", this.#address);
  }
}
