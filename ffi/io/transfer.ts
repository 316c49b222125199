import { SOCKADDR_STORAGE_SIZE } from "../struct/sockaddr.ts";
import { libc } from "../libc/libc.ts";
import { systemError } from "../libc/socket_error.ts";
import type { EncodedAddress } from "../address/sockaddr_argument.ts";
import { requireInt } from "../validate/number.ts";
import { quote } from "../validate/quote.ts";
import { type ControlMessage, MOST_CONTROL, readControlMessages } from "./control_message.ts";
import type { Descriptor } from "./descriptor.ts";
import { recordFatal } from "./fatal_error.ts";
import { sendParts } from "./gather.ts";
import { ReceivingMessage, receivingMessage } from "./message.ts";
import { AGAIN, type Again, Operation } from "./operation.ts";
import type { OwnedFd } from "./owned_fd.ts";

/** What one recvmsg(2) returned: {@linkcode Socket.receive}.
 *
 * @example
 * ```ts
 * import { listenDatagram, type ReceivedMessage } from "@berkeley/sockets";
 *
 * using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
 * await udp.send(new Uint8Array(3), udp.addr);
 * const message: ReceivedMessage = await udp.socket.receive(new Uint8Array(64));
 * console.log(message.length, message.address.length); // 3 16
 * ```
 */
export interface ReceivedMessage {
  /** Bytes written into the buffer. With MSG_TRUNC among the flags given, the length of the whole datagram, which may be
   * greater than that of the buffer. */
  length: number;
  /** The sender's sockaddr; empty where there is none. */
  address: Uint8Array<ArrayBuffer>;
  /** MSG_TRUNC and other flags, as the system numbers them: {@linkcode msg}. */
  flags: number;
  /** Control messages, as many as `controlLength` had room for. */
  control: ControlMessage[];
  /** The descriptors among the control messages (SCM_RIGHTS, SCM_PIDFD), in their order. */
  fds: OwnedFd[];
}

/** How a message is received. */
export interface ReceiveFlags {
  readonly flags: number;
  /** Bytes of room for control messages. */
  readonly controlLength: number;
}

let roomy: ReceivingMessage | undefined;

/** One recvmsg(2) with the sender's address and, where there is room, control messages. */
export class Receiving extends Operation<ReceivedMessage> {
  readonly syscall = "recvmsg";
  readonly #descriptor: Descriptor;
  readonly #p: Uint8Array;
  readonly #how: ReceiveFlags;

  constructor(descriptor: Descriptor, p: Uint8Array, how: ReceiveFlags) {
    super();
    this.#descriptor = descriptor;
    this.#p = p;
    this.#how = how;
  }

  override attempt(): ReceivedMessage | Again {
    try {
      return this.#receive();
    } catch (error) {
      throw recordFatal(this.#descriptor, error);
    }
  }

  #receive(): ReceivedMessage | Again {
    const { flags, controlLength } = this.#how;
    const { fd } = this.#descriptor;
    if (controlLength === 0) {
      const message = receivingMessage();
      const length = message.receiveBytes(fd, this.#p, flags, SOCKADDR_STORAGE_SIZE);
      return length === AGAIN ? AGAIN : this.#received(message, length);
    }
    const { constants: { MSG_CMSG_CLOEXEC }, installsUnaskedDescriptors } = libc().system;
    const message = roomy ??= new ReceivingMessage(MOST_CONTROL);
    const room = installsUnaskedDescriptors ? MOST_CONTROL : controlLength;
    const length = message.receive(fd, this.#p, flags | MSG_CMSG_CLOEXEC, SOCKADDR_STORAGE_SIZE, room);
    if (length === AGAIN) return AGAIN;
    return { ...this.#received(message, length), ...readControlMessages(message, controlLength) };
  }

  #received(message: ReceivingMessage, length: number): ReceivedMessage {
    const { MSG_PEEK, MSG_OOB, MSG_ERRQUEUE } = libc().system.constants;
    if ((this.#how.flags & (MSG_PEEK | MSG_OOB | MSG_ERRQUEUE)) === 0) this.#descriptor.bytesRead += length;
    return received(message, length);
  }
}

function received(message: ReceivingMessage, length: number): ReceivedMessage {
  return {
    length,
    address: message.name.slice(0, message.nameLength),
    flags: message.flags & ~libc().system.constants.MSG_CMSG_CLOEXEC,
    control: [],
    fds: [],
  };
}

/** What one sendmsg(2) is given. */
export interface Outgoing {
  readonly parts: readonly Uint8Array[];
  readonly to: EncodedAddress | null;
  readonly control: Uint8Array<ArrayBuffer> | null;
  readonly flags: number;
}

/** One sendmsg(2), to an address or to the peer. */
export class Sending extends Operation<number> {
  readonly syscall = "sendmsg";
  readonly #descriptor: Descriptor;
  readonly #outgoing: Outgoing;

  constructor(descriptor: Descriptor, outgoing: Outgoing) {
    super();
    this.#descriptor = descriptor;
    this.#outgoing = outgoing;
  }

  override get address(): string | undefined {
    return this.#outgoing.to?.text;
  }

  override attempt(): number | Again {
    const { parts, to, control, flags } = this.#outgoing;
    const length = sendParts(this.#descriptor.fd, parts, { destination: to?.sockaddr, control, flags });
    if (length >= 0) {
      this.#descriptor.bytesWritten += length;
      return length;
    }
    if (-length === libc().system.errors.EAGAIN) return AGAIN;
    throw recordFatal(this.#descriptor, systemError(-length, this.syscall, to?.text));
  }
}

/** Flags that only concern the call they are given to. Others change what the kernel does with the memory afterwards
 * (MSG_ZEROCOPY), connect (MSG_FASTOPEN), or are the kernel's own. */
const RECEIVE_FLAGS = ["MSG_PEEK", "MSG_OOB", "MSG_WAITALL", "MSG_TRUNC", "MSG_ERRQUEUE", "MSG_DONTWAIT"] as const;
const SEND_FLAGS = ["MSG_OOB", "MSG_DONTROUTE", "MSG_EOR", "MSG_MORE", "MSG_CONFIRM", "MSG_DONTWAIT"] as const;

/** Checks the flags given for a call.
 *
 * @throws {TypeError} for what is not a whole number, and for flags that a caller cannot set
 */
export function requireFlags(flags: unknown, call: "receive" | "send"): number {
  if (flags === undefined) return 0;
  const { constants } = libc().system;
  const names = call === "receive" ? RECEIVE_FLAGS : [...SEND_FLAGS, "MSG_NOSIGNAL" as const];
  const number = requireInt("flags", flags);
  const known = names.reduce((sum, name) => sum | constants[name], 0);
  if ((number & ~known) === 0) return number;
  const list = names.filter((name) => constants[name] !== 0).join(", ");
  throw new TypeError(`Invalid flags: ${quote(flags)}, expected a combination of ${list}`);
}
