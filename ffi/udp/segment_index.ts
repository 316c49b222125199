import { quote } from "../validate/quote.ts";

/** Finds the message and the offset of each datagram of a batch. The kernel may coalesce datagrams of one flow into one
 * message (UDP_GRO of udp(7)); otherwise each message is one datagram. */
export class SegmentIndex {
  /** The number of datagrams. */
  length = 0;
  readonly #capacity: number;
  /** For each message, the index of its first datagram, and the size of its datagrams in bytes; the last can be shorter. */
  readonly #first: Uint32Array<ArrayBuffer>;
  readonly #segment: Uint32Array<ArrayBuffer>;
  /** Whether these arrays are set for messages of one datagram each. */
  #whole = false;
  /** The message of the last lookup, where the next one begins: batches are mostly read in order. */
  #at = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#first = new Uint32Array(capacity + 1);
    this.#segment = new Uint32Array(capacity);
  }

  /** Sets `count` messages of one datagram each. The arrays are filled only the first time. */
  setWhole(count: number): void {
    if (!this.#whole) {
      for (let message = 0; message <= this.#capacity; message++) this.#first[message] = message;
      this.#segment.fill(0xffff_ffff);
      this.#whole = true;
    }
    this.length = count;
    this.#at = 0;
  }

  /** Clears the index, for `add`. */
  begin(): void {
    this.#whole = false;
    this.length = 0;
    this.#at = 0;
  }

  /** Adds the next message: `length` bytes in datagrams of `segmentSize` bytes, or in one datagram if that is 0. */
  add(message: number, length: number, segmentSize: number): void {
    this.#first[message] = this.length;
    this.#segment[message] = segmentSize === 0 ? length : segmentSize;
    this.length += segmentSize === 0 || length === 0 ? 1 : Math.ceil(length / segmentSize);
    this.#first[message + 1] = this.length;
  }

  /** Returns the message that contains a datagram.
   *
   * @throws {RangeError} for an index outside the batch
   */
  messageOf(index: number): number {
    if (!(Number.isInteger(index) && index >= 0 && index < this.length)) {
      throw new RangeError(`No datagram ${quote(index)}: the batch holds ${this.length}`);
    }
    let message = this.#at;
    while (this.#first[message]! > index) message--;
    while (this.#first[message + 1]! <= index) message++;
    return this.#at = message;
  }

  /** The offset of a datagram in its message, in bytes. */
  start(message: number, index: number): number {
    return (index - this.#first[message]!) * this.#segment[message]!;
  }

  /** The length in bytes of the datagram at offset `start` of a message of `length` bytes. */
  extent(message: number, length: number, start: number): number {
    return Math.min(this.#segment[message]!, length - start);
  }

  /** Whether a datagram is the last one of its message. */
  isLast(message: number, index: number): boolean {
    return index === this.#first[message + 1]! - 1;
  }
}
