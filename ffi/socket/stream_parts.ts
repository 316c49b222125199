import { libc } from "../libc/libc.ts";
import { systemError } from "../libc/socket_error.ts";
import { lengthOf, requireBytes } from "../validate/bytes.ts";
import { retryNextTurn } from "../io/backoff.ts";
import type { Descriptor } from "../io/descriptor.ts";
import { eofError, recordFatal } from "../io/fatal_error.ts";
import { type Accompaniment, MOST_PARTS, sendParts, totalLength } from "../io/gather.ts";
import { receivingMessage } from "../io/message.ts";
import { AGAIN, type Again, Operation, type RetryLater } from "../io/operation.ts";

/** Calls of one attempt: each takes up to MOST_PARTS buffers. */
const BUDGET = 16;

const ALONE: Accompaniment = {};

/** Writes several buffers one after the other, as many as fit by each call. */
export class WritingParts extends Operation<number> {
  readonly syscall = "sendmsg";
  readonly #descriptor: Descriptor;
  readonly #parts: readonly Uint8Array[];
  readonly #lengths: readonly number[];
  readonly #total: number;
  #written = 0;
  /** Where the next call begins. */
  #part = 0;
  #offset = 0;

  /** The list is the operation's own. */
  constructor(descriptor: Descriptor, parts: readonly Uint8Array[]) {
    super();
    this.#descriptor = descriptor;
    this.#parts = parts;
    this.#lengths = parts.map((part) => lengthOf(part));
    this.#total = totalLength(parts);
  }

  override attempt(): number | Again | RetryLater {
    for (let budget = BUDGET; this.#written < this.#total; budget--) {
      if (budget === 0) return retryNextTurn(this.#descriptor);
      const asked = this.#requireUnchanged();
      const length = sendParts(this.#descriptor.fd, this.#parts, ALONE, { part: this.#part, offset: this.#offset });
      if (length < 0) return this.#failed(-length);
      this.#advance(length);
      // Taking less than was offered means that the buffer is full: the next call would block.
      if (length < asked) return AGAIN;
    }
    return this.#total;
  }

  /** Adds the number of bytes written to the error. */
  override explain(error: Error): Error {
    return Object.assign(error, { bytesWritten: this.#written });
  }

  /** Throws where memory was transferred away or has shrunk while the operation waited. Returns the bytes of the next
   * call. */
  #requireUnchanged(): number {
    let bytes = -this.#offset;
    const end = Math.min(this.#parts.length, this.#part + MOST_PARTS);
    for (let index = this.#part; index < end; index++) {
      const part = this.#parts[index]!;
      const wanted = this.#lengths[index]!;
      bytes += wanted;
      if (lengthOf(part) !== wanted) this.#requireLength(part, index, wanted);
    }
    return bytes;
  }

  #requireLength(part: Uint8Array, index: number, wanted: number): void {
    try {
      requireBytes(part);
    } catch (error) {
      throw this.explain(error as Error);
    }
    throw this.explain(
      new TypeError(`Buffer ${index} had ${wanted} bytes and has ${lengthOf(part)} while it is being written`),
    );
  }

  #advance(length: number): void {
    this.#written += length;
    this.#descriptor.bytesWritten += length;
    this.#offset += length;
    while (this.#part < this.#parts.length && this.#offset >= this.#lengths[this.#part]!) {
      this.#offset -= this.#lengths[this.#part++]!;
    }
  }

  #failed(errno: number): Again {
    const { EAGAIN, EINPROGRESS } = libc().system.errors;
    // With TCP Fast Open the first write connects, and may have to wait until that is done: tcp(7).
    if (errno === EAGAIN || errno === EINPROGRESS) return AGAIN;
    const error = systemError(errno, this.syscall);
    recordFatal(this.#descriptor, error);
    throw this.explain(error);
  }
}

/** Copies the next bytes of a stream into a buffer without taking them; null at the end. */
export class PeekingStream extends Operation<number | null> {
  readonly syscall = "recvmsg";
  readonly #descriptor: Descriptor;
  readonly #p: Uint8Array;

  constructor(descriptor: Descriptor, p: Uint8Array) {
    super();
    this.#descriptor = descriptor;
    this.#p = p;
  }

  override attempt(): number | null | Again {
    requireBytes(this.#p);
    if (lengthOf(this.#p) === 0) return 0;
    if (this.#descriptor.readClosed) return null;
    const { MSG_PEEK } = libc().system.constants;
    let length: number | Again;
    try {
      length = receivingMessage().receiveBytes(this.#descriptor.fd, this.#p, MSG_PEEK, 0);
    } catch (error) {
      throw recordFatal(this.#descriptor, error);
    }
    if (length !== 0) return length;
    const error = eofError(this.#descriptor, this.syscall);
    if (error !== null) throw error;
    return null;
  }
}
