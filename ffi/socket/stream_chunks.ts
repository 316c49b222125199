import { libc } from "../libc/libc.ts";
import type { Descriptor } from "../io/descriptor.ts";
import { AGAIN, type Again, Operation } from "../io/operation.ts";
import { ReadingStream, SpareOperations } from "./stream_operations.ts";

/** Bytes of the largest chunk. Larger ones fall out of the processor's cache before they are read. */
const CHUNK = 256 * 1024;

/** A chunk of fewer bytes is copied out, so that the memory can be used for the next one. */
const COPIED = 64 * 1024;

const PAGE = 4096;

/** Where chunks are received before it is known how long they are. One for all connections of a thread, so that a
 * connection that waits holds no memory for it.
 *
 * Its bytes begin on a page: large arrays begin 16 bytes into one, and there the kernel copied at half the speed. */
class ChunkMemory {
  #bytes: Uint8Array<ArrayBuffer> | null = null;

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes ??= allocate();
  }

  /** The first bytes, as a chunk of whoever asks. */
  take(length: number): Uint8Array<ArrayBuffer> {
    const { bytes } = this;
    if (length < COPIED) return bytes.slice(0, length);
    this.#bytes = null;
    return bytes.subarray(0, length);
  }
}

function allocate(): Uint8Array<ArrayBuffer> {
  const buffer = new ArrayBuffer(CHUNK + PAGE);
  const address = Number(libc().addressOf(new Uint8Array(buffer)) % BigInt(PAGE));
  return new Uint8Array(buffer, (PAGE - address) % PAGE, CHUNK);
}

let memory: ChunkMemory | undefined;

/** Reads the available bytes of a stream as a chunk of their own; null at the end. */
export class ReadingChunk extends Operation<Uint8Array<ArrayBuffer> | null> {
  readonly syscall = "recvmsg";
  readonly #reading: ReadingStream;

  constructor(descriptor: Descriptor, passesDescriptors: boolean) {
    super();
    this.#reading = new ReadingStream(descriptor, passesDescriptors, new SpareOperations());
  }

  override attempt(): Uint8Array<ArrayBuffer> | null | Again {
    memory ??= new ChunkMemory();
    try {
      const length = this.#reading.into(memory.bytes).attempt();
      return length === null || length === AGAIN ? length : memory.take(length);
    } finally {
      // What was taken is no longer held here.
      this.#reading.settled();
    }
  }
}
