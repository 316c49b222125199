import { libc } from "../libc/libc.ts";
import { systemError } from "../libc/socket_error.ts";
import { lengthOf, MOST_BYTES, refusedBytes, requireBytes, viewOf } from "../validate/bytes.ts";
import type { Descriptor } from "../io/descriptor.ts";
import { eofError, recordFatal } from "../io/fatal_error.ts";
import { receivingMessage } from "../io/message.ts";
import { AGAIN, type Again, Operation } from "../io/operation.ts";
import { type StreamCalls, streamCalls } from "../io/stream_calls.ts";

/** What an operation holds while it is used for none. */
const NOTHING = new Uint8Array(0);

/** Operations of a connection that are over, one of each kind, for the next read and write: most connections have one
 * under way at a time. They hold no buffer. */
export class SpareOperations {
  read: ReadingStream | null = null;
  write: WritingStream | null = null;
}

/** Reads the available bytes of a stream into a buffer; null at the end. */
export class ReadingStream extends Operation<number | null> {
  /** Also where recv(2) does the same in less. */
  readonly syscall = "recvmsg";
  readonly #descriptor: Descriptor;
  readonly #spare: SpareOperations;
  readonly #calls: StreamCalls;
  /** Descriptors may come with the bytes, and have to be closed: recvmsg(2) in place of recv(2). */
  readonly #passesDescriptors: boolean;
  /** Whether after a short read there is no more. */
  readonly #drains: boolean;
  #p: Uint8Array = NOTHING;

  constructor(descriptor: Descriptor, passesDescriptors: boolean, spare: SpareOperations) {
    super();
    this.#descriptor = descriptor;
    this.#passesDescriptors = passesDescriptors;
    this.#drains = libc().system.shortReadDrains;
    this.#spare = spare;
    this.#calls = streamCalls();
  }

  /** Makes it an operation for these bytes. */
  into(p: Uint8Array): this {
    this.#p = p;
    return this;
  }

  override attempt(): number | null | Again {
    // Measured at each attempt: while it waited, the memory may have been transferred away or resized.
    const room = Math.min(lengthOf(this.#p), MOST_BYTES);
    if (room === 0) return this.#nothing();
    if (this.#descriptor.readClosed) return null;
    if (this.#passesDescriptors) return this.#receiveMessage(room);
    const length = this.#calls.receive(this.#descriptor.fd, this.#p, room);
    if (length > 0) {
      this.#descriptor.bytesRead += length;
      if (length < room && this.#drains) this.#descriptor.reads.clearReadiness();
      return length;
    }
    if (length === 0) return this.#end();
    if (length === this.#calls.again) return AGAIN;
    throw recordFatal(this.#descriptor, systemError(-length, this.syscall));
  }

  override settled(): void {
    this.#p = NOTHING;
    this.#spare.read = this;
  }

  #receiveMessage(room: number): number | null | Again {
    let length: number | Again;
    try {
      length = receivingMessage().receiveBytes(this.#descriptor.fd, this.#p, 0, 0);
    } catch (error) {
      throw recordFatal(this.#descriptor, error);
    }
    if (length === AGAIN) return AGAIN;
    if (length === 0) return this.#end();
    this.#descriptor.bytesRead += length;
    if (length < room && this.#drains && !cutShort()) this.#descriptor.reads.clearReadiness();
    return length;
  }

  /** A read of 0 bytes resolves at once; recvmsg(2) would wait for data. */
  #nothing(): number {
    requireBytes(this.#p);
    return 0;
  }

  #end(): null {
    const error = eofError(this.#descriptor, this.syscall);
    if (error !== null) throw error;
    return null;
  }
}

/** recvmsg(2) stops after bytes that carried descriptors, though more may be there; the descriptors are closed, and the
 * flags say so. */
function cutShort(): boolean {
  return (receivingMessage().flags & libc().system.constants.MSG_CTRUNC) !== 0;
}

/** Writes a whole buffer. */
export class WritingStream extends Operation<number> {
  /** Also where send(2) does the same in less. */
  readonly syscall = "sendmsg";
  readonly #descriptor: Descriptor;
  readonly #spare: SpareOperations | null;
  readonly #calls: StreamCalls;
  #p: Uint8Array = NOTHING;
  #length = 0;
  #written = 0;

  constructor(descriptor: Descriptor, spare: SpareOperations | null) {
    super();
    this.#descriptor = descriptor;
    this.#spare = spare;
    this.#calls = streamCalls();
  }

  /** Makes it an operation for these bytes. */
  from(p: Uint8Array): this {
    this.#p = p;
    this.#length = lengthOf(p);
    this.#written = 0;
    return this;
  }

  override attempt(): number | Again {
    while (this.#written < this.#length) {
      const rest = this.#rest();
      const asked = Math.min(lengthOf(rest), MOST_BYTES);
      const length = this.send(rest, this.#written === 0);
      if (length < 0) return this.#failed(-length);
      if (length === 0) throw this.explain(new Error("sendmsg: the system sent 0 bytes without an error"));
      this.#written += length;
      this.#descriptor.bytesWritten += length;
      // Taking less than was offered means that the buffer is full: the next call would block.
      if (length < asked) return AGAIN;
    }
    return this.#length;
  }

  /** Adds the number of bytes written to the error. */
  override explain(error: Error): Error {
    return Object.assign(error, { bytesWritten: this.#written });
  }

  override settled(): void {
    this.#p = NOTHING;
    if (this.#spare !== null) this.#spare.write = this;
  }

  /** Hands bytes to the kernel once. Returns how many it took, or the negative errno. */
  protected send(rest: Uint8Array, _first: boolean): number {
    return this.#calls.send(this.#descriptor.fd, rest, lengthOf(rest));
  }

  #failed(errno: number): Again {
    // With TCP Fast Open the first write connects, and may have to wait until that is done: tcp(7).
    if (-errno === this.#calls.again || errno === libc().system.errors.EINPROGRESS) return AGAIN;
    const error = systemError(errno, this.syscall);
    recordFatal(this.#descriptor, error);
    throw this.explain(error);
  }

  /** The bytes that remain to be written. While the operation waited, the buffer may have been transferred or resized. */
  #rest(): Uint8Array {
    const p = this.#p;
    const length = lengthOf(p);
    if (length < this.#length) {
      throw this.explain(
        refusedBytes(p) ??
          new TypeError(`The buffer shrank from ${this.#length} bytes to ${length} while it was being written`),
      );
    }
    return this.#written === 0 && length === this.#length ? p : viewOf(p, this.#written, this.#length);
  }
}
