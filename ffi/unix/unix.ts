import { type PeerCredentials, peerCredentials } from "./credentials.ts";
import { StreamListener } from "../socket/listener.ts";
import { decodeUnix } from "../address/address.ts";
import type { Descriptor } from "../io/descriptor.ts";
import type { WaitOptions } from "../validate/options.ts";
import { peerName, socketName } from "../address/sockname.ts";
import { StreamConn } from "../socket/stream.ts";
import {
  type DescriptorPassing,
  type OutgoingUnixMessage,
  type ReceiveMessageOptions,
  type UnixMessage,
  wanted,
} from "./message.ts";
import { ReadingMessage, WritingMessage } from "./stream_message_operations.ts";

/** Deno's type has no word for a socket without a name, whose path is null all the same. */
function streamAddr(sockaddr: Uint8Array | null): Deno.UnixAddr {
  return decodeUnix("unix", sockaddr ?? new Uint8Array(0), sockaddr?.length ?? 0) as Deno.UnixAddr;
}

let makeConn: (descriptor: Descriptor) => UnixConn;
let makeListener: (descriptor: Descriptor) => UnixListener;

/** The connection that a descriptor is. */
export function unixConn(descriptor: Descriptor): UnixConn {
  return makeConn(descriptor);
}

/** The listener that a descriptor is. */
export function unixListener(descriptor: Descriptor): UnixListener {
  return makeListener(descriptor);
}

/** A connection over a Unix stream socket: `Deno.UnixConn` that passes descriptors and knows who is at the other end.
 * {@linkcode connect}, {@linkcode UnixListener} and {@linkcode socketPair} make them. The path of an unnamed end is
 * null.
 *
 * @example
 * ```ts
 * import { socketPair } from "@berkeley/sockets";
 *
 * const [one, two] = socketPair("stream");
 * await one.write(new TextEncoder().encode("hello"));
 * console.log(await two.read(new Uint8Array(64))); // 5
 * console.log(two.peerCredentials().pid === Deno.pid); // true
 * one.close();
 * two.close();
 * ```
 */
export class UnixConn extends StreamConn<Deno.UnixAddr> implements Deno.UnixConn, DescriptorPassing {
  readonly #descriptor: Descriptor;

  private constructor(descriptor: Descriptor) {
    super(descriptor, streamAddr(socketName(descriptor.fd)), streamAddr(peerName(descriptor.fd)));
    this.#descriptor = descriptor;
  }

  static {
    makeConn = (descriptor) => new UnixConn(descriptor);
  }

  /** "UnixConn". */
  get kind(): "UnixConn" {
    return "UnixConn";
  }

  /** Credentials of the peer as they were when the connection was made: SO_PEERCRED on Linux; getpeereid(3) elsewhere,
   * and LOCAL_PEERPID on macOS. */
  peerCredentials(): PeerCredentials {
    return peerCredentials(this.#descriptor);
  }

  /** Sends bytes, and descriptors with the first of them: SCM_RIGHTS of sendmsg(2). The peer gets copies, ours stay
   * open.
   *
   * @throws {TypeError} for descriptors without data, which a stream would drop, and for what is no descriptor
   * @throws {RangeError} for more than 253 descriptors
   * @throws {Deno.errors.BadResource} for a number that is not open
   */
  sendMessage(message: OutgoingUnixMessage, options?: WaitOptions): Promise<number> {
    return Promise.try(() => {
      return this.#descriptor.writes.run(new WritingMessage(this.#descriptor, message), options);
    });
  }

  /** Takes what is there with the descriptors that came with it; null at the end. recvmsg(2) stops behind the bytes
   * that carried descriptors, so that two lots of them are never mixed.
   *
   * @throws {RangeError} for a `maxLength` below 0 or a `maxFds` beyond 0 to 253
   */
  receiveMessage(options: ReceiveMessageOptions = {}): Promise<UnixMessage | null> {
    return Promise.try(() => {
      const want = wanted(this.#descriptor, options);
      return this.#descriptor.reads.run(new ReadingMessage(this.#descriptor, want), { signal: want.signal });
    });
  }
}

/** A listener at a path or an abstract name: `Deno.UnixListener` on which any number of accepts may wait.
 * {@linkcode listen} makes one. Its file goes when it is closed, unless somebody else has put another there or
 * `unlinkOnClose` is off.
 *
 * @example
 * ```ts
 * import { connect, listen } from "@berkeley/sockets";
 *
 * const path = `/tmp/berkeley-${Deno.pid}.sock`;
 * using listener = listen({ transport: "unix", path });
 * using client = await connect({ transport: "unix", path });
 * using server = await listener.accept();
 * console.log(server.peerCredentials().pid === Deno.pid, client.remoteAddr.path === path); // true true
 * ```
 */
export class UnixListener extends StreamListener<UnixConn, Deno.UnixAddr> implements Deno.UnixListener {
  private constructor(descriptor: Descriptor) {
    super(descriptor, streamAddr(socketName(descriptor.fd)), unixConn);
  }

  static {
    makeListener = (descriptor) => new UnixListener(descriptor);
  }

  /** "UnixListener". */
  get kind(): "UnixListener" {
    return "UnixListener";
  }

  /** Waits for a connection, as {@linkcode StreamListener.accept} says. */
  override accept(options?: WaitOptions): Promise<UnixConn> {
    return super.accept(options);
  }
}
