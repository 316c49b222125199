import { type Libc, libc } from "../libc/libc.ts";
import { systemError } from "../libc/socket_error.ts";
import { ControlCursor } from "../struct/cmsg.ts";
import {
  controlLength,
  IOVEC_SIZE,
  messageFlags,
  nameLength,
  setControl,
  setControlLength,
  setIovec,
  setName,
  setNameLength,
  writeMessageHeader,
} from "../struct/msghdr.ts";
import { SOCKADDR_STORAGE_SIZE } from "../struct/sockaddr.ts";
import { AddressCache, lengthOf, MOST_BYTES, requireBytes } from "../validate/bytes.ts";
import { AGAIN, type Again } from "./operation.ts";
import { isForPeer, mayBeLonger } from "./refused_send.ts";

/** Room for the control messages of one message: 253 descriptors, credentials, a pidfd and a timestamp. */
export const CONTROL_SIZE = 2048;

const IOVEC = 64;
const NAME = IOVEC + IOVEC_SIZE;
const CONTROL = NAME + SOCKADDR_STORAGE_SIZE;

/** A msghdr with its iovec, its address and its control messages in one piece of memory, passed to the kernel as one
 * pointer. Calls are synchronous, so one for each direction serves all sockets of a thread.
 *
 * The kernel is given two addresses. `bytes` is a field of this object, never leaves the module, and so can be neither
 * collected nor transferred. The caller's data is an argument of the call that uses it, and is checked in `point`, just
 * before it. */
abstract class Message {
  readonly libc: Libc;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView;
  /** Room for a sockaddr of any family. */
  readonly name: Uint8Array<ArrayBuffer>;
  readonly control: Uint8Array<ArrayBuffer>;
  readonly pointer: Deno.PointerObject;
  protected readonly nameAddress: number;
  protected readonly controlAddress: number;
  readonly #addresses = new AddressCache();

  constructor(controlSize = CONTROL_SIZE) {
    this.libc = libc();
    this.bytes = new Uint8Array(CONTROL + controlSize);
    this.view = new DataView(this.bytes.buffer);
    this.name = this.bytes.subarray(NAME, CONTROL);
    this.control = this.bytes.subarray(CONTROL);
    this.pointer = this.libc.pointerTo(this.bytes);
    const base = this.libc.addressOf(this.bytes);
    this.nameAddress = Number(base) + NAME;
    this.controlAddress = Number(base) + CONTROL;
    writeMessageHeader(this.libc.system.layout, this.view, 0, {
      name: base + BigInt(NAME),
      nameLength: 0,
      iov: base + BigInt(IOVEC),
      iovLength: 1,
      control: base + BigInt(CONTROL),
      controlLength: 0,
    });
  }

  /** Points the iovec at bytes, at most MOST_BYTES of them. While an operation waited, its buffer may have been
   * transferred away or resized: what has no bytes is checked here, and what was not used last by the cache. */
  protected point(data: Uint8Array): void {
    const length = lengthOf(data);
    if (length === 0) requireBytes(data);
    setIovec(this.view, IOVEC, this.#addresses.of(data), Math.min(length, MOST_BYTES));
  }

  /** What a failing call means: try again later, try again now, or an error. */
  protected failure(syscall: string, errno: number, address?: string): Again | "interrupted" {
    const { errors } = this.libc.system;
    if (errno === errors.EAGAIN) return AGAIN;
    if (errno === errors.EINTR) return "interrupted";
    throw systemError(errno, syscall, address);
  }
}

/** recvmsg(2). After a call that returned a number, `name`, `nameLength`, `flags` and `controlLength` are those of that
 * message. */
export class ReceivingMessage extends Message {
  /** Bytes received. */
  length = 0;
  /** The flags of the call, where they are among those of the message. */
  #echo = 0;
  /** Walks the control messages of the message just received. */
  readonly cursor: ControlCursor = new ControlCursor(this.libc.system.layout, this.control);

  /** Receives one message with its control messages, `controlRoom` bytes of them. Descriptors may be among them: the
   * caller takes or closes each (`receivedDescriptors`). */
  receive(fd: number, data: Uint8Array, flags: number, nameRoom: number, controlRoom: number): number | Again {
    const { libc: { c, system, errno }, view } = this;
    this.point(data);
    if (system.echoesReceiveFlags) {
      // MSG_TRUNC does nothing there, and would come back for a message that was not truncated.
      flags &= ~system.constants.MSG_TRUNC;
      this.#echo = flags;
    }
    for (;;) {
      setNameLength(system.layout, view, 0, nameRoom);
      setControlLength(system.layout, view, 0, controlRoom);
      const length = c.recvmsg(fd, this.pointer, flags);
      if (length !== -1) return this.length = length;
      if (this.failure("recvmsg", errno()) === AGAIN) return AGAIN;
    }
  }

  /** Receives one message without its control messages. Descriptors that came with it are closed: by the kernel, for
   * want of room, or here where the kernel opens them all the same. */
  receiveBytes(fd: number, data: Uint8Array, flags: number, nameRoom: number): number | Again {
    const { constants: { MSG_PEEK }, installsUnaskedDescriptors } = this.libc.system;
    // Peeking opens no descriptors without room for them, on any system.
    if (!installsUnaskedDescriptors || (flags & MSG_PEEK) !== 0) return this.receive(fd, data, flags, nameRoom, 0);
    const length = this.receive(fd, data, flags, nameRoom, CONTROL_SIZE);
    if (length !== AGAIN) { for (const received of receivedDescriptors(this).all) this.libc.c.close(received); }
    return length;
  }

  get nameLength(): number {
    return Math.min(nameLength(this.libc.system.layout, this.view, 0), SOCKADDR_STORAGE_SIZE);
  }

  get flags(): number {
    return messageFlags(this.libc.system.layout, this.view, 0) & ~this.#echo;
  }

  get controlLength(): number {
    return controlLength(this.libc.system.layout, this.view, 0);
  }

  get truncated(): boolean {
    return (this.flags & this.libc.system.constants.MSG_TRUNC) !== 0;
  }
}

/** The descriptors that the control messages of the message just received opened in this process: passed ones
 * (SCM_RIGHTS), and those of the sender's process (SCM_PIDFD, with SO_PASSPIDFD). Whoever asks owns them. */
export function receivedDescriptors(message: ReceivingMessage): { passed: number[]; all: number[] } {
  const { cursor, libc: { system: { constants } } } = message;
  const passed: number[] = [];
  const all: number[] = [];
  cursor.begin(0, message.controlLength);
  while (cursor.next()) {
    if (cursor.level !== constants.SOL_SOCKET) continue;
    const rights = cursor.type === constants.SCM_RIGHTS;
    if (!rights && (constants.SCM_PIDFD === 0 || cursor.type !== constants.SCM_PIDFD)) continue;
    for (let at = cursor.start; at + 4 <= cursor.end; at += 4) {
      const fd = cursor.view.getInt32(at, true);
      // Instead of a pidfd the kernel may write a negative errno.
      if (fd < 0) continue;
      all.push(fd);
      if (rights) passed.push(fd);
    }
  }
  return { passed, all };
}

/** sendmsg(2). */
export class SendingMessage extends Message {
  /** The destination set last: sending to one peer over and over copies its address once. */
  #destination: Uint8Array | null = null;
  #controlRoom = 0;

  constructor() {
    super();
    const { layout } = this.libc.system;
    setName(layout, this.view, 0, this.nameAddress, 0);
    setControl(layout, this.view, 0, this.controlAddress, 0);
  }

  send(
    fd: number,
    data: Uint8Array,
    destination: Uint8Array | null,
    controlRoom: number,
    /** For the error's words. */
    address?: string,
  ): number | Again {
    const { libc: { c, system: { layout, constants }, errno }, view } = this;
    this.point(data);
    if (destination !== this.#destination) {
      if (destination !== null) this.name.set(destination);
      setName(layout, view, 0, this.nameAddress, destination?.length ?? 0);
      this.#destination = destination;
    }
    if (controlRoom !== this.#controlRoom) {
      setControl(layout, view, 0, this.controlAddress, this.#controlRoom = controlRoom);
    }
    for (;;) {
      const length = c.sendmsg(fd, this.pointer, constants.MSG_NOSIGNAL);
      if (length !== -1) return length;
      const code = errno();
      if (mayBeLonger(fd, code, lengthOf(data))) continue;
      if (isForPeer(fd, code, destination)) return this.send(fd, data, null, controlRoom, address);
      if (this.failure("sendmsg", code, address) === AGAIN) return AGAIN;
    }
  }
}

let receiving: ReceivingMessage | undefined;
let sending: SendingMessage | undefined;

/** The message that this thread receives into. */
export function receivingMessage(): ReceivingMessage {
  return receiving ??= new ReceivingMessage();
}

/** The message that this thread sends from. */
export function sendingMessage(): SendingMessage {
  return sending ??= new SendingMessage();
}
