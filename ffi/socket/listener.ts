import { Accepting, PeerName } from "../io/accept.ts";
import type { Descriptor } from "../io/descriptor.ts";
import { Endpoint, UntilClosed } from "./endpoint.ts";
import type { WaitOptions } from "../validate/options.ts";

/** The base class of {@linkcode TcpListener}, {@linkcode UnixListener} and {@linkcode SeqpacketListener}: a listening
 * socket that accepts connections.
 *
 * @example
 * ```ts
 * import { connect, listen } from "@berkeley/sockets";
 *
 * using listener = listen({ hostname: "127.0.0.1", port: 0 });
 * const serving = (async () => {
 *   for await (const conn of listener) conn.close();
 * })();
 * const conn = await connect({ port: listener.addr.port });
 * console.log(await conn.read(new Uint8Array(8))); // null
 * conn.close();
 * listener.close();
 * await serving;
 * ```
 */
export abstract class StreamListener<C, A> extends Endpoint implements AsyncIterable<C> {
  readonly #descriptor: Descriptor;
  readonly #addr: A;
  readonly #peer = new PeerName();
  readonly #wrap: (descriptor: Descriptor, peer: PeerName) => C;

  /** @ignore */
  protected constructor(descriptor: Descriptor, addr: A, wrap: (descriptor: Descriptor, peer: PeerName) => C) {
    super(descriptor);
    this.#descriptor = descriptor;
    this.#addr = addr;
    this.#wrap = wrap;
    descriptor.closedMessage = "Listener has been closed";
  }

  /** The local address: getsockname(2). */
  get addr(): A {
    return this.#addr;
  }

  /** Waits for a connection and resolves to it: accept4(2). Any number of accepts can wait; connections go to them in
   * order. A connection that fails before it is accepted is skipped.
   *
   * @throws {Deno.errors.BadResource} if the listener is closed, before the call or while it waits
   * @throws {SocketError} EMFILE or ENFILE if no descriptor is free; the connection stays in the queue and the listener
   * stays usable
   * @throws {Deno.errors.TimedOut} if the read deadline expires
   */
  accept(options?: WaitOptions): Promise<C> {
    return this.#descriptor.reads.run(new Accepting(this.#descriptor, this.#peer, this.#wrap), options);
  }

  /** Iterates over accepted connections until the listener is closed. Leaving the loop closes the listener, as with
   * `Deno.listen`. */
  [Symbol.asyncIterator](): AsyncIterableIterator<C> {
    return new UntilClosed(() => this.accept(), () => this[Symbol.dispose]());
  }
}
