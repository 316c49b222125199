import { libc } from "../libc/libc.ts";
import { unwrap } from "../libc/socket_error.ts";
import { refusedBytes } from "../validate/bytes.ts";
import type { Descriptor } from "../io/descriptor.ts";
import { Endpoint } from "./endpoint.ts";
import type { WaitOptions } from "../validate/options.ts";
import { ReadingStream, SpareOperations, Turn, WritingStream } from "./stream_operations.ts";

/** Bytes that `readable` asks for at a time. */
const CHUNK = 65_536;

/** A connection that carries bytes: what {@linkcode TcpConn} and {@linkcode UnixConn} have in common.
 *
 * Reads resolve in the order they were asked for, and writes go out whole in theirs. They reject with
 * {@linkcode SocketError}s, with the signal's reason when aborted, with Deno.errors.TimedOut past a deadline, and with
 * Deno.errors.Interrupted when the connection is closed meanwhile.
 *
 * @example
 * ```ts
 * import { socketPair, type StreamConn } from "@berkeley/sockets";
 *
 * // The first bytes, as text.
 * async function hear(conn: StreamConn<Deno.Addr>): Promise<string> {
 *   const p = new Uint8Array(64);
 *   return new TextDecoder().decode(p.subarray(0, await conn.read(p) ?? 0));
 * }
 * const [one, two] = socketPair("stream");
 * await one.write(new TextEncoder().encode("hello"));
 * console.log(await hear(two)); // hello
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
    descriptor.closedMessage = "Bad resource ID: the connection has been closed";
  }

  /** This end's address: getsockname(2). */
  get localAddr(): A {
    return this.#localAddr;
  }

  /** The other end's address: getpeername(2). */
  get remoteAddr(): A {
    return this.#remoteAddr;
  }

  /** Reads what is there, at least a byte, into `p`, and resolves to how many bytes; null at the end: recvmsg(2).
   *
   * @throws {Deno.errors.ConnectionReset} when the peer reset the connection, which is never read as its end
   * @throws {TypeError} for a buffer that is detached or shared
   */
  read(p: Uint8Array, options?: WaitOptions): Promise<number | null> {
    const refusal = refusedBytes(p);
    if (refusal !== null) return Promise.reject(refusal);
    return this.#descriptor.reads.run(this.#read(p), options);
  }

  /** Writes all of `p`, waiting as often as the peer makes it, and resolves to its length: sendmsg(2). What cuts it
   * short says in `bytesWritten` how much went out.
   *
   * @throws {Deno.errors.BrokenPipe} when the peer no longer reads
   * @throws {TypeError} for a buffer that is detached or shared
   */
  write(p: Uint8Array, options?: WaitOptions): Promise<number> {
    const refusal = refusedBytes(p);
    if (refusal !== null) return Promise.reject(refusal);
    return this.#descriptor.writes.run(this.#write(p), options);
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

  /** Ends the reading side: reads that wait and come give null. shutdown(2) with SHUT_RD.
   *
   * @throws {Deno.errors.NotConnected} when the connection has ended already
   */
  closeRead(): Promise<void> {
    return Promise.try(() => this.#shutdown(libc().system.constants.SHUT_RD));
  }

  /** Ends the writing side: the peer reads the end. shutdown(2) with SHUT_WR.
   *
   * @throws {Deno.errors.NotConnected} when the connection has ended already
   */
  closeWrite(): Promise<void> {
    return Promise.try(() => this.#shutdown(libc().system.constants.SHUT_WR));
  }

  /** What arrives, as a byte stream that reads only as far as it is read, 64 KiB at a time unless the reader brings its
   * own memory. Cancelling it closes the connection. When it ends, the connection is closed behind the writes that are
   * under way, or, with `writable` in use, when that has ended too. */
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#readable ??= this.#openReadable();
  }

  /** What is written goes out, a chunk at a time. Closing it closes the connection, unless `readable` is in use and has
   * not ended: then the peer reads the end and the connection lives until `readable` has ended too. */
  get writable(): WritableStream<Uint8Array<ArrayBufferLike>> {
    return this.#writable ??= new WritableStream({
      write: (chunk, { signal }) => this.#push(chunk, signal),
      close: () => this.#endWritable(),
      abort: () => this[Symbol.dispose](),
    });
  }

  /** A read that waits when the stream is cancelled is taken back, or it would swallow what comes next. */
  #openReadable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    const cancelled = new AbortController();
    return new ReadableStream({
      type: "bytes",
      autoAllocateChunkSize: CHUNK,
      pull: (controller) => this.#pull(controller, cancelled.signal),
      cancel: () => {
        cancelled.abort();
        this[Symbol.dispose]();
      },
    });
  }

  async #pull(controller: ReadableByteStreamController, signal: AbortSignal): Promise<void> {
    const request = controller.byobRequest!;
    let length: number | null;
    try {
      length = await this.read(request.view as Uint8Array<ArrayBuffer>, { signal });
    } catch (error) {
      if (!signal.aborted) this[Symbol.dispose]();
      throw error;
    }
    if (length !== null) return request.respond(length);
    this.#endReadable();
    controller.close();
    request.respond(0);
  }

  /** The signal is that of an abort, which would otherwise wait for the peer to read. A stream that failed is told
   * nothing more, so its connection is closed here. */
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
    if (this.#writable === undefined) this.#closeBehindWrites();
    else if (this.#writableEnded) this[Symbol.dispose]();
  }

  #closeBehindWrites(): void {
    const close = () => this[Symbol.dispose]();
    this.#descriptor.writes.run(new Turn()).then(close, close);
  }

  #endWritable(): void {
    this.#writableEnded = true;
    if (this.#readable === undefined || this.#readableEnded) this[Symbol.dispose]();
    else if (!this.#descriptor.closed) this.#shutdown(libc().system.constants.SHUT_WR);
  }

  #shutdown(how: number): void {
    unwrap(libc().c.shutdown(this.#descriptor.fd, how), "shutdown");
  }
}
