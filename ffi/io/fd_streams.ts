import { libc } from "../libc/libc.ts";
import { lengthOf, requireBytes, viewOf } from "../validate/bytes.ts";
import { closeUnless, Descriptor, fcntl } from "./descriptor.ts";
import type { FdKind } from "./fd_kind.ts";
import { FdReading, type FdSource, FdWriting, PORTION } from "./fd_operations.ts";

type Side = "readable" | "writable";

/** O_ACCMODE, and the mode that lacks each side: the same on every supported system. */
const ACCESS_MODE = 3;
const LACKS: Readonly<Record<Side, number>> = { readable: 1, writable: 0 };

/** Streams that were collected without having come to their end: their side of the descriptor is over. */
const forgotten = new FinalizationRegistry<{ streams: FdStreams; side: Side }>(({ streams, side }) => {
  streams.end(side);
});

/** Throws for a descriptor that cannot be used as a stream in that direction. */
export function requireStreamable(fd: number, kind: FdKind, side: Side): void {
  if (kind === "socket") throw new TypeError(`Descriptor ${fd} is a socket: open() makes its object`);
  if (kind === "directory") throw new TypeError(`Descriptor ${fd} is a directory, which has no bytes`);
  const mode = fcntl(fd, libc().system.constants.F_GETFL, 0) & ACCESS_MODE;
  if (mode !== LACKS[side]) return;
  throw new TypeError(
    `Descriptor ${fd} is not ${side}: it is open for ${side === "readable" ? "writing" : "reading"} only`,
  );
}

/** Web streams over a descriptor that is no socket. It is closed when every stream that was made has ended. */
export class FdStreams {
  readonly #source: FdSource;
  /** Whether every portion is followed by a turn of the event loop: a file is always ready. */
  readonly #yields: boolean;
  readonly #open = new Set<Side>();

  /** Owns the descriptor from now on. */
  constructor(fd: number, kind: FdKind) {
    this.#source = takeOver(fd, kind);
    this.#yields = kind === "file" || kind === "block device";
  }

  /** The bytes that can be read, as a byte stream. */
  readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    const stopped = this.#begin("readable");
    const stream: ReadableStream<Uint8Array<ArrayBuffer>> = new ReadableStream({
      type: "bytes",
      autoAllocateChunkSize: PORTION,
      pull: (controller) => this.#pull(controller, stopped.signal),
      cancel: () => {
        stopped.abort();
        this.end("readable");
      },
    });
    forgotten.register(stream, { streams: this, side: "readable" });
    return stream;
  }

  /** Where bytes can be written. */
  writable(): WritableStream<Uint8Array<ArrayBufferLike>> {
    this.#begin("writable");
    const stream = new WritableStream<Uint8Array<ArrayBufferLike>>({
      write: (chunk, { signal }) => this.#push(chunk, signal),
      close: () => this.end("writable"),
      abort: () => this.end("writable"),
    });
    forgotten.register(stream, { streams: this, side: "writable" });
    return stream;
  }

  #begin(side: Side): AbortController {
    requireStreamable(this.#source.descriptor.fd, "other", side);
    this.#open.add(side);
    return new AbortController();
  }

  /** One side is over. */
  end(side: Side): void {
    if (this.#open.delete(side) && this.#open.size === 0) this.#source.descriptor.close();
  }

  async #pull(controller: ReadableByteStreamController, signal: AbortSignal): Promise<void> {
    const request = controller.byobRequest!;
    const { descriptor } = this.#source;
    let length: number;
    try {
      const reading = new FdReading(this.#source, request.view as Uint8Array<ArrayBuffer>);
      length = await descriptor.reads.run(reading, { signal });
      if (this.#yields) await nextTurn();
    } catch (error) {
      this.end("readable");
      throw error;
    }
    if (signal.aborted) return;
    if (length === 0) {
      this.end("readable");
      controller.close();
    }
    request.respond(length);
  }

  async #push(chunk: Uint8Array<ArrayBufferLike>, signal: AbortSignal): Promise<void> {
    try {
      requireBytes(chunk);
      for (let written = 0; written < lengthOf(chunk);) {
        const rest = viewOf(chunk, written, lengthOf(chunk));
        written += await this.#source.descriptor.writes.run(new FdWriting(this.#source, rest), { signal });
        if (this.#yields) await nextTurn();
      }
    } catch (error) {
      this.end("writable");
      throw error;
    }
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Takes a descriptor over for reading and writing without blocking.
 *
 * O_NONBLOCK belongs to the open file description, which whoever passed the descriptor still shares: setting it would
 * change their reads and writes. A pipe is opened once more instead, through /proc, with a description of its own and
 * the access that the descriptor had. Where that is impossible, and for devices, poll(2) is asked before each call,
 * which then blocks only if another reader took what poll(2) saw. */
function takeOver(fd: number, kind: FdKind): FdSource {
  const { F_GETFL, O_NONBLOCK } = libc().system.constants;
  const descriptor = new Descriptor(fd, "The descriptor has been closed");
  return closeUnless(descriptor, () => {
    const flags = fcntl(fd, F_GETFL, 0);
    if ((flags & O_NONBLOCK) !== 0 || kind === "file" || kind === "block device") {
      return { descriptor, nonblocking: true };
    }
    const own = kind === "pipe" ? reopen(fd, flags & ACCESS_MODE) : -1;
    if (own === -1) return { descriptor, nonblocking: false };
    descriptor.close();
    return { descriptor: new Descriptor(own, "The descriptor has been closed"), nonblocking: true };
  });
}

/** Opens what a descriptor leads to once more: -1 where there is no /proc, no permission, or no reader of the pipe. */
function reopen(fd: number, access: number): number {
  const { c, system: { constants } } = libc();
  const path = new TextEncoder().encode(`/proc/self/fd/${fd}\0`);
  return c.open(path, access | constants.O_NONBLOCK | constants.O_CLOEXEC);
}
