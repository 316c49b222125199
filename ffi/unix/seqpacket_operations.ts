import { libc } from "../libc/libc.ts";
import type { Descriptor } from "../io/descriptor.ts";
import { eofError, recordFatal } from "../io/fatal_error.ts";
import { receivingMessage } from "../io/message.ts";
import { AGAIN, type Again, Operation } from "../io/operation.ts";
import { nextLength } from "../io/peek.ts";
import { controlRoom, passCredentials, readControl, type UnixMessage, type Wanted } from "./message.ts";
import { type ScmRights, sendWithControl } from "./outgoing_message.ts";

/** Receives one complete message. Its length is peeked at first, to allocate no more memory than needed. */
export class SeqpacketReceiving extends Operation<UnixMessage | null> {
  readonly syscall = "recvmsg";
  readonly #descriptor: Descriptor;
  readonly #wanted: Wanted;

  constructor(descriptor: Descriptor, wanted: Wanted) {
    super();
    this.#descriptor = descriptor;
    this.#wanted = wanted;
  }

  override attempt(): UnixMessage | null | Again {
    try {
      return this.#receive();
    } catch (error) {
      throw recordFatal(this.#descriptor, error);
    }
  }

  #receive(): UnixMessage | null | Again {
    const message = receivingMessage();
    const { fd } = this.#descriptor;
    const length = nextLength(fd);
    if (length === AGAIN) return AGAIN;
    const data = new Uint8Array(Math.min(length, this.#wanted.maxLength));
    const flags = libc().system.constants.MSG_CMSG_CLOEXEC;
    const received = message.receive(fd, data, flags, 0, controlRoom(this.#wanted.maxFds));
    if (received === AGAIN) return AGAIN;
    // Only a real message has control messages.
    const end = received === 0 && message.controlLength === 0 && !message.truncated;
    const control = readControl(message, this.#wanted);
    const error = end ? eofError(this.#descriptor, this.syscall) : null;
    if (error !== null) throw error;
    return end ? null : { data: data.subarray(0, received), ...control };
  }
}

/** Sends one message with descriptors. */
export class SeqpacketSending extends Operation<number> {
  readonly syscall = "sendmsg";
  readonly #descriptor: Descriptor;
  readonly #data: Uint8Array;
  readonly #rights: ScmRights;
  readonly #suppressAutobind: boolean;

  constructor(descriptor: Descriptor, data: Uint8Array, rights: ScmRights, suppressAutobind: boolean) {
    super();
    this.#descriptor = descriptor;
    this.#data = data;
    this.#rights = rights;
    this.#suppressAutobind = suppressAutobind;
  }

  override attempt(): number | Again {
    if (!this.#suppressAutobind) return this.#send();
    // With SO_PASSCRED, Linux binds an unnamed socket to an abstract name when it sends: unix(7), "Autobind feature".
    passCredentials(this.#descriptor, false);
    try {
      return this.#send();
    } finally {
      passCredentials(this.#descriptor);
    }
  }

  #send(): number | Again {
    try {
      return sendWithControl(this.#descriptor, this.#data, this.#rights.encode());
    } catch (error) {
      throw recordFatal(this.#descriptor, error);
    }
  }
}
