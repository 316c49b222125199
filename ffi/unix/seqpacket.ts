import { type PeerCredentials, peerCredentials } from "./credentials.ts";
import { libc } from "../libc/libc.ts";
import { StreamListener } from "../socket/listener.ts";
import { SeqpacketReceiving, SeqpacketSending } from "./seqpacket_operations.ts";
import { decodeUnix, type UnixAddr } from "../address/address.ts";
import { refusedBytes } from "../validate/bytes.ts";
import type { Descriptor } from "../io/descriptor.ts";
import { Endpoint } from "../socket/endpoint.ts";
import type { WaitOptions } from "../validate/options.ts";
import { peerName, socketName } from "../address/sockname.ts";
import { unwrap } from "../libc/socket_error.ts";
import {
  type DescriptorPassing,
  enablePassCred,
  type OutgoingUnixMessage,
  readOutgoing,
  type ReceiveMessageOptions,
  ScmRights,
  type UnixMessage,
  type Wanted,
  wanted,
} from "./message.ts";

const NO_RIGHTS = new ScmRights();

let makeConn: (descriptor: Descriptor) => SeqpacketConn;
let makeListener: (descriptor: Descriptor) => SeqpacketListener;

/** The connection that a descriptor is. */
export function seqpacketConn(descriptor: Descriptor): SeqpacketConn {
  return makeConn(descriptor);
}

/** The listener that a descriptor is. */
export function seqpacketListener(descriptor: Descriptor): SeqpacketListener {
  return makeListener(descriptor);
}

function packetAddr(sockaddr: Uint8Array | null): UnixAddr {
  return decodeUnix("seqpacket", sockaddr ?? new Uint8Array(0), sockaddr?.length ?? 0);
}

/** SOCK_SEQPACKET over a Unix socket (Go's "unixpacket"): a connection that keeps message boundaries.
 * {@linkcode connect}, {@linkcode SeqpacketListener} and {@linkcode socketPair} make them.
 *
 * An empty message is empty data and not the end. The system gives both as nothing read; on Linux the module tells them
 * apart by the credentials that every real message carries (SO_PASSCRED is on for that). FreeBSD has no such sign:
 * there an empty message reads as the end, so send at least a byte. macOS has no such sockets.
 *
 * @example
 * ```ts
 * import { socketPair } from "@berkeley/sockets";
 *
 * const [one, two] = socketPair("seqpacket");
 * await one.send(new Uint8Array(0));
 * await one.send(Uint8Array.of(1, 2, 3));
 * one.close();
 * console.log(await two.receive(), await two.receive(), await two.receive()); // empty, three bytes, null
 * two.close();
 * ```
 */
export class SeqpacketConn extends Endpoint implements DescriptorPassing {
  readonly #descriptor: Descriptor;
  readonly #localAddr: UnixAddr;
  readonly #remoteAddr: UnixAddr;
  /** Whether SO_PASSCRED is off while it sends, so that it gets no abstract name. */
  readonly #suppressAutobind: boolean;

  private constructor(descriptor: Descriptor) {
    super(descriptor);
    this.#descriptor = descriptor;
    this.#localAddr = packetAddr(socketName(descriptor.fd));
    this.#remoteAddr = packetAddr(peerName(descriptor.fd));
    descriptor.closedMessage = "Bad resource ID: the connection has been closed";
    this.#suppressAutobind = enablePassCred(descriptor) && this.#localAddr.path === null;
  }

  static {
    makeConn = (descriptor) => new SeqpacketConn(descriptor);
  }

  /** "SeqpacketConn". */
  get kind(): "SeqpacketConn" {
    return "SeqpacketConn";
  }

  /** This end's address: getsockname(2). */
  get localAddr(): UnixAddr {
    return this.#localAddr;
  }

  /** The other end's address: getpeername(2). */
  get remoteAddr(): UnixAddr {
    return this.#remoteAddr;
  }

  /** Takes one whole message of whatever length, null at the end: recvmsg(2). Descriptors that came with it are closed.
   *
   * @throws {Deno.errors.ConnectionReset} when the peer went without reading all it was sent
   */
  async receive(options?: WaitOptions): Promise<Uint8Array<ArrayBuffer> | null> {
    const want: Wanted = { maxLength: Infinity, maxFds: 0, credentials: false };
    const message = await this.#descriptor.reads.run(new SeqpacketReceiving(this.#descriptor, want), options);
    return message === null ? null : message.data;
  }

  /** Sends one message whole and resolves to its length: sendmsg(2).
   *
   * @throws {SocketError} EMSGSIZE for a message that the socket's buffer (SO_SNDBUF) could never hold
   * @throws {Deno.errors.BrokenPipe} when the peer no longer reads
   */
  send(message: Uint8Array, options?: WaitOptions): Promise<number> {
    const refusal = refusedBytes(message);
    if (refusal !== null) return Promise.reject(refusal);
    return this.#descriptor.writes.run(
      new SeqpacketSending(this.#descriptor, message, NO_RIGHTS, this.#suppressAutobind),
      options,
    );
  }

  /** Credentials of the peer as they were when the connection was made: SO_PEERCRED, or getpeereid(3). */
  peerCredentials(): PeerCredentials {
    return peerCredentials(this.#descriptor);
  }

  /** Sends one message with descriptors: SCM_RIGHTS of sendmsg(2). The peer gets copies, ours stay open. Resolves to
   * the bytes of data.
   *
   * @throws {TypeError} for what is no descriptor, or data that is detached or shared
   * @throws {RangeError} for more than 253 descriptors
   * @throws {Deno.errors.BadResource} for a number that is not open
   */
  sendMessage(message: OutgoingUnixMessage, options?: WaitOptions): Promise<number> {
    return Promise.try(() => {
      const { data, rights } = readOutgoing(message);
      const sending = new SeqpacketSending(this.#descriptor, data, rights, this.#suppressAutobind);
      return this.#descriptor.writes.run(sending, options);
    });
  }

  /** Takes one message with its descriptors, null at the end. What exceeds `maxLength` is gone and the message is
   * `truncated`; without a `maxLength` it is taken whole. recvmsg(2).
   *
   * @throws {RangeError} for a `maxLength` below 0 or a `maxFds` beyond 0 to 253
   */
  receiveMessage(options: ReceiveMessageOptions = {}): Promise<UnixMessage | null> {
    return Promise.try(() => {
      const want = wanted(this.#descriptor, options, Infinity);
      return this.#descriptor.reads.run(new SeqpacketReceiving(this.#descriptor, want), { signal: want.signal });
    });
  }

  /** Ends the writing side: the peer reads the end. shutdown(2) with SHUT_WR.
   *
   * @throws {Deno.errors.NotConnected} when the connection has ended already
   */
  closeWrite(): Promise<void> {
    return Promise.try(() => {
      const { c, system: { constants } } = libc();
      unwrap(c.shutdown(this.#descriptor.fd, constants.SHUT_WR), "shutdown");
    });
  }
}

/** A listener for connections that keep message boundaries: SOCK_SEQPACKET. {@linkcode listen} makes one. Its file goes
 * when it is closed, unless somebody else has put another there or `unlinkOnClose` is off.
 *
 * @example
 * ```ts
 * import { connect, listen } from "@berkeley/sockets";
 *
 * const path = `/tmp/berkeley-${Deno.pid}.sock`;
 * using listener = listen({ transport: "seqpacket", path });
 * using client = await connect({ transport: "seqpacket", path });
 * using server = await listener.accept();
 * await server.send(new Uint8Array(0));
 * console.log((await client.receive())?.length); // 0
 * ```
 */
export class SeqpacketListener extends StreamListener<SeqpacketConn, UnixAddr> {
  private constructor(descriptor: Descriptor) {
    super(descriptor, packetAddr(socketName(descriptor.fd)), seqpacketConn);
    // A connection has it from the listener: what is sent before it is accepted counts too.
    enablePassCred(descriptor);
  }

  static {
    makeListener = (descriptor) => new SeqpacketListener(descriptor);
  }

  /** "SeqpacketListener". */
  get kind(): "SeqpacketListener" {
    return "SeqpacketListener";
  }
}
