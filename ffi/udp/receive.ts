import { Coalesced, coalescedSize, type Piece } from "./gro.ts";
import { libc } from "../libc/libc.ts";
import type { Datagram } from "./datagram.ts";
import { type DatagramBatch, memoryOf } from "./batch.ts";
import { SOCKADDR_STORAGE_SIZE } from "../struct/sockaddr.ts";
import { coalesces, CONTROL_ROOM, readDetails } from "./packet_info.ts";
import { whileReporting } from "./reports.ts";
import { decodeNet } from "../address/address.ts";
import { bufferOf, lengthOf, requireBytes, viewOf } from "../validate/bytes.ts";
import type { Descriptor } from "../io/descriptor.ts";
import { type ReceivingMessage, receivingMessage } from "../io/message.ts";
import { AGAIN, type Again, Operation } from "../io/operation.ts";
import { scratchBytes } from "../io/scratch.ts";

/** The state of a socket that receives share. */
export interface DatagramSource {
  readonly descriptor: Descriptor;
  /** Whether the kernel may return several datagrams as one message: UDP_GRO. */
  coalesces: boolean;
  /** Whether a batch has room for the longest datagrams by default. */
  readonly wholeDatagrams: boolean;
  /** The rest of a coalesced message. */
  waiting: Coalesced | null;
  /** The error for the next receive. */
  error: Error | null;
}

/** recvmsg(2) with the sender's address and control messages. */
function receiveMessage({ descriptor }: DatagramSource, p: Uint8Array<ArrayBuffer>, flags: number): number | Again {
  if (descriptor.takeReports !== null) return whileReporting(descriptor, () => receive(descriptor, p, flags));
  return receive(descriptor, p, flags);
}

function receive({ fd }: Descriptor, p: Uint8Array<ArrayBuffer>, flags: number): number | Again {
  return receivingMessage().receive(fd, p, flags, SOCKADDR_STORAGE_SIZE, CONTROL_ROOM);
}

/** Receives one datagram into `p`, which can be the thread's scratch memory. With UDP_GRO the kernel may return several;
 * the rest is kept in `source`. */
function receiveOne(source: DatagramSource, p: Uint8Array<ArrayBuffer>): number | Again {
  const message = receivingMessage();
  if (!source.coalesces) {
    const length = receiveMessage(source, p, 0);
    if (length === AGAIN || message.controlLength === 0) return length;
    const size = coalescedSize(message, length);
    return size === 0 ? length : separate(source, p, length, size);
  }
  // Check before receiving: while the operation waited, the buffer may have been transferred away.
  requireBytes(p);
  const whole = scratchBytes();
  const length = receiveMessage(source, whole, 0);
  if (length === AGAIN) return AGAIN;
  const size = coalescedSize(message, length);
  if (size > 0) source.waiting = new Coalesced(whole.slice(size, length), size, message);
  const first = whole.subarray(0, Math.min(size === 0 ? length : size, lengthOf(p)));
  if (bufferOf(p) !== whole.buffer) viewOf(p, 0, first.length).set(first);
  return first.length;
}

/** Keeps the rest of a coalesced message that was received into `p`: UDP_GRO was enabled through another descriptor of the
 * socket, perhaps in another process. */
function separate(source: DatagramSource, p: Uint8Array<ArrayBuffer>, length: number, size: number): number {
  source.coalesces = coalesces(source.descriptor.fd);
  const rest = viewOf(p, size, length);
  source.waiting = new Coalesced(rest.slice(), size, receivingMessage());
  return size;
}

/** Whether the next receive completes without a system call. */
export function holdsUnread({ waiting, error }: DatagramSource): boolean {
  return error !== null || (waiting !== null && !waiting.empty);
}

/** Returns the rest of a coalesced message, or null without one. Throws a pending error. */
function takeWaiting(source: DatagramSource): Coalesced | null {
  const { waiting, error } = source;
  if (error !== null) {
    source.error = null;
    throw error;
  }
  if (waiting === null || !waiting.empty) return waiting;
  return source.waiting = null;
}

/** Receives one datagram into the caller's buffer or into new memory. */
export class ReceivingPair extends Operation<[Uint8Array<ArrayBuffer>, Deno.NetAddr]> {
  readonly syscall = "recvmsg";
  readonly #source: DatagramSource;
  readonly #p: Uint8Array<ArrayBuffer> | undefined;

  constructor(source: DatagramSource, p: Uint8Array<ArrayBuffer> | undefined) {
    super();
    this.#source = source;
    this.#p = p;
  }

  override attempt(): [Uint8Array<ArrayBuffer>, Deno.NetAddr] | Again {
    const waiting = takeWaiting(this.#source);
    if (waiting !== null) return this.#adopt(waiting);
    const p = this.#p ?? scratchBytes();
    const length = receiveOne(this.#source, p);
    if (length === AGAIN) return AGAIN;
    const data = this.#p === undefined ? p.slice(0, length) : viewOf(p, 0, length);
    return [data, decodeNet("udp", receivingMessage().name)];
  }

  #adopt(waiting: Coalesced): [Uint8Array<ArrayBuffer>, Deno.NetAddr] {
    requireBytes(this.#p ?? waiting.name);
    const { data, addr } = waiting.next();
    if (this.#p === undefined) return [data.slice(), addr];
    const fitting = data.subarray(0, lengthOf(this.#p));
    const taken = viewOf(this.#p, 0, fitting.length);
    taken.set(fitting);
    return [taken, addr];
  }
}

/** Copies the next datagram into a buffer without taking it. */
export class PeekingPair extends Operation<[Uint8Array<ArrayBuffer>, Deno.NetAddr]> {
  readonly syscall = "recvmsg";
  readonly #source: DatagramSource;
  readonly #p: Uint8Array<ArrayBuffer>;

  constructor(source: DatagramSource, p: Uint8Array<ArrayBuffer>) {
    super();
    this.#source = source;
    this.#p = p;
  }

  override attempt(): [Uint8Array<ArrayBuffer>, Deno.NetAddr] | Again {
    requireBytes(this.#p);
    const waiting = takeWaiting(this.#source);
    if (waiting !== null) return this.#copy(waiting.first());
    const message = receivingMessage();
    const { MSG_PEEK } = libc().system.constants;
    const length = receiveMessage(this.#source, this.#p, MSG_PEEK);
    if (length === AGAIN) return AGAIN;
    // A coalesced message is several datagrams, of which this is about the first.
    const first = coalescedSize(message, length) || length;
    return [viewOf(this.#p, 0, Math.min(first, length)), decodeNet("udp", message.name)];
  }

  #copy({ data, addr }: Piece): [Uint8Array<ArrayBuffer>, Deno.NetAddr] {
    const fitting = data.subarray(0, lengthOf(this.#p));
    const copied = viewOf(this.#p, 0, fitting.length);
    copied.set(fitting);
    return [copied, addr];
  }
}

/** Receives one datagram with its details. */
export class ReceivingDatagram extends Operation<Datagram> {
  readonly syscall = "recvmsg";
  readonly #source: DatagramSource;
  readonly #maxLength: number;

  constructor(source: DatagramSource, maxLength: number) {
    super();
    this.#source = source;
    this.#maxLength = maxLength;
  }

  override attempt(): Datagram | Again {
    const waiting = takeWaiting(this.#source);
    if (waiting !== null) return this.#adopt(waiting);
    const room = scratchBytes().subarray(0, this.#maxLength);
    const length = receiveOne(this.#source, room);
    if (length === AGAIN) return AGAIN;
    const message = receivingMessage();
    return {
      data: room.slice(0, length),
      addr: decodeNet("udp", message.name),
      truncated: message.truncated || this.#exceeds(message, length),
      ...readDetails(message.cursor, 0, message.controlLength, message.name),
    };
  }

  /** Whether a datagram was truncated here: with UDP_GRO the kernel's buffer is always long enough. */
  #exceeds(message: ReceivingMessage, length: number): boolean {
    if (!this.#source.coalesces || length < this.#maxLength) return false;
    return message.length > length && (coalescedSize(message, message.length) || message.length) > length;
  }

  #adopt(waiting: Coalesced): Datagram {
    const { data, addr } = waiting.next();
    const truncated = data.length > this.#maxLength;
    return { data: data.slice(0, this.#maxLength), addr, truncated, ...waiting.details() };
  }
}

/** Receives the available datagrams, as many as a batch can hold. */
export class ReceivingBatch extends Operation<number> {
  readonly syscall = "recvmmsg";
  readonly #source: DatagramSource;
  readonly #batch: DatagramBatch;

  constructor(source: DatagramSource, batch: DatagramBatch) {
    super();
    this.#source = source;
    this.#batch = batch;
  }

  override attempt(): number | Again {
    const { descriptor } = this.#source;
    const waiting = takeWaiting(this.#source);
    if (descriptor.takeReports === null) return this.#receive(waiting);
    const count = whileReporting(descriptor, () => this.#receive(waiting));
    // The error of a datagram that was sent earlier, which came behind others that were received.
    if (this.#source.error !== null && descriptor.takeReports(null)) this.#source.error = null;
    return count;
  }

  #receive(waiting: Coalesced | null): number | Again {
    return memoryOf(this.#batch).receive(this.#source.descriptor.fd, this.#source, waiting);
  }
}
