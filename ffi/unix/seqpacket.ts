import { credentialsOf, type PeerCredentials, type PeerCredentialsOptions } from "./credentials.ts";
import { libc } from "../libc/libc.ts";
import { StreamListener } from "../socket/listener.ts";
import { SeqpacketReceiving, SeqpacketSending } from "./seqpacket_operations.ts";
import { decodeUnix, type UnixAddr } from "../address/address.ts";
import { refusedBytes } from "../validate/bytes.ts";
import { type Descriptor, requireDescriptor } from "../io/descriptor.ts";
import { Endpoint } from "../socket/endpoint.ts";
import type { WaitOptions } from "../validate/options.ts";
import { peerName, socketName } from "../address/sockname.ts";
import { behindWrites, shutDown } from "../io/shutdown.ts";
import {
  type DescriptorPassing,
  enablePassCred,
  type ReceiveMessageOptions,
  type UnixMessage,
  type Wanted,
  wanted,
} from "./message.ts";
import { type OutgoingUnixMessage, readOutgoing, ScmRights } from "./outgoing_message.ts";

const NO_RIGHTS = new ScmRights();

let makeConn: (descriptor: Descriptor) => SeqpacketConn;
let makeListener: (descriptor: Descriptor) => SeqpacketListener;

/** Makes the connection of a descriptor. */
export function seqpacketConn(descriptor: Descriptor): SeqpacketConn {
  return makeConn(descriptor);
}

/** Makes the listener of a descriptor. */
export function seqpacketListener(descriptor: Descriptor): SeqpacketListener {
  return makeListener(descriptor);
}

/** Throws on a system whose Unix sockets have no such type, before anything is opened. */
export function requireSeqpacket(): void {
  const { name, seqpacketSockets } = libc().system;
  if (!seqpacketSockets) throw new Deno.errors.NotSupported(`${name} has no Unix sockets of type SOCK_SEQPACKET`);
}

function packetAddr(sockaddr: Uint8Array | null): UnixAddr {
  return decodeUnix("seqpacket", sockaddr ?? new Uint8Array(0), sockaddr?.length ?? 0);
}

/** A Unix connection that keeps message boundaries (SOCK_SEQPACKET, Go's "unixpacket"), made by {@linkcode connect},
 * {@linkcode SeqpacketListener.accept} or {@linkcode socketPair}. Any number of receives and sends can wait; each
 * direction is served in call order. No method blocks the event loop.
 *
 * An empty message is received as empty data, and the end as null. recvmsg(2) returns 0 for both; on Linux the module
 * distinguishes them by the credentials of real messages, for which it sets SO_PASSCRED. On FreeBSD an empty message
 * reads as the end, so send at least one byte. macOS has no such sockets.
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
  /** Whether SO_PASSCRED must be off during sends, so that the system does not bind the socket to an abstract name. */
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

  /** Always "SeqpacketConn". */
  get kind(): "SeqpacketConn" {
    return "SeqpacketConn";
  }

  /** The local address: getsockname(2). */
  get localAddr(): UnixAddr {
    return this.#localAddr;
  }

  /** The address of the peer: getpeername(2). */
  get remoteAddr(): UnixAddr {
    return this.#remoteAddr;
  }

  /** Receives one complete message of any length: recvmsg(2). Resolves to null at the end. Descriptors of the message are
   * closed.
   *
   * @throws {Deno.errors.ConnectionReset} if the peer closed the connection without receiving all messages
   */
  async receive(options?: WaitOptions): Promise<Uint8Array<ArrayBuffer> | null> {
    const want: Wanted = { maxLength: Infinity, maxFds: 0, credentials: false };
    const message = await this.#descriptor.reads.run(new SeqpacketReceiving(this.#descriptor, want), options);
    return message === null ? null : message.data;
  }

  /** Sends one message and resolves to its length in bytes: sendmsg(2).
   *
   * @throws {SocketError} EMSGSIZE for a message longer than the send buffer (SO_SNDBUF)
   * @throws {Deno.errors.BrokenPipe} if the peer has closed the connection
   * @throws {TypeError} for a buffer that is detached or shared
   */
  send(message: Uint8Array, options?: WaitOptions): Promise<number> {
    const refusal = refusedBytes(message);
    if (refusal !== null) return Promise.reject(refusal);
    return this.#descriptor.writes.run(
      new SeqpacketSending(this.#descriptor, message, NO_RIGHTS, this.#suppressAutobind),
      options,
    );
  }

  /** Returns the credentials of the peer at the time of the connection: SO_PEERCRED on Linux, getpeereid(3) elsewhere.
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

  /** Sends one message with descriptors: sendmsg(2) with SCM_RIGHTS. Resolves to the length of the data in bytes. The peer
   * gets duplicates of the descriptors; the originals stay open.
   *
   * @throws {TypeError} for a value without a descriptor, or data that is detached or shared
   * @throws {RangeError} for more than 253 descriptors
   * @throws {Deno.errors.BadResource} for a descriptor that is not open
   */
  sendMessage(message: OutgoingUnixMessage, options?: WaitOptions): Promise<number> {
    return Promise.try(() => {
      const { data, rights } = readOutgoing(message);
      const sending = new SeqpacketSending(this.#descriptor, data, rights, this.#suppressAutobind);
      return this.#descriptor.writes.run(sending, options);
    });
  }

  /** Receives one message with its descriptors: recvmsg(2). Resolves to null at the end.
   *
   * @param options `maxLength`: the length in bytes to which longer messages are truncated, unlimited by default;
   * `maxFds`: the maximum number of descriptors, 16 by default; `credentials`; `signal`
   * @throws {RangeError} for a negative `maxLength`, or a `maxFds` outside 0 to 253
   */
  receiveMessage(options: ReceiveMessageOptions = {}): Promise<UnixMessage | null> {
    return Promise.try(() => {
      const want = wanted(this.#descriptor, options, Infinity);
      return this.#descriptor.reads.run(new SeqpacketReceiving(this.#descriptor, want), { signal: want.signal });
    });
  }

  /** Shuts down the write side behind the sends that wait: shutdown(2) with SHUT_WR. The peer receives the end.
   *
   * @throws {SocketError} what ended the connection, if it has failed
   */
  closeWrite(): Promise<void> {
    return behindWrites(this.#descriptor, () => shutDown(this.#descriptor, "write"));
  }
}

/** A listener for Unix connections that keep message boundaries (SOCK_SEQPACKET), made by {@linkcode listen}. Any number
 * of accepts can wait.
 *
 * Close removes the socket's path, unless another file has been created there or `unlinkOnClose` is false.
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
    requireDescriptor(descriptor);
    super(descriptor, packetAddr(socketName(descriptor.fd)), seqpacketConn);
    // Connections inherit it, so that it also applies to messages sent before they are accepted.
    enablePassCred(descriptor);
  }

  static {
    makeListener = (descriptor) => new SeqpacketListener(descriptor);
  }

  /** Always "SeqpacketListener". */
  get kind(): "SeqpacketListener" {
    return "SeqpacketListener";
  }
}
