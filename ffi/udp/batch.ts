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

/** The memory that receives into a batch write to. */
export function memoryOf(batch: DatagramBatch): BatchBuffer {
  return reveal(batch);
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
  readonly #buffer: BatchBuffer;

  /** `capacity` messages a call, 64 by default, 1,024 at most; of at most `maxLength` bytes, 2,048 by default and
   * 65,535 with `receiveOffload`. What is longer is cut, and says so.
   *
   * @throws {TypeError} for an unknown option
   * @throws {RangeError} for numbers beyond that
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

  /** Datagrams held, after segments that the kernel coalesced have been told apart. */
  get length(): number {
    return this.#buffer.length;
  }

  /** The bytes of a datagram, as a view of the batch's memory. Whoever transfers that memory away, by `transfer()` or
   * to a Worker, owns it from then on: the next receive makes the batch other memory.
   *
   * @throws {RangeError} for an index that holds none
   * @throws {TypeError} when the batch's memory was transferred away since the last receive
   */
  data(index: number): Uint8Array<ArrayBuffer> {
    return this.#buffer.data(index);
  }

  /** Who sent a datagram.
   *
   * @throws {RangeError} for an index that holds none
   */
  addr(index: number): Deno.NetAddr {
    return this.#buffer.addr(index);
  }

  /** Whether a datagram was longer than `maxLength`.
   *
   * @throws {RangeError} for an index that holds none
   */
  truncated(index: number): boolean {
    return this.#buffer.truncated(index);
  }

  /** Every datagram with all that is known of it. */
  *[Symbol.iterator](): Iterator<Datagram> {
    for (let index = 0; index < this.length; index++) yield this.#buffer.datagram(index);
  }
}
