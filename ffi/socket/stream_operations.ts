import { libc } from "../libc/libc.ts";
import { lengthOf, MOST_BYTES, refusedBytes, requireBytes, viewOf } from "../validate/bytes.ts";
import type { Descriptor } from "../io/descriptor.ts";
import { endOf, noting } from "../io/fatal_error.ts";
import { receivingMessage, sendingMessage } from "../io/message.ts";
import { AGAIN, type Again, Operation } from "../io/operation.ts";

/** Reads what a stream has into the caller's buffer: null at its end. */
export class ReadingStream extends Operation<number | null> {
  readonly syscall = "recvmsg";
  readonly #descriptor: Descriptor;
  readonly #p: Uint8Array;

  constructor(descriptor: Descriptor, p: Uint8Array) {
    super();
    this.#descriptor = descriptor;
    this.#p = p;
  }

  override attempt(): number | null | Again {
    const room = Math.min(lengthOf(this.#p), MOST_BYTES);
    if (room === 0) return this.#nothing();
    const length = noting(this.#descriptor, () => receivingMessage().receiveBytes(this.#descriptor.fd, this.#p, 0, 0));
    if (length === AGAIN) return AGAIN;
    if (length === 0) return endOf(this.#descriptor);
    if (length < room && !cutShort()) this.#descriptor.reads.drained();
    return length;
  }

  /** Asked for nothing, the kernel would wait for something. */
  #nothing(): number {
    requireBytes(this.#p);
    return 0;
  }
}

/** recvmsg(2) stops behind bytes that carried descriptors, though more may be there; reading throws the descriptors
 * away, and the kernel says so. */
function cutShort(): boolean {
  return (receivingMessage().flags & libc().system.constants.MSG_CTRUNC) !== 0;
}

/** Writes a buffer whole. */
export class WritingStream extends Operation<number> {
  readonly syscall = "sendmsg";
  readonly #descriptor: Descriptor;
  readonly #p: Uint8Array;
  readonly #length: number;
  #written = 0;

  constructor(descriptor: Descriptor, p: Uint8Array) {
    super();
    this.#descriptor = descriptor;
    this.#p = p;
    this.#length = lengthOf(p);
  }

  override attempt(): number | Again {
    while (this.#written < this.#length) {
      try {
        const length = noting(this.#descriptor, () => this.send(this.#rest(), this.#written === 0));
        if (length === AGAIN) return AGAIN;
        if (length === 0) throw new Error("sendmsg: the system took none of the bytes, and gave no reason");
        this.#written += length;
      } catch (error) {
        throw this.explain(error as Error);
      }
    }
    return this.#length;
  }

  /** Hands bytes to the kernel once. */
  protected send(rest: Uint8Array, _first: boolean): number | Again {
    return sendingMessage().send(this.#descriptor.fd, rest, null, 0);
  }

  /** What is still to be written. While it waited, the memory may have been transferred away or resized. */
  #rest(): Uint8Array {
    const p = this.#p;
    const length = lengthOf(p);
    if (length < this.#length) {
      throw refusedBytes(p) ??
        new TypeError(`The buffer shrank from ${this.#length} bytes to ${length} while it was being written`);
    }
    return this.#written === 0 && length === this.#length ? p : viewOf(p, this.#written, this.#length);
  }

  /** However it ends, the caller learns how much the kernel took. */
  override explain(error: Error): Error {
    return Object.assign(error, { bytesWritten: this.#written });
  }
}

/** Does nothing when its turn comes: everything asked for before it is over then. */
export class Turn extends Operation<void> {
  readonly syscall = "sendmsg";

  override attempt(): void {}
}
