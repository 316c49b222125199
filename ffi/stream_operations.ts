import type { Descriptor } from "./socket/descriptor.ts";
import { inward, outward } from "./socket/message.ts";
import { AGAIN, type Again, Operation } from "./socket/operation.ts";

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
    const room = this.#p.length;
    const length = inward().receive(this.#descriptor.fd, this.#p, 0, 0, 0);
    if (length === AGAIN) return AGAIN;
    if (length === 0 && room > 0) return null;
    if (length < room) this.#descriptor.reads.drained();
    return length;
  }
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
    this.#length = p.length;
  }

  override attempt(): number | Again {
    while (this.#written < this.#length) {
      const rest = this.#written === 0 ? this.#p : this.#p.subarray(this.#written);
      try {
        const length = outward().send(this.#descriptor.fd, rest, null, 0);
        if (length === AGAIN) return AGAIN;
        this.#written += length;
      } catch (error) {
        throw this.explain(error as Error);
      }
    }
    return this.#length;
  }

  /** However it ends, the caller learns how much the kernel took. */
  override explain(error: Error): Error {
    return Object.assign(error, { bytesWritten: this.#written });
  }
}
