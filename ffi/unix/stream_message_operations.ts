import { libc } from "../libc/libc.ts";
import type { Descriptor } from "../io/descriptor.ts";
import { eofError, recordFatal } from "../io/fatal_error.ts";
import { receivingMessage } from "../io/message.ts";
import { AGAIN, type Again, Operation } from "../io/operation.ts";
import { scratchBytes } from "../io/scratch.ts";
import { lengthOf } from "../validate/bytes.ts";
import { WritingStream } from "../socket/stream_operations.ts";
import { controlRoom, readControl, type UnixMessage, type Wanted } from "./message.ts";
import { type OutgoingUnixMessage, readOutgoing, type ScmRights, sendWithControl } from "./outgoing_message.ts";

/** Maximum number of bytes received by one call. The next call receives the rest of a stream. */
const MOST_AT_ONCE = 16 * 1024 * 1024;

/** Writes a whole buffer, the first bytes with descriptors. */
export class WritingMessage extends WritingStream {
  readonly #owner: Descriptor;
  readonly #rights: ScmRights;

  constructor(descriptor: Descriptor, message: OutgoingUnixMessage) {
    const { data, rights } = readOutgoing(message);
    super(descriptor, null);
    this.from(data);
    if (lengthOf(data) === 0 && rights.count > 0) {
      throw new TypeError("Descriptors without data: on a stream, send at least one byte with descriptors");
    }
    this.#owner = descriptor;
    this.#rights = rights;
  }

  override attempt(): number | Again {
    try {
      return super.attempt();
    } catch (error) {
      recordFatal(this.#owner, error);
      throw this.explain(error as Error);
    }
  }

  protected override send(rest: Uint8Array, first: boolean): number {
    if (!first) return super.send(rest, first);
    const length = sendWithControl(this.#owner, rest, this.#rights.encode());
    return length === AGAIN ? -libc().system.errors.EAGAIN! : length;
  }
}

/** Reads the available bytes of a stream and the descriptors sent with them. */
export class ReadingMessage extends Operation<UnixMessage | null> {
  readonly syscall = "recvmsg";
  readonly #descriptor: Descriptor;
  readonly #wanted: Wanted;
  readonly #room: number;
  /** A buffer for more bytes than the thread's scratch memory has. */
  #own: Uint8Array<ArrayBuffer> | null = null;

  constructor(descriptor: Descriptor, wanted: Wanted) {
    super();
    this.#descriptor = descriptor;
    this.#wanted = wanted;
    this.#room = Math.min(wanted.maxLength, MOST_AT_ONCE);
  }

  override attempt(): UnixMessage | null | Again {
    try {
      return this.#receive();
    } catch (error) {
      throw recordFatal(this.#descriptor, error);
    }
  }

  #receive(): UnixMessage | null | Again {
    if (this.#descriptor.readClosed) return null;
    const data = this.#memory();
    const flags = libc().system.constants.MSG_CMSG_CLOEXEC;
    const room = controlRoom(this.#wanted.maxFds);
    const length = receivingMessage().receive(this.#descriptor.fd, data, flags, 0, room);
    if (length === AGAIN) return AGAIN;
    const control = readControl(receivingMessage(), this.#wanted);
    if (length === 0 && this.#room > 0) return this.#end();
    this.#descriptor.bytesRead += length;
    return { data: data.slice(0, length), ...control };
  }

  #end(): null {
    const error = eofError(this.#descriptor, this.syscall);
    if (error !== null) throw error;
    return null;
  }

  #memory(): Uint8Array<ArrayBuffer> {
    const scratch = scratchBytes();
    if (this.#room <= scratch.length) return scratch.subarray(0, this.#room);
    return this.#own ??= new Uint8Array(this.#room);
  }
}
