import { credentialsOf, type PeerCredentials, type PeerCredentialsOptions } from "./credentials.ts";
import { StreamListener } from "../socket/listener.ts";
import { decodeUnix } from "../address/address.ts";
import { type Descriptor, requireDescriptor } from "../io/descriptor.ts";
import type { WaitOptions } from "../validate/options.ts";
import { peerName, socketName } from "../address/sockname.ts";
import { StreamConn } from "../socket/stream.ts";
import { type DescriptorPassing, type ReceiveMessageOptions, type UnixMessage, wanted } from "./message.ts";
import type { OutgoingUnixMessage } from "./outgoing_message.ts";
import { ReadingMessage, WritingMessage } from "./stream_message_operations.ts";

/** Decodes an address. The path of an unnamed socket is null, which Deno's type does not express. */
function streamAddr(sockaddr: Uint8Array | null): Deno.UnixAddr {
  return decodeUnix("unix", sockaddr ?? new Uint8Array(0), sockaddr?.length ?? 0) as Deno.UnixAddr;
}

let makeConn: (descriptor: Descriptor, localAddr?: Deno.UnixAddr, remoteAddr?: Deno.UnixAddr) => UnixConn;
let makeListener: (descriptor: Descriptor) => UnixListener;

/** Makes the connection of a descriptor. */
export function unixConn(descriptor: Descriptor): UnixConn {
  return makeConn(descriptor);
}

/** Makes the listener of a descriptor. */
export function unixListener(descriptor: Descriptor): UnixListener {
  return makeListener(descriptor);
}

/** A Unix stream connection, made by {@linkcode connect}, {@linkcode UnixListener.accept} or {@linkcode socketPair}. It has
 * the members of `Deno.UnixConn`, and descriptor passing, peer credentials, deadlines and signals. The path of an unnamed
 * end is null. See unix(7).
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

  private constructor(descriptor: Descriptor, localAddr?: Deno.UnixAddr, remoteAddr?: Deno.UnixAddr) {
    requireDescriptor(descriptor);
    const local = localAddr ?? streamAddr(socketName(descriptor.fd));
    super(descriptor, local, remoteAddr ?? streamAddr(peerName(descriptor.fd)));
    this.#descriptor = descriptor;
  }

  static {
    makeConn = (descriptor, localAddr, remoteAddr) => new UnixConn(descriptor, localAddr, remoteAddr);
  }

  /** Always "UnixConn". */
  get kind(): "UnixConn" {
    return "UnixConn";
  }

  /** Returns the credentials of the peer at the time of the connection: SO_PEERCRED on Linux; getpeereid(3) elsewhere,
   * and LOCAL_PEERPID on macOS.
   *
   * @param options `groups`, to ask for the supplementary groups, and `pidfd`, to ask for a descriptor of the process;
   * both need Linux, `pidfd` 6.5
   * @throws {TypeError} for an unknown option
   * @throws {Deno.errors.NotSupported} if the running system lacks SO_PEERGROUPS or SO_PEERPIDFD
   * @throws {SocketError} ESRCH if the process has ended, on kernels before 6.16
   */
  peerCredentials(options?: PeerCredentialsOptions): PeerCredentials {
    return credentialsOf(this.#descriptor, options);
  }

  /** Writes all of the data, with descriptors at its beginning: sendmsg(2) with SCM_RIGHTS. Resolves to the length of the
   * data in bytes. The peer gets duplicates of the descriptors; the originals stay open.
   *
   * @throws {TypeError} for descriptors without data, which a stream would drop, or a value without a descriptor
   * @throws {RangeError} for more than 253 descriptors
   * @throws {Deno.errors.BadResource} for a descriptor that is not open
   */
  sendMessage(message: OutgoingUnixMessage, options?: WaitOptions): Promise<number> {
    return Promise.try(() => {
      return this.#descriptor.writes.run(new WritingMessage(this.#descriptor, message), options);
    });
  }

  /** Reads at least one byte and the descriptors sent with it: recvmsg(2). Resolves to null at the end of the stream. A
   * receive stops behind bytes that were sent with descriptors, so that those of two messages are never mixed.
   *
   * @param options `maxLength`: the maximum number of bytes, 65,536 by default; `maxFds`: the maximum number of
   * descriptors, 16 by default; `credentials`; `signal`
   * @throws {RangeError} for a negative `maxLength`, or a `maxFds` outside 0 to 253
   */
  receiveMessage(options: ReceiveMessageOptions = {}): Promise<UnixMessage | null> {
    return Promise.try(() => {
      const want = wanted(this.#descriptor, options);
      return this.#descriptor.reads.run(new ReadingMessage(this.#descriptor, want), { signal: want.signal });
    });
  }
}

/** A Unix stream listener at a path or an abstract name, made by {@linkcode listen}. It has the members of
 * `Deno.UnixListener`, and deadlines and signals; any number of accepts can wait.
 *
 * Close removes the socket's path, unless another file has been created there or `unlinkOnClose` is false.
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
    requireDescriptor(descriptor);
    const addr = streamAddr(socketName(descriptor.fd));
    // What was accepted has the name of its listener, and accept(2) has reported the peer's.
    super(descriptor, addr, (accepted, { bytes, length }) => {
      return makeConn(accepted, { ...addr }, decodeUnix("unix", bytes, length[0]!) as Deno.UnixAddr);
    });
  }

  static {
    makeListener = (descriptor) => new UnixListener(descriptor);
  }

  /** Always "UnixListener". */
  get kind(): "UnixListener" {
    return "UnixListener";
  }

  /** Waits for a connection and resolves to it: accept4(2). Any number of accepts can wait; connections go to them in
   * order. A connection that fails before it is accepted is skipped.
   *
   * @throws {Deno.errors.BadResource} if the listener is closed, before the call or while it waits
   * @throws {SocketError} EMFILE or ENFILE if no descriptor is free; the connection stays in the queue and the listener
   * stays usable
   * @throws {Deno.errors.TimedOut} if the read deadline expires
   */
  override accept(options?: WaitOptions): Promise<UnixConn> {
    return super.accept(options);
  }
}
