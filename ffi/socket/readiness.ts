import { libc } from "../libc/libc.ts";
import { unwrap } from "../libc/system_error.ts";
import { POLLFD_SIZE, pollfdRevents, writePollfd } from "../memory/pollfd.ts";
import type { Descriptor } from "./descriptor.ts";
import { AGAIN, type Again, Operation } from "./operation.ts";

/** Waits until poll(2) says that a read, or a write, would not block. */
export class Readiness extends Operation<void> {
  readonly syscall = "poll";
  readonly #descriptor: Descriptor;
  readonly #events: number;
  readonly #pollfd = new Uint8Array(POLLFD_SIZE);
  readonly #view = new DataView(this.#pollfd.buffer);

  constructor(descriptor: Descriptor, direction: "read" | "write") {
    super();
    const { POLLIN, POLLOUT } = libc().system.constants;
    this.#descriptor = descriptor;
    this.#events = direction === "read" ? POLLIN : POLLOUT;
  }

  override attempt(): void | Again {
    writePollfd(this.#view, 0, this.#descriptor.fd, this.#events);
    unwrap(libc().c.poll(this.#pollfd, 1, 0), "poll");
    // Errors and hang-ups count: the call would return at once.
    if (pollfdRevents(this.#view, 0) === 0) return AGAIN;
  }
}
