import { type Libc, libc } from "../libc/libc.ts";
import { systemError } from "../libc/socket_error.ts";
import {
  controlLength,
  IOVEC_SIZE,
  messageFlags,
  nameLength,
  setControlLength,
  setNameLength,
  writeMessageHeader,
} from "../struct/msghdr.ts";
import { SOCKADDR_STORAGE_SIZE } from "../struct/sockaddr.ts";
import { AddressCache, requireBytes } from "../validate/bytes.ts";
import { AGAIN, type Again } from "./operation.ts";

/** Room for the control messages of one message: 253 descriptors, credentials and a timestamp. */
export const CONTROL_SIZE = 2048;

const IOVEC = 64;
const NAME = IOVEC + IOVEC_SIZE;
const CONTROL = NAME + SOCKADDR_STORAGE_SIZE;
const HIGH = 2 ** 32;

/** A msghdr with its iovec, its address and its control messages in one piece of memory, told to the kernel by one
 * pointer. Calls are synchronous, so one for each direction serves all sockets of a thread. */
abstract class Message {
  readonly libc: Libc;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView;
  /** The sockaddr, as long as its system makes the longest. */
  readonly name: Uint8Array<ArrayBuffer>;
  readonly control: Uint8Array<ArrayBuffer>;
  readonly #pointer: Deno.PointerObject;
  /** Holds the buffer that the iovec points to. */
  readonly #addresses = new AddressCache();

  constructor() {
    this.libc = libc();
    this.bytes = new Uint8Array(CONTROL + CONTROL_SIZE);
    this.view = new DataView(this.bytes.buffer);
    this.name = this.bytes.subarray(NAME, CONTROL);
    this.control = this.bytes.subarray(CONTROL);
    this.#pointer = this.libc.pointerTo(this.bytes);
    const base = this.libc.addressOf(this.bytes);
    writeMessageHeader(this.libc.system.layout, this.view, 0, {
      name: base + BigInt(NAME),
      nameLength: 0,
      iov: base + BigInt(IOVEC),
      iovLength: 1,
      control: base + BigInt(CONTROL),
      controlLength: 0,
    });
  }

  get pointer(): Deno.PointerObject {
    return this.#pointer;
  }

  /** The bytes are looked at once more: while an operation waited, its buffer may have been transferred away. One that
   * was just used and has bytes has passed. */
  protected point(data: Uint8Array): void {
    if (data.length === 0 || !this.#addresses.holds(data.buffer)) requireBytes(data);
    const address = this.#addresses.of(data);
    this.view.setUint32(IOVEC, address >>> 0, true);
    this.view.setUint32(IOVEC + 4, Math.floor(address / HIGH), true);
    this.view.setUint32(IOVEC + 8, data.length, true);
  }

  /** What a failing call means: try again later, try again now, or an error. */
  protected failure(syscall: string, errno: number, address?: string): Again | "interrupted" {
    const { errors } = this.libc.system;
    if (errno === errors.EAGAIN) return AGAIN;
    if (errno === errors.EINTR) return "interrupted";
    throw systemError(errno, syscall, address);
  }
}

/** recvmsg(2). After a call that returned a number, `name`, `nameLength`, `flags` and `controlLength` tell of that
 * message. */
export class InwardMessage extends Message {
  /** Bytes received. */
  length = 0;

  receive(fd: number, data: Uint8Array, flags: number, nameRoom: number, controlRoom: number): number | Again {
    const { libc: { c, system, errno }, view } = this;
    this.point(data);
    for (;;) {
      setNameLength(system.layout, view, 0, nameRoom);
      setControlLength(system.layout, view, 0, controlRoom);
      const length = c.recvmsg(fd, this.pointer, flags);
      if (length !== -1) return this.length = length;
      if (this.failure("recvmsg", errno()) === AGAIN) return AGAIN;
    }
  }

  get nameLength(): number {
    return Math.min(nameLength(this.libc.system.layout, this.view, 0), SOCKADDR_STORAGE_SIZE);
  }

  get flags(): number {
    return messageFlags(this.libc.system.layout, this.view, 0);
  }

  get controlLength(): number {
    return controlLength(this.libc.system.layout, this.view, 0);
  }

  get truncated(): boolean {
    return (this.flags & this.libc.system.constants.MSG_TRUNC) !== 0;
  }
}

/** sendmsg(2). */
export class OutwardMessage extends Message {
  /** The destination set last: sending to one peer over and over copies its address once. */
  #destination: Uint8Array | null = null;
  #controlRoom = 0;

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
      setNameLength(layout, view, 0, destination?.length ?? 0);
      this.#destination = destination;
    }
    if (controlRoom !== this.#controlRoom) setControlLength(layout, view, 0, this.#controlRoom = controlRoom);
    for (;;) {
      const length = c.sendmsg(fd, this.pointer, constants.MSG_NOSIGNAL);
      if (length !== -1) return length;
      if (this.failure("sendmsg", errno(), address) === AGAIN) return AGAIN;
    }
  }
}

let inwardMessage: InwardMessage | undefined;
let outwardMessage: OutwardMessage | undefined;

export function inward(): InwardMessage {
  return inwardMessage ??= new InwardMessage();
}

export function outward(): OutwardMessage {
  return outwardMessage ??= new OutwardMessage();
}
