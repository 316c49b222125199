import type { Coalesced } from "./gro.ts";
import type { Datagram } from "./datagram.ts";
import { libc } from "../libc/libc.ts";
import { systemError } from "../libc/socket_error.ts";
import { ControlCursor } from "../struct/cmsg.ts";
import { controlLength, messageFlags } from "../struct/msghdr.ts";
import { hasVectoredCalls, MessageVector } from "./mmsg.ts";
import { CONTROL_ROOM, readDetails, segmentSize } from "./packet_info.ts";
import { SegmentIndex } from "./segment_index.ts";
import { decodeNet } from "../address/address.ts";
import { AGAIN, type Again } from "../io/operation.ts";

const DEFAULT_LENGTH = 2048;

/** The maximum length of a coalesced message, in bytes. */
export const LONGEST_MESSAGE = 65_535;

/** What a batch needs of the socket that it is filled from. */
export interface BatchSource {
  /** Whether the kernel may return several datagrams as one message: UDP_GRO. */
  readonly coalesces: boolean;
  /** Whether there is to be room for the longest datagrams by default. */
  readonly wholeDatagrams: boolean;
  /** An error that occurred after some datagrams had been received, for the next receive. */
  error: Error | null;
}

function lost(): TypeError {
  return new TypeError("The batch's memory was transferred away; receive into the batch again");
}

/** The memory of a batch, filled by recvmmsg(2), or by recvmsg(2) on systems without it. */
export class BatchBuffer {
  readonly #capacity: number;
  readonly #maxLength: number | undefined;
  readonly #index: SegmentIndex;
  #vector: MessageVector | null = null;
  #cursor: ControlCursor | null = null;
  /** The length to which datagrams are truncated, in bytes. */
  #cut = 0;
  /** The number of messages of the last call, whose headers must be reset before the next one. */
  #used = 0;

  constructor(capacity: number, maxLength: number | undefined) {
    this.#capacity = capacity;
    this.#maxLength = maxLength;
    this.#index = new SegmentIndex(capacity);
  }

  get length(): number {
    return this.#index.length;
  }

  data(index: number): Uint8Array<ArrayBuffer> {
    const message = this.#index.messageOf(index);
    const vector = this.#vector!;
    const start = this.#index.start(message, index);
    if (vector.lost) throw lost();
    const length = Math.min(this.#index.extent(message, vector.length(message), start), this.#cut);
    const offset = message * vector.shape.dataSize + start;
    return vector.data.subarray(offset, offset + length);
  }

  addr(index: number): Deno.NetAddr {
    const message = this.#index.messageOf(index);
    return decodeNet("udp", this.#vector!.headers, this.#vector!.nameOffset(message));
  }

  truncated(index: number): boolean {
    const message = this.#index.messageOf(index);
    const vector = this.#vector!;
    const { layout, constants } = libc().system;
    const flags = messageFlags(layout, vector.view, vector.headerOffset(message));
    if (this.#index.isLast(message, index) && (flags & constants.MSG_TRUNC) !== 0) return true;
    const start = this.#index.start(message, index);
    return this.#index.extent(message, vector.length(message), start) > this.#cut;
  }

  /** Returns a datagram with the details of its control messages. */
  datagram(index: number): Datagram {
    const message = this.#index.messageOf(index);
    const vector = this.#vector!;
    const room = controlLength(libc().system.layout, vector.view, vector.headerOffset(message));
    return {
      data: this.data(index),
      addr: this.addr(index),
      truncated: this.truncated(index),
      ...readDetails(
        this.#cursor!,
        vector.controlOffset(message),
        room,
        vector.headers.subarray(vector.nameOffset(message)),
      ),
    };
  }

  /** Receives into the batch once and returns the number of datagrams in it. `waiting` is the rest of a coalesced message
   * of which single datagrams were received before. */
  receive(fd: number, source: BatchSource, waiting: Coalesced | null): number | Again {
    const vector = this.#prepare(source);
    if (waiting !== null) return this.#adopt(vector, waiting);
    if (this.#used > 0) vector.renew(this.#used);
    this.#used = this.#index.length = 0;
    const count = hasVectoredCalls() ? this.#receiveAll(vector, fd) : this.#receiveEach(vector, fd, source);
    if (count === AGAIN) return AGAIN;
    this.#used = count;
    if (source.coalesces) this.#divide(vector, count);
    else this.#index.setWhole(count);
    return this.#index.length;
  }

  /** Splits coalesced messages into datagrams. */
  #divide(vector: MessageVector, count: number): void {
    const { layout } = libc().system;
    this.#index.begin();
    for (let message = 0; message < count; message++) {
      const room = controlLength(layout, vector.view, vector.headerOffset(message));
      const size = room === 0 ? 0 : segmentSize(this.#cursor!, vector.controlOffset(message), room);
      this.#index.add(message, vector.length(message), size);
    }
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

  /** Receives with recvmsg(2), one message at a time, until there are no more. */
  #receiveEach(vector: MessageVector, fd: number, source: BatchSource): number | Again {
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
      // The system reports an error only once, so it is kept for the next receive.
      const error = systemError(code, "recvmsg");
      if (count === 0) throw error;
      source.error = error;
      return count;
    }
    return this.#capacity;
  }

  /** Fills the batch with the datagrams that another receive has left. */
  #adopt(vector: MessageVector, waiting: Coalesced): number {
    const { segmentSize } = waiting;
    const data = waiting.takeAll();
    vector.data.set(data);
    vector.renew(Math.max(1, this.#used));
    vector.setLength(0, data.length);
    vector.headers.set(waiting.name, vector.nameOffset(0));
    vector.headers.set(waiting.control, vector.controlOffset(0));
    waiting.writeHeader(vector.view, vector.headerOffset(0));
    this.#used = 1;
    this.#index.begin();
    this.#index.add(0, data.length, segmentSize);
    return this.#index.length;
  }

  #prepare({ coalesces, wholeDatagrams }: BatchSource): MessageVector {
    const maxLength = this.#maxLength ?? (coalesces || wholeDatagrams ? LONGEST_MESSAGE : DEFAULT_LENGTH);
    const dataSize = coalesces ? LONGEST_MESSAGE : maxLength;
    this.#cut = maxLength;
    if (this.#vector === null || this.#vector.shape.dataSize < dataSize || this.#vector.lost) {
      this.#vector = new MessageVector({ capacity: this.#capacity, dataSize, controlSize: CONTROL_ROOM });
      this.#cursor = new ControlCursor(libc().system.layout, this.#vector.headers);
      this.#used = 0;
    }
    return this.#vector;
  }
}
