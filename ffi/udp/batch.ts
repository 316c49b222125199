import type { Coalesced } from "./gro.ts";
import type { Datagram } from "./datagram.ts";
import { libc } from "../libc/libc.ts";
import { systemError } from "../libc/socket_error.ts";
import { ControlCursor } from "../struct/cmsg.ts";
import { controlLength, messageFlags } from "../struct/msghdr.ts";
import { hasVectoredCalls, MessageVector } from "./mmsg.ts";
import { CONTROL_ROOM, readDetails, segmentSize } from "./packet_info.ts";
import { decodeNet } from "../address/address.ts";
import { AGAIN, type Again } from "../io/operation.ts";
import { quote } from "../validate/quote.ts";

const DEFAULT_CAPACITY = 64;
const DEFAULT_LENGTH = 2048;

/** What the kernel may give as one message when it coalesces. */
const LONGEST_MESSAGE = 65_535;

/** What went wrong behind datagrams that were taken. */
export interface LeftError {
  error: Error | null;
}

function lost(): TypeError {
  return new TypeError("The batch's memory was transferred away: receive into it again, or copy what is to be kept");
}

function requireCount(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(`Invalid ${name}: ${quote(value)}, expected ${least} to ${most}`);
}

/** Memory for many datagrams, allocated once, at the first receive into it. What it yields are views, valid until the
 * next receive into it; packet information and timestamps come with them where the socket has them on.
 *
 * A receive makes no object for a datagram until it is asked for one. A batch of the defaults takes 128 KiB for data
 * and about 34 KiB beside; with `receiveOffload`, 4 MiB for data, since each message may hold many datagrams.
 *
 * @example
 * ```ts
 * import { DatagramBatch, listenDatagram } from "@berkeley/sockets";
 *
 * using sink = listenDatagram({ transport: "udp", hostname: "127.0.0.1", receiveOffload: true });
 * using source = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
 * await source.sendSegments(new Uint8Array(1_000), 100, sink.addr);
 * const batch = new DatagramBatch();
 * for (let count = 0; count < 10; count += batch.length) {
 *   await sink.receiveMany(batch);
 *   for (const { data, addr } of batch) console.log(data.length, addr.port === source.addr.port); // 100 true
 * }
 * ```
 */
export class DatagramBatch implements Iterable<Datagram> {
  readonly #capacity: number;
  readonly #maxLength: number | undefined;
  #vector: MessageVector | null = null;
  #cursor: ControlCursor | null = null;
  /** Most bytes of one datagram. */
  #cut = 0;
  #length = 0;
  /** For each message the index of its first datagram, and how long its datagrams are, the last perhaps shorter. */
  readonly #first: Uint32Array<ArrayBuffer>;
  readonly #segment: Uint32Array<ArrayBuffer>;
  /** Whether those two say that every message is one datagram. */
  #whole = false;
  /** The message looked at last: who goes through a batch in order finds the next one beside it. */
  #at = 0;
  /** Messages the kernel wrote into at the last call, whose headers have to be made fresh. */
  #used = 0;

  /** `capacity` messages a call, 64 by default, 1,024 at most; of at most `maxLength` bytes, 2,048 by default and
   * 65,535 with `receiveOffload`. What is longer is cut, and says so.
   *
   * @throws {RangeError} for numbers beyond that
   */
  constructor(options: { capacity?: number; maxLength?: number } = {}) {
    const { capacity = DEFAULT_CAPACITY, maxLength } = options;
    this.#capacity = requireCount("capacity", capacity, 1, 1024);
    this.#maxLength = maxLength === undefined ? undefined : requireCount("maxLength", maxLength, 0, LONGEST_MESSAGE);
    this.#first = new Uint32Array(this.#capacity + 1);
    this.#segment = new Uint32Array(this.#capacity);
  }

  /** Datagrams held, after segments that the kernel coalesced have been told apart. */
  get length(): number {
    return this.#length;
  }

  /** The bytes of a datagram, as a view of the batch's memory. Whoever transfers that memory away, by `transfer()` or
   * to a Worker, owns it from then on: the next receive makes the batch other memory.
   *
   * @throws {RangeError} for an index that holds none
   * @throws {TypeError} when the batch's memory was transferred away since the last receive
   */
  data(index: number): Uint8Array<ArrayBuffer> {
    const message = this.#messageOf(index);
    const vector = this.#vector!;
    const start = (index - this.#first[message]!) * this.#segment[message]!;
    if (vector.lost) throw lost();
    const length = Math.min(this.#segment[message]!, vector.length(message) - start, this.#cut);
    const offset = message * vector.shape.dataSize + start;
    return vector.data.subarray(offset, offset + length);
  }

  /** Who sent a datagram.
   *
   * @throws {RangeError} for an index that holds none
   */
  addr(index: number): Deno.NetAddr {
    const message = this.#messageOf(index);
    return decodeNet("udp", this.#vector!.headers, this.#vector!.nameOffset(message));
  }

  /** Whether a datagram was longer than `maxLength`.
   *
   * @throws {RangeError} for an index that holds none
   */
  truncated(index: number): boolean {
    const message = this.#messageOf(index);
    const vector = this.#vector!;
    const last = index === this.#first[message + 1]! - 1;
    const { layout, constants } = libc().system;
    const flags = messageFlags(layout, vector.view, vector.headerOffset(message));
    if (last && (flags & constants.MSG_TRUNC) !== 0) return true;
    const start = (index - this.#first[message]!) * this.#segment[message]!;
    return Math.min(this.#segment[message]!, vector.length(message) - start) > this.#cut;
  }

  /** Every datagram with all that is known of it. */
  *[Symbol.iterator](): Iterator<Datagram> {
    for (let index = 0; index < this.#length; index++) {
      const message = this.#messageOf(index);
      const vector = this.#vector!;
      const room = controlLength(libc().system.layout, vector.view, vector.headerOffset(message));
      yield {
        data: this.data(index),
        addr: this.addr(index),
        truncated: this.truncated(index),
        ...readDetails(this.#cursor!, vector.controlOffset(message), room),
      };
    }
  }

  /** One receive into the batch, for {@linkcode UdpSocket.receiveMany}.
   *
   * @ignore
   */
  receive(fd: number, offload: boolean, waiting: Coalesced | null, left: LeftError): number | Again {
    const vector = this.#prepare(offload);
    if (waiting !== null) return this.#adopt(vector, waiting);
    if (this.#used > 0) vector.renew(this.#used);
    this.#used = this.#length = 0;
    const count = hasVectoredCalls() ? this.#receiveAll(vector, fd) : this.#receiveEach(vector, fd, left);
    if (count === AGAIN) return AGAIN;
    this.#used = count;
    this.#tell(vector, count, offload);
    return this.#length;
  }

  /** Where each message's datagrams begin, and how long they are. */
  #tell(vector: MessageVector, count: number, offload: boolean): void {
    if (offload) this.#length = this.#divide(vector, count);
    else {
      if (!this.#whole) this.#takeWhole();
      this.#length = count;
    }
    this.#at = 0;
  }

  /** One message is one datagram: what is noted then holds for every receive. */
  #takeWhole(): void {
    for (let message = 0; message <= this.#capacity; message++) this.#first[message] = message;
    this.#segment.fill(0xffff_ffff);
    this.#whole = true;
  }

  /** Counts the datagrams that the kernel gave as one. */
  #divide(vector: MessageVector, count: number): number {
    const { layout } = libc().system;
    let datagrams = 0;
    this.#whole = false;
    for (let message = 0; message < count; message++) {
      const length = vector.length(message);
      const room = controlLength(layout, vector.view, vector.headerOffset(message));
      const size = room === 0 ? 0 : segmentSize(this.#cursor!, vector.controlOffset(message), room);
      this.#first[message] = datagrams;
      this.#segment[message] = size === 0 ? length : size;
      datagrams += size === 0 || length === 0 ? 1 : Math.ceil(length / size);
    }
    this.#first[count] = datagrams;
    return datagrams;
  }

  #receiveAll(vector: MessageVector, fd: number): number | Again {
    const { c, errno, system: { constants, errors } } = libc();
    for (;;) {
      const count = c.recvmmsg!(fd, vector.pointer, this.#capacity, constants.MSG_DONTWAIT, null);
      if (count !== -1) return count;
      const code = errno();
      if (code === errors.EAGAIN) return AGAIN;
      if (code !== errors.EINTR) throw systemError(code, "recvmmsg");
    }
  }

  /** Receives by recvmsg(2), one by one, until there is no more. */
  #receiveEach(vector: MessageVector, fd: number, left: LeftError): number | Again {
    const { c, errno, system: { constants, errors } } = libc();
    for (let count = 0; count < this.#capacity;) {
      const length = c.recvmsg(fd, vector.pointerAt(count), constants.MSG_DONTWAIT);
      if (length !== -1) {
        vector.setLength(count++, length);
        continue;
      }
      const code = errno();
      if (code === errors.EINTR) continue;
      if (code === errors.EAGAIN) return count > 0 ? count : AGAIN;
      // The system tells an error once: behind datagrams it is kept for the next receive.
      const error = systemError(code, "recvmsg");
      if (count === 0) throw error;
      left.error = error;
      return count;
    }
    return this.#capacity;
  }

  /** Datagrams that another receive left behind, as one message. */
  #adopt(vector: MessageVector, waiting: Coalesced): number {
    const { size } = waiting;
    const data = waiting.takeAll();
    vector.data.set(data);
    vector.renew(Math.max(1, this.#used));
    vector.setLength(0, data.length);
    vector.headers.set(waiting.name, vector.nameOffset(0));
    vector.headers.set(waiting.control, vector.controlOffset(0));
    waiting.writeHeader(vector.view, vector.headerOffset(0));
    this.#used = 1;
    this.#whole = false;
    this.#first[0] = 0;
    this.#segment[0] = size;
    this.#first[1] = this.#length = Math.ceil(data.length / size);
    this.#at = 0;
    return this.#length;
  }

  #prepare(offload: boolean): MessageVector {
    const maxLength = this.#maxLength ?? (offload ? LONGEST_MESSAGE : DEFAULT_LENGTH);
    const dataSize = offload ? LONGEST_MESSAGE : maxLength;
    this.#cut = maxLength;
    if (this.#vector === null || this.#vector.shape.dataSize < dataSize || this.#vector.lost) {
      this.#vector = new MessageVector({ capacity: this.#capacity, dataSize, controlSize: CONTROL_ROOM });
      this.#cursor = new ControlCursor(libc().system.layout, this.#vector.headers);
      this.#used = 0;
    }
    return this.#vector;
  }

  #messageOf(index: number): number {
    if (!(Number.isInteger(index) && index >= 0 && index < this.#length)) {
      throw new RangeError(`No datagram ${index}: the batch holds ${this.#length}`);
    }
    let message = this.#at;
    while (this.#first[message]! > index) message--;
    while (this.#first[message + 1]! <= index) message++;
    return this.#at = message;
  }
}
