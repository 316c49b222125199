import { libc } from "../libc/libc.ts";
import { isSocketError, systemError } from "../libc/socket_error.ts";
import { SOCKADDR_STORAGE_SIZE } from "../struct/sockaddr.ts";
import { decodeUnix, type UnixAddr } from "../address/address.ts";
import { lengthOf, viewOf } from "../validate/bytes.ts";
import { Backoff } from "../io/backoff.ts";
import type { Descriptor } from "../io/descriptor.ts";
import { sendParts } from "../io/gather.ts";
import { receivingMessage, sendingMessage } from "../io/message.ts";
import { AGAIN, type Again, Operation, type RetryLater } from "../io/operation.ts";
import { nextLength } from "../io/peek.ts";
import { controlRoom, passCredentials, readControl, type UnixMessage, type Wanted } from "./message.ts";
import type { ScmRights } from "./outgoing_message.ts";
import { mayFitLater } from "./receive_room.ts";

/** The address of a datagram socket, as Deno's type has it; the path of an unnamed one is null. */
export function datagramAddr(sockaddr: Uint8Array, length: number): Deno.UnixAddr {
  return decodeUnix("unixpacket", sockaddr, length) as Deno.UnixAddr;
}

/** Receives one datagram into a buffer, or complete into new memory. */
export class ReceivingUnix extends Operation<[Uint8Array<ArrayBuffer>, Deno.UnixAddr]> {
  readonly syscall = "recvmsg";
  readonly #descriptor: Descriptor;
  readonly #p: Uint8Array<ArrayBuffer> | undefined;

  constructor(descriptor: Descriptor, p: Uint8Array<ArrayBuffer> | undefined) {
    super();
    this.#descriptor = descriptor;
    this.#p = p;
  }

  override attempt(): [Uint8Array<ArrayBuffer>, Deno.UnixAddr] | Again {
    const { fd } = this.#descriptor;
    const room = this.#p === undefined ? nextLength(fd) : 0;
    if (room === AGAIN) return AGAIN;
    const message = receivingMessage();
    const p = this.#p ?? new Uint8Array(room);
    const length = message.receiveBytes(fd, p, 0, SOCKADDR_STORAGE_SIZE);
    if (length === AGAIN) return AGAIN;
    return [viewOf(p, 0, length), datagramAddr(message.name, message.nameLength)];
  }
}

/** Receives one datagram with the descriptors and credentials that came with it. */
export class ReceivingUnixMessage extends Operation<UnixMessage & { addr: UnixAddr }> {
  readonly syscall = "recvmsg";
  readonly #descriptor: Descriptor;
  readonly #wanted: Wanted;

  constructor(descriptor: Descriptor, wanted: Wanted) {
    super();
    this.#descriptor = descriptor;
    this.#wanted = wanted;
  }

  override attempt(): (UnixMessage & { addr: UnixAddr }) | Again {
    const { fd } = this.#descriptor;
    const next = nextLength(fd);
    if (next === AGAIN) return AGAIN;
    const message = receivingMessage();
    const data = new Uint8Array(Math.min(next, this.#wanted.maxLength));
    const flags = libc().system.constants.MSG_CMSG_CLOEXEC;
    const room = controlRoom(this.#wanted.maxFds);
    const length = message.receive(fd, data, flags, SOCKADDR_STORAGE_SIZE, room);
    if (length === AGAIN) return AGAIN;
    const addr = decodeUnix("unixpacket", message.name, message.nameLength);
    return { data: data.subarray(0, length), addr, ...readControl(message, this.#wanted) };
  }
}

/** Where a datagram goes. */
export interface UnixDestination {
  readonly sockaddr: Uint8Array<ArrayBuffer>;
  /** For the words of errors. */
  readonly text: string;
}

/** Sends one datagram, with descriptors, to a destination or to the connected peer. */
export class SendingUnix extends Operation<number> {
  readonly syscall = "sendmsg";
  readonly #descriptor: Descriptor;
  readonly #p: Uint8Array;
  readonly #to: UnixDestination | null;
  readonly #rights: ScmRights;
  readonly #suppressAutobind: boolean;
  readonly #backoff: Backoff;

  constructor(
    descriptor: Descriptor,
    p: Uint8Array,
    to: UnixDestination | null,
    rights: ScmRights,
    suppressAutobind: boolean,
  ) {
    super();
    this.#descriptor = descriptor;
    this.#p = p;
    this.#to = to;
    this.#rights = rights;
    this.#suppressAutobind = suppressAutobind;
    this.#backoff = new Backoff(descriptor);
  }

  override settled(): void {
    this.#backoff.stop();
  }

  override get address(): string | undefined {
    return this.#to?.text;
  }

  override attempt(): number | Again | RetryLater {
    if (!this.#suppressAutobind) return this.#attempt();
    // With SO_PASSCRED, Linux binds an unnamed socket to an abstract name when it sends: unix(7), "Autobind feature".
    passCredentials(this.#descriptor, false);
    try {
      return this.#attempt();
    } finally {
      passCredentials(this.#descriptor);
    }
  }

  /** A socket without a peer stays writable while its receiver's queue is full, so the attempt is repeated after a pause;
   * for a connected one the poller reports room. */
  #attempt(): number | Again | RetryLater {
    try {
      const length = this.#rights.count === 0 ? this.#sendBytes() : this.#sendWithRights();
      if (length !== AGAIN) return length;
      return this.#to === null ? AGAIN : this.#backoff.later();
    } catch (error) {
      // The errno for a full queue on BSD, which no poller reports the end of.
      const full = isSocketError(error) && error.code === "ENOBUFS";
      if (full && mayFitLater(lengthOf(this.#p))) return this.#backoff.later();
      throw error;
    }
  }

  #sendBytes(): number | Again {
    return sendingMessage().send(this.#descriptor.fd, this.#p, this.#to?.sockaddr ?? null, 0, this.#to?.text);
  }

  #sendWithRights(): number | Again {
    const control = this.#rights.encode();
    const length = sendParts(this.#descriptor.fd, [this.#p], { destination: this.#to?.sockaddr, control });
    if (length >= 0) return length;
    if (-length === libc().system.errors.EAGAIN) return AGAIN;
    throw systemError(-length, this.syscall, this.#to?.text);
  }
}
