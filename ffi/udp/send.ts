import { LONGEST_DATAGRAM, tooLong } from "./datagram.ts";
import { libc } from "../libc/libc.ts";
import { isSocketError, systemError } from "../libc/socket_error.ts";
import { controlSpace, writeControlMessage } from "../struct/cmsg.ts";
import { setNameLength } from "../struct/msghdr.ts";
import { hasVectoredCalls, MessageVector } from "./mmsg.ts";
import { AddressCache, lengthOf, refusedBytes, requireBytes, viewOf } from "../validate/bytes.ts";
import type { Descriptor } from "../io/descriptor.ts";
import type { Destination } from "./destinations.ts";
import { broadcastHint, sourceHint } from "./send_hints.ts";
import { sendingMessage } from "../io/message.ts";
import { AGAIN, type Again, Operation } from "../io/operation.ts";
import { quote } from "../validate/quote.ts";

/** Maximum number of datagrams in one call. */
const VECTOR = 64;

/** Datagrams of up to this length in bytes are copied into memory with a known address, which is faster than finding the
 * address of theirs. */
const COPIED = 2048;

/** Maximum number of segments in one call: UDP_MAX_SEGMENTS of Linux since 4.18. */
const MOST_SEGMENTS = 64;

/** Sends one datagram: sendmsg(2). On a connected socket, ECONNREFUSED is about an earlier datagram, so the error has no
 * address. */
function sendOne(
  descriptor: Descriptor,
  data: Uint8Array,
  to: Destination | null,
  controlLength: number,
): number | Again {
  try {
    return sendingMessage().send(descriptor.fd, data, to?.sockaddr ?? null, controlLength, to?.text);
  } catch (error) {
    if (to === null || !isSocketError(error)) throw error;
    if (error.code === "ECONNREFUSED") throw systemError(error.errno, error.syscall);
    if (error.code !== "EACCES") throw error;
    throw systemError(error.errno, error.syscall, to.text, broadcastHint(descriptor.fd, to));
  }
}

/** The errors for a source that is not a local address. */
const SOURCE_REFUSED: readonly string[] = ["EADDRNOTAVAIL", "EINVAL", "ENETUNREACH"];

/** The source address of a datagram, and its control message. */
export interface Source {
  readonly address: string;
  readonly control: Uint8Array;
}

/** Sends one datagram, to a destination or to the connected peer. */
export class SendingDatagram extends Operation<number> {
  readonly syscall = "sendmsg";
  readonly #descriptor: Descriptor;
  readonly #p: Uint8Array;
  readonly #to: Destination | null;
  readonly #from: Source | null;

  constructor(descriptor: Descriptor, p: Uint8Array, to: Destination | null, from: Source | null) {
    super();
    this.#from = from;
    this.#descriptor = descriptor;
    this.#p = p;
    this.#to = to;
  }

  override attempt(): number | Again {
    if (this.#from === null) return sendOne(this.#descriptor, this.#p, this.#to, 0);
    const { address, control } = this.#from;
    sendingMessage().control.set(control);
    try {
      return sendOne(this.#descriptor, this.#p, this.#to, control.length);
    } catch (error) {
      if (!isSocketError(error) || !SOURCE_REFUSED.includes(error.code)) throw error;
      throw systemError(error.errno, error.syscall, error.address, sourceHint(address));
    }
  }
}

/** A datagram ready to be sent. */
export interface Outgoing {
  readonly data: Uint8Array;
  /** Null for the connected peer. */
  readonly to: Destination | null;
}

/** The memory from which batches are sent. Calls are synchronous, so all sockets of a thread share one. */
class SendingVector extends MessageVector {
  readonly #addresses = new AddressCache();
  /** The arrays whose addresses are passed to the kernel, until the call has returned. `#fill` has checked them, and no
   * code of the caller runs before the call. */
  readonly #held: (Uint8Array | null)[] = new Array(VECTOR).fill(null);
  readonly #names: (Uint8Array | null | undefined)[] = new Array(VECTOR).fill(undefined);

  constructor() {
    super({ capacity: VECTOR, dataSize: COPIED, controlSize: 0 });
  }

  put(index: number, { data, to }: Outgoing): void {
    const length = lengthOf(data);
    if (length <= COPIED) {
      this.data.set(data, index * COPIED);
      this.useOwnData(index, length);
    } else {
      this.#held[index] = data;
      this.useAddress(index, this.#addresses.of(data), length);
    }
    const sockaddr = to === null ? null : to.sockaddr;
    if (this.#names[index] === sockaddr) return;
    this.#names[index] = sockaddr;
    if (sockaddr !== null) this.headers.set(sockaddr, this.nameOffset(index));
    setNameLength(libc().system.layout, this.view, this.headerOffset(index), sockaddr?.length ?? 0);
  }

  release(count: number): void {
    for (let index = 0; index < count; index++) this.#held[index] = null;
  }
}

let sendingVector: SendingVector | undefined;

/** Sends datagrams in order, as many in one call as possible. Resolves to their number. */
export class SendingMany extends Operation<number> {
  readonly syscall = "sendmmsg";
  readonly #descriptor: Descriptor;
  readonly #outgoing: readonly Outgoing[];
  /** On a connected socket a send can fail with the error of an earlier datagram, which sendmmsg(2) does not report if it
   * has sent others before; datagrams are then sent one by one. */
  readonly #connected: boolean;
  #sent = 0;

  constructor(descriptor: Descriptor, outgoing: readonly Outgoing[], connected: boolean) {
    super();
    this.#descriptor = descriptor;
    this.#outgoing = outgoing;
    this.#connected = connected;
  }

  override attempt(): number | Again {
    while (this.#sent < this.#outgoing.length) {
      try {
        const count = this.#connected || !hasVectoredCalls() ? this.#sendOne() : this.#sendVector();
        if (count === AGAIN) return AGAIN;
        this.#sent += count;
      } catch (error) {
        throw this.explain(error as Error);
      }
    }
    return this.#sent;
  }

  /** Adds the number of datagrams sent to the error. */
  override explain(error: Error): Error {
    return Object.assign(error, { sent: this.#sent });
  }

  #sendOne(): number | Again {
    const { data, to } = this.#outgoing[this.#sent]!;
    return sendOne(this.#descriptor, data, to, 0) === AGAIN ? AGAIN : 1;
  }

  /** Fills the vector with as many datagrams as fit. One whose buffer was transferred meanwhile throws only when all before
   * it have been sent. */
  #fill(vector: SendingVector): number {
    const most = Math.min(VECTOR, this.#outgoing.length - this.#sent);
    for (let index = 0; index < most; index++) {
      const outgoing = this.#outgoing[this.#sent + index]!;
      const refusal = refusedBytes(outgoing.data);
      if (refusal !== null && index === 0) throw refusal;
      if (refusal !== null) return index;
      vector.put(index, outgoing);
    }
    return most;
  }

  #sendVector(): number | Again {
    const { c, errno, system: { constants, errors } } = libc();
    const vector = sendingVector ??= new SendingVector();
    const count = this.#fill(vector);
    for (;;) {
      const sent = c.sendmmsg!(this.#descriptor.fd, vector.pointer, count, constants.MSG_NOSIGNAL);
      const code = sent === -1 ? errno() : 0;
      if (code === errors.EINTR) continue;
      vector.release(count);
      if (sent !== -1) return sent;
      if (code === errors.EAGAIN) return AGAIN;
      const { to } = this.#outgoing[this.#sent]!;
      const hint = code === errors.EACCES ? broadcastHint(this.#descriptor.fd, to) : undefined;
      throw systemError(code, "sendmmsg", to?.text, hint);
    }
  }
}

/** Whether UDP_SEGMENT works on a socket: segments of this size in bytes, and longer ones, were refused and are not tried
 * again. */
export interface SegmentOffload {
  refusedFrom: number;
}

/** Sends one buffer as datagrams of equal size; the last one can be shorter. Resolves to the number of bytes sent. */
export class SendingSegments extends Operation<number> {
  readonly syscall = "sendmsg";
  readonly #descriptor: Descriptor;
  readonly #p: Uint8Array;
  readonly #length: number;
  readonly #segmentSize: number;
  readonly #to: Destination | null;
  readonly #offload: SegmentOffload;
  readonly #control: Uint8Array<ArrayBuffer> | null;
  /** Maximum number of bytes in one call. */
  readonly #portion: number;
  #written = 0;

  constructor(
    descriptor: Descriptor,
    p: Uint8Array,
    segmentSize: number,
    to: Destination | null,
    offload: SegmentOffload,
  ) {
    super();
    this.#descriptor = descriptor;
    this.#p = p;
    this.#length = lengthOf(p);
    this.#segmentSize = segmentSize;
    this.#to = to;
    this.#offload = offload;
    this.#portion = Math.min(MOST_SEGMENTS, Math.floor(LONGEST_DATAGRAM / segmentSize)) * segmentSize;
    this.#control = segmentControl(segmentSize);
  }

  override attempt(): number | Again {
    while (this.#written < this.#length) {
      try {
        if (lengthOf(this.#p) < this.#length) throw gone(this.#p, this.#length);
        const written = this.#sendPortion();
        if (written === AGAIN) return AGAIN;
        if (written === 0) throw new Error("sendmsg: the system sent 0 bytes without an error");
        this.#written += written;
      } catch (error) {
        throw this.explain(error as Error);
      }
    }
    return this.#length;
  }

  /** Adds the number of bytes sent to the error. */
  override explain(error: Error): Error {
    return Object.assign(error, { bytesWritten: this.#written });
  }

  #sendPortion(): number | Again {
    const plain = this.#control === null || this.#segmentSize >= this.#offload.refusedFrom || !hasVectoredCalls();
    const end = Math.min(this.#length, this.#written + (plain ? this.#segmentSize : this.#portion));
    const rest = viewOf(this.#p, this.#written, end);
    if (plain || rest.length <= this.#segmentSize) return this.#send(rest, 0);
    sendingMessage().control.set(this.#control!);
    try {
      return this.#send(rest, this.#control!.length);
    } catch (error) {
      if (!isSocketError(error) || !["EIO", "EINVAL", "EMSGSIZE"].includes(error.code)) throw error;
      // The device has no checksum offload, or the segments are longer than its MTU. Plain datagrams then succeed, if
      // necessary in fragments; otherwise there is another cause, and this throws.
      const written = this.#send(rest.subarray(0, this.#segmentSize), 0);
      if (written !== AGAIN) this.#offload.refusedFrom = error.code === "EIO" ? 0 : this.#segmentSize;
      return written;
    }
  }

  #send(data: Uint8Array, controlLength: number): number | Again {
    return sendOne(this.#descriptor, data, this.#to, controlLength);
  }
}

/** Makes the error for a buffer that was transferred or resized while the operation waited. */
function gone(p: Uint8Array, length: number): TypeError {
  return refusedBytes(p) ??
    new TypeError(`The buffer shrank from ${length} bytes to ${lengthOf(p)} while it waited to be sent`);
}

/** Encodes the control message of UDP_SEGMENT; null on systems without it. */
function segmentControl(segmentSize: number): Uint8Array<ArrayBuffer> | null {
  const { options, layout } = libc().system;
  const option = options.UDP_SEGMENT;
  if (option === null) return null;
  const control = new Uint8Array(controlSpace(layout, 2));
  const size = Uint8Array.of(segmentSize & 0xff, segmentSize >> 8);
  writeControlMessage(layout, control, 0, option.level, option.name, size);
  return control;
}

/** Throws a TypeError for a value that is not iterable. */
export function requireList(datagrams: unknown): void {
  const iterable = typeof (datagrams as Iterable<unknown> | null)?.[Symbol.iterator] === "function";
  // Bytes can be iterated too, and are one datagram's.
  if (iterable && !ArrayBuffer.isView(datagrams) && typeof datagrams !== "string") return;
  throw new TypeError(`Expected an array of datagrams, got ${quote(datagrams)}`);
}

/** Copies and checks a datagram to be sent. */
export function readDatagram(datagram: unknown): { data: Uint8Array; addr?: Deno.NetAddr | undefined } {
  if (datagram === null || typeof datagram !== "object") {
    throw new TypeError(`Not a datagram: ${quote(datagram)}, expected { data, addr }`);
  }
  const { data, addr } = datagram as { data?: unknown; addr?: Deno.NetAddr };
  requireBytes(data);
  const length = lengthOf(data);
  if (length > LONGEST_DATAGRAM) throw tooLong(length);
  return { data, addr };
}
