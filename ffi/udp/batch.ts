import { BatchBuffer, LONGEST_MESSAGE } from "./batch_buffer.ts";
import type { Datagram } from "./datagram.ts";
import { copyOptions, optionsShape } from "../validate/options.ts";
import { inspectable } from "../validate/inspect.ts";
import { quote } from "../validate/quote.ts";

const DEFAULT_CAPACITY = 64;

interface BatchOptions {
  capacity?: number;
  maxLength?: number;
}

const OPTIONS = optionsShape<BatchOptions>("batches", "{ capacity, maxLength }", { capacity: "any", maxLength: "any" });

function requireCount(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(`Invalid ${name}: ${quote(value)}, expected ${least} to ${most}`);
}

let reveal: (batch: DatagramBatch) => BatchBuffer;

/** The memory of a batch, for receives into it. */
export function memoryOf(batch: DatagramBatch): BatchBuffer {
  return reveal(batch);
}

/** A reusable buffer for {@linkcode UdpSocket.receiveMany}. Its memory is allocated once, at the first receive. The
 * datagrams are views of it, valid until the next receive into the batch; they have packet information and timestamps if
 * the socket has them on.
 *
 * A receive allocates no object for a datagram. With the defaults, a batch takes 128 KiB for data and about 38 KiB for
 * headers; with `receiveOffload` it takes 4 MiB for data, since each message can contain several datagrams.
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
  readonly #buffer: BatchBuffer;

  /** Makes an empty batch.
   *
   * @param options `capacity`: the maximum number of messages in one receive, from 1 to 1,024, 64 by default;
   * `maxLength`: the maximum length of a datagram, from 0 to 65,535 bytes, by default 2,048, or 65,535 with
   * `receiveOffload`. Longer datagrams are truncated.
   * @throws {TypeError} for an unknown option
   * @throws {RangeError} for a number outside its range
   */
  constructor(options: { capacity?: number; maxLength?: number } = {}) {
    const { capacity = DEFAULT_CAPACITY, maxLength } = copyOptions<BatchOptions>(options, OPTIONS);
    this.#buffer = new BatchBuffer(
      requireCount("capacity", capacity, 1, 1024),
      maxLength === undefined ? undefined : requireCount("maxLength", maxLength, 0, LONGEST_MESSAGE),
    );
  }

  static {
    reveal = (batch) => batch.#buffer;
    inspectable(DatagramBatch.prototype, (batch) => ({ name: "DatagramBatch", members: { length: batch.length } }));
  }

  /** The number of datagrams in the batch; coalesced ones are counted singly. */
  get length(): number {
    return this.#buffer.length;
  }

  /** Returns the payload of a datagram, as a view of the batch's memory. If that memory is transferred, with `transfer()`
   * or to a Worker, the next receive allocates new memory.
   *
   * @param index from 0 to `length` - 1
   * @throws {RangeError} for an index outside the batch
   * @throws {TypeError} if the batch's memory was transferred since the last receive
   */
  data(index: number): Uint8Array<ArrayBuffer> {
    return this.#buffer.data(index);
  }

  /** Returns the address of the sender of a datagram.
   *
   * @param index from 0 to `length` - 1
   * @throws {RangeError} for an index outside the batch
   */
  addr(index: number): Deno.NetAddr {
    return this.#buffer.addr(index);
  }

  /** Returns whether a datagram was longer than `maxLength`.
   *
   * @param index from 0 to `length` - 1
   * @throws {RangeError} for an index outside the batch
   */
  truncated(index: number): boolean {
    return this.#buffer.truncated(index);
  }

  /** Iterates over the datagrams, with packet information and timestamps. */
  *[Symbol.iterator](): Iterator<Datagram> {
    for (let index = 0; index < this.length; index++) yield this.#buffer.datagram(index);
  }
}
