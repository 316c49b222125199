import { quote } from "../validate/quote.ts";

/** Where each datagram of a batch lies: which message holds it, and at which of its segments. The kernel may coalesce
 * datagrams of one flow into one message (UDP_GRO of udp(7)); without that each message is one datagram. */
export class SegmentIndex {
  /** Datagrams held. */
  length = 0;
  readonly #capacity: number;
  /** For each message the index of its first datagram, and how long its datagrams are, the last perhaps shorter. */
  readonly #first: Uint32Array<ArrayBuffer>;
  readonly #segment: Uint32Array<ArrayBuffer>;
  /** Whether those two say that every message is one datagram. */
  #whole = false;
  /** The message looked at last: a walk through a batch in order finds the next datagram beside it. */
  #at = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#first = new Uint32Array(capacity + 1);
    this.#segment = new Uint32Array(capacity);
  }

  /** `count` messages of one datagram each. What the arrays then hold serves every later receive of that kind. */
  setWhole(count: number): void {
    if (!this.#whole) {
      for (let message = 0; message <= this.#capacity; message++) this.#first[message] = message;
      this.#segment.fill(0xffff_ffff);
      this.#whole = true;
    }
    this.length = count;
    this.#at = 0;
  }

  /** Begins to count coalesced messages anew. */
  begin(): void {
    this.#whole = false;
    this.length = 0;
    this.#at = 0;
  }

  /** The next message, of `length` bytes, holds datagrams of `segmentSize` bytes; 0 means that it is one datagram. */
  add(message: number, length: number, segmentSize: number): void {
    this.#first[message] = this.length;
    this.#segment[message] = segmentSize === 0 ? length : segmentSize;
    this.length += segmentSize === 0 || length === 0 ? 1 : Math.ceil(length / segmentSize);
    this.#first[message + 1] = this.length;
  }

  /** The message that holds a datagram.
   *
   * @throws {RangeError} for an index that holds none
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

  /** Where in its message a datagram begins, in bytes. */
  start(message: number, index: number): number {
    return (index - this.#first[message]!) * this.#segment[message]!;
  }

  /** How many of the `length` bytes of a message are a datagram's that begins at `start`. */
  extent(message: number, length: number, start: number): number {
    return Math.min(this.#segment[message]!, length - start);
  }

  /** Whether a datagram is the last of its message. */
  isLast(message: number, index: number): boolean {
    return index === this.#first[message + 1]! - 1;
  }
}
