import { libc } from "../libc/libc.ts";
import { systemError, unwrap } from "../libc/socket_error.ts";
import { POLLFD_SIZE, pollfdRevents, writePollfd } from "../struct/pollfd.ts";
import { lengthOf, requireBytes, viewOf } from "../validate/bytes.ts";
import type { Descriptor } from "./descriptor.ts";
import { AGAIN, type Again, Operation } from "./operation.ts";

/** Bytes of one read(2) or write(2) at the most: reading a file blocks the event loop for as long as its disk takes. */
export const PORTION = 65_536;

/** PIPE_BUF of Linux, and more than that of BSD takes for granted: what a pipe that is ready for writing takes without
 * blocking. */
const PIPE_BUF = 4096;

/** A descriptor that is no socket, and how it can be used without blocking. */
export interface FdSource {
  readonly descriptor: Descriptor;
  /** Whether read(2) and write(2) fail with EAGAIN where they would block. Otherwise poll(2) is asked first. */
  readonly nonblocking: boolean;
}

/** Whether poll(2) reports that a call would not block. Files are always ready. */
function isReady(fd: number, direction: "POLLIN" | "POLLOUT"): boolean {
  const pollfd = new Uint8Array(POLLFD_SIZE);
  const view = new DataView(pollfd.buffer);
  writePollfd(view, 0, fd, libc().system.constants[direction]);
  unwrap(libc().c.poll(pollfd, 1, 0), "poll");
  return pollfdRevents(view, 0) !== 0;
}

/** Reads what is there, at most PORTION bytes, into a buffer; 0 at the end: read(2). */
export class FdReading extends Operation<number> {
  readonly syscall = "read";
  readonly #source: FdSource;
  readonly #p: Uint8Array;

  constructor(source: FdSource, p: Uint8Array) {
    super();
    this.#source = source;
    this.#p = p;
  }

  override attempt(): number | Again {
    const { descriptor: { fd }, nonblocking } = this.#source;
    requireBytes(this.#p);
    if (!nonblocking && !isReady(fd, "POLLIN")) return AGAIN;
    const { c, errno, system: { errors } } = libc();
    const most = BigInt(Math.min(lengthOf(this.#p), PORTION));
    for (;;) {
      const length = c.read(fd, this.#p, most);
      if (length !== -1) return length;
      const code = errno();
      if (code === errors.EAGAIN) return AGAIN;
      if (code !== errors.EINTR) throw systemError(code, "read");
    }
  }
}

/** Writes at most PORTION bytes of a buffer: write(2). */
export class FdWriting extends Operation<number> {
  readonly syscall = "write";
  readonly #source: FdSource;
  readonly #p: Uint8Array;

  constructor(source: FdSource, p: Uint8Array) {
    super();
    this.#source = source;
    this.#p = p;
  }

  override attempt(): number | Again {
    const { descriptor: { fd }, nonblocking } = this.#source;
    requireBytes(this.#p);
    if (!nonblocking && !isReady(fd, "POLLOUT")) return AGAIN;
    const { c, errno, system: { errors } } = libc();
    const most = Math.min(lengthOf(this.#p), nonblocking ? PORTION : PIPE_BUF);
    const portion = viewOf(this.#p, 0, most);
    for (;;) {
      const length = c.write(fd, portion, BigInt(most));
      if (length !== -1) return length;
      const code = errno();
      if (code === errors.EAGAIN) return AGAIN;
      if (code !== errors.EINTR) throw systemError(code, "write");
    }
  }
}
