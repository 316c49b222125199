import { type Libc, libc } from "../libc/libc.ts";
import { MOST_BYTES } from "../validate/bytes.ts";

/** recv(2) and send(2) on connections, as few steps around each as there can be. Both take bytes that were checked and
 * return how many were moved, or the negative errno.
 *
 * A length is a size_t, which has to be a BigInt. The one used last is kept: a program mostly comes with the same again,
 * and more than one would be a dictionary. */
export class StreamCalls {
  readonly #recv: Libc["c"]["recv"];
  readonly #send: Libc["c"]["send"];
  readonly #errno: () => number;
  readonly #again: number;
  readonly #interrupted: number;
  readonly #flags: number;
  #receiveLength = 0;
  #receiveSize = 0n;
  #sendLength = 0;
  #sendSize = 0n;

  constructor() {
    const { c, errno, system: { errors, constants } } = libc();
    this.#recv = c.recv;
    this.#send = c.send;
    this.#errno = errno;
    this.#again = -errors.EAGAIN!;
    this.#interrupted = -errors.EINTR!;
    this.#flags = constants.MSG_NOSIGNAL;
  }

  /** What both return when the call would block. */
  get again(): number {
    return this.#again;
  }

  receive(fd: number, p: Uint8Array, length: number): number {
    if (length !== this.#receiveLength) {
      this.#receiveLength = length;
      this.#receiveSize = BigInt(Math.min(length, MOST_BYTES));
    }
    for (;;) {
      let result = this.#recv(fd, p, this.#receiveSize, 0);
      if (result === -1) result = -this.#errno();
      if (result !== this.#interrupted) return result;
    }
  }

  send(fd: number, p: Uint8Array, length: number): number {
    if (length !== this.#sendLength) {
      this.#sendLength = length;
      this.#sendSize = BigInt(Math.min(length, MOST_BYTES));
    }
    for (;;) {
      let result = this.#send(fd, p, this.#sendSize, this.#flags);
      if (result === -1) result = -this.#errno();
      if (result !== this.#interrupted) return result;
    }
  }
}

let calls: StreamCalls | undefined;

/** The calls of this thread. */
export function streamCalls(): StreamCalls {
  return calls ??= new StreamCalls();
}
