import { libc } from "../libc/libc.ts";
import { unwrap } from "../libc/socket_error.ts";
import { POLLFD_SIZE, pollfdRevents, writePollfd } from "../struct/pollfd.ts";
import type { Descriptor } from "./descriptor.ts";
import { AGAIN, type Again, Operation } from "./operation.ts";

/** Waits until poll(2) says that a read, or a write, would not block. */
export class Readiness extends Operation<void> {
  readonly syscall = "poll";
  readonly #descriptor: Descriptor;
  readonly #reading: boolean;
  readonly #pollfd = new Uint8Array(POLLFD_SIZE);
  readonly #view = new DataView(this.#pollfd.buffer);

  constructor(descriptor: Descriptor, direction: "read" | "write") {
    super();
    this.#descriptor = descriptor;
    this.#reading = direction === "read";
  }

  override attempt(): void | Again {
    if (this.#reading && this.#descriptor.holdsUnread?.() === true) return;
    const { POLLIN, POLLOUT } = libc().system.constants;
    writePollfd(this.#view, 0, this.#descriptor.fd, this.#reading ? POLLIN : POLLOUT);
    unwrap(libc().c.poll(this.#pollfd, 1, 0), "poll");
    // Errors and hang-ups count: the call would return at once.
    if (pollfdRevents(this.#view, 0) === 0) return AGAIN;
  }
}
