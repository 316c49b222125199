import { refusedBytes } from "../validate/bytes.ts";
import type { Descriptor } from "../io/descriptor.ts";
import { Endpoint } from "./endpoint.ts";
import type { WaitOptions } from "../validate/options.ts";
import { partsOf } from "../io/gather.ts";
import type { OwnedFd } from "../io/owned_fd.ts";
import { behindWrites, shutDown } from "../io/shutdown.ts";
import { readSendFileOptions, type SendFileOptions, SendingFile } from "./send_file.ts";
import { PeekingStream, WritingParts } from "./stream_parts.ts";
import { ReadingChunk } from "./stream_chunks.ts";
import { ReadingStream, SpareOperations, WritingStream } from "./stream_operations.ts";

/** The base class of {@linkcode TcpConn} and {@linkcode UnixConn}: a connection that carries a stream of bytes.
 *
 * Any number of reads and writes can wait; each direction is served in call order, and writes are complete. They reject
 * with a {@linkcode SocketError}, with the signal's reason when aborted, with Deno.errors.TimedOut when a deadline
 * expires, and with Deno.errors.Interrupted when the connection is closed meanwhile. No method blocks the event loop.
 *
 * @example
 * ```ts
 * import { socketPair, type StreamConn } from "@berkeley/sockets";
 *
 * // Reads the next bytes as text.
 * async function readText(conn: StreamConn<Deno.Addr>): Promise<string> {
 *   const p = new Uint8Array(64);
 *   return new TextDecoder().decode(p.subarray(0, await conn.read(p) ?? 0));
 * }
 * const [one, two] = socketPair("stream");
 * await one.write(new TextEncoder().encode("hello"));
 * console.log(await readText(two)); // hello
 * one.close();
 * two.close();
 * ```
 */
export abstract class StreamConn<A extends Deno.Addr> extends Endpoint implements Deno.Conn<A> {
  readonly #descriptor: Descriptor;
  readonly #localAddr: A;
  readonly #remoteAddr: A;
  #readable: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  #writable: WritableStream<Uint8Array<ArrayBufferLike>> | undefined;
  #readableEnded = false;
  #writableEnded = false;
  readonly #spare = new SpareOperations();
  /** What comes may carry descriptors. */
  readonly #passesDescriptors: boolean;

  /** @ignore */
  protected constructor(descriptor: Descriptor, localAddr: A, remoteAddr: A) {
    super(descriptor);
    this.#descriptor = descriptor;
    this.#localAddr = localAddr;
    this.#remoteAddr = remoteAddr;
    this.#passesDescriptors = localAddr.transport !== "tcp";
    descriptor.mayLinger = localAddr.transport === "tcp";
    descriptor.closedMessage = "Bad resource ID: the connection has been closed";
  }

  /** The local address: getsockname(2). */
  get localAddr(): A {
    return this.#localAddr;
  }

  /** The address of the peer: getpeername(2). */
  get remoteAddr(): A {
    return this.#remoteAddr;
  }

  /** Reads at least one byte into `p`: recvmsg(2). Resolves to the number of bytes read, or to null at the end of the
   * stream.
   *
   * @throws {Deno.errors.ConnectionReset} if the peer reset the connection; this is never read as the end
   * @throws {TypeError} for a buffer that is detached or shared
   */
  read(p: Uint8Array, options?: WaitOptions): Promise<number | null> {
    const refusal = refusedBytes(p);
    if (refusal !== null) return Promise.reject(refusal);
    return this.#descriptor.reads.run(this.#read(p), options);
  }

  /** Copies the next bytes, at least one, into `p` without taking them: recvmsg(2) with MSG_PEEK. Resolves to their number,
   * or to null at the end of the stream. It waits for its turn among the reads; a read after it starts with the same
   * bytes.
   *
   * @throws {Deno.errors.ConnectionReset} if the peer reset the connection; this is never read as the end
   * @throws {TypeError} for a buffer that is detached or shared
   */
  peek(p: Uint8Array, options?: WaitOptions): Promise<number | null> {
    const refusal = refusedBytes(p);
    if (refusal !== null) return Promise.reject(refusal);
    return this.#descriptor.reads.run(new PeekingStream(this.#descriptor, p), options);
  }

  /** Writes all of `p`: sendmsg(2), as often as needed. Resolves to its length. An error has the number of bytes that
   * were sent before it in `bytesWritten`; an aborted write rejects with the signal's reason, and
   * {@linkcode StreamConn.bytesWritten} tells how much was sent.
   *
   * @param p the bytes; several buffers are written one after the other, without copying them, up to 1,024 by one system
   * call
   * @throws {Deno.errors.BrokenPipe} if the peer has closed the connection
   * @throws {TypeError} for a buffer that is detached or shared
   */
  write(p: Uint8Array | readonly Uint8Array[], options?: WaitOptions): Promise<number> {
    if (Array.isArray(p)) return this.#writeParts(p, options);
    const refusal = refusedBytes(p);
    if (refusal !== null) return Promise.reject(refusal);
    return this.#descriptor.writes.run(this.#write(p as Uint8Array), options);
  }

  /** Sends the bytes of a file after all writes before: sendfile(2). They do not pass through JavaScript; where the system
   * cannot do that, they are copied. Resolves to the number of bytes sent, which is less than `length` if the file ends
   * before. An error has the number of bytes that were sent before it in `bytesWritten`.
   *
   * Reading the file blocks the event loop for as long as its disk takes. It is read in portions of at most 256 KiB, and
   * after each MiB other work gets a turn.
   *
   * @param file a path, or the descriptor of a regular file, which must stay open until the promise has settled
   * @param options `offset`, in bytes, where to begin: by default at the beginning of a path's file, and at the current
   * position of a descriptor's, which then advances; `length`, the most bytes to send, by default all to the end
   * @throws {TypeError} for what is not a regular file, such as a pipe or a directory
   * @throws {RangeError} for an `offset` or a `length` below 0
   * @throws {Deno.errors.NotFound} if the path does not exist
   * @throws {Deno.errors.NotCapable} without `--allow-read` for the path
   * @throws {Deno.errors.BrokenPipe} if the peer has closed the connection
   */
  sendFile(file: string | number | OwnedFd, options?: SendFileOptions): Promise<number> {
    return Promise.try(() => {
      const asked = readSendFileOptions(options);
      const refusal = this.#descriptor.refusal();
      if (refusal !== null) throw refusal;
      return this.#descriptor.writes.run(new SendingFile(this.#descriptor, file, asked), { signal: asked.signal });
    });
  }

  /** Bytes taken from the kernel since this object was made. */
  get bytesRead(): number {
    return this.#descriptor.bytesRead;
  }

  /** Bytes handed to the kernel since this object was made. */
  get bytesWritten(): number {
    return this.#descriptor.bytesWritten;
  }

  #writeParts(p: readonly Uint8Array[], options: WaitOptions | undefined): Promise<number> {
    try {
      return this.#descriptor.writes.run(new WritingParts(this.#descriptor, partsOf(p)), options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #read(p: Uint8Array): ReadingStream {
    const reading = this.#spare.read ?? new ReadingStream(this.#descriptor, this.#passesDescriptors, this.#spare);
    this.#spare.read = null;
    return reading.into(p);
  }

  #write(p: Uint8Array): WritingStream {
    const writing = this.#spare.write ?? new WritingStream(this.#descriptor, this.#spare);
    this.#spare.write = null;
    return writing.from(p);
  }

  /** Shuts down the read side: shutdown(2) with SHUT_RD. Waiting and later reads resolve to null.
   *
   * @throws {SocketError} what ended the connection, if it has failed
   */
  closeRead(): Promise<void> {
    return Promise.try(() => {
      shutDown(this.#descriptor, "read");
      this.#descriptor.readClosed = true;
    });
  }

  /** Shuts down the write side: shutdown(2) with SHUT_WR. The peer reads the end of the stream. Writes that wait go out
   * whole before.
   *
   * @throws {SocketError} what ended the connection, if it has failed
   */
  closeWrite(): Promise<void> {
    return behindWrites(this.#descriptor, () => shutDown(this.#descriptor, "write"));
  }

  /** The received bytes as a byte stream. It reads on demand, in chunks of up to 256 KiB or into the reader's own buffer.
   *
   * Cancelling it closes the connection. At the end of the stream the connection is closed after all pending writes; if
   * `writable` is in use, when that is closed too. */
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#readable ??= this.#openReadable();
  }

  /** A stream whose chunks are written to the connection in order. Closing it closes the connection; if `readable` is in
   * use and has not ended, it shuts down the write side only, and the connection is closed when `readable` ends. */
  get writable(): WritableStream<Uint8Array<ArrayBufferLike>> {
    return this.#writable ??= new WritableStream({
      write: (chunk, { signal }) => this.#push(chunk, signal),
      close: () => this.#endWritable(),
      abort: () => this[Symbol.dispose](),
    });
  }

  /** Cancelling the stream aborts its waiting read. */
  #openReadable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    const cancelled = new AbortController();
    return new ReadableStream({
      type: "bytes",
      pull: (controller) => this.#pull(controller, cancelled.signal),
      cancel: () => {
        cancelled.abort();
        this[Symbol.dispose]();
      },
    });
  }

  async #pull(controller: ReadableByteStreamController, signal: AbortSignal): Promise<void> {
    const request = controller.byobRequest;
    let read: Uint8Array<ArrayBuffer> | number | null;
    try {
      read = request === null
        ? await this.#descriptor.reads.run(new ReadingChunk(this.#descriptor, this.#passesDescriptors), { signal })
        : await this.read(request.view as Uint8Array<ArrayBuffer>, { signal });
    } catch (error) {
      if (!signal.aborted) this[Symbol.dispose]();
      throw error;
    }
    if (typeof read === "number") return request!.respond(read);
    if (read !== null) return controller.enqueue(read);
    this.#endReadable();
    controller.close();
    request?.respond(0);
  }

  /** Writes a chunk. The stream's own signal aborts it when the stream is aborted. After an error the stream calls neither
   * close nor abort, so the connection is closed here. */
  async #push(chunk: Uint8Array<ArrayBufferLike>, signal: AbortSignal): Promise<void> {
    try {
      await this.write(chunk, { signal });
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  #endReadable(): void {
    this.#readableEnded = true;
    if (this.#writable === undefined || this.#writableEnded) {
      behindWrites(this.#descriptor, () => this[Symbol.dispose]());
    }
  }

  #endWritable(): Promise<void> {
    this.#writableEnded = true;
    return behindWrites(this.#descriptor, () => {
      if (this.#readable === undefined || this.#readableEnded) this[Symbol.dispose]();
      else if (!this.#descriptor.closed) this.#shutdownOrClose();
    });
  }

  /** Shuts down the write side. A connection that has failed is closed: the stream calls neither close nor abort
   * again. */
  #shutdownOrClose(): void {
    try {
      shutDown(this.#descriptor, "write");
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }
}
