import { libc } from "../libc/libc.ts";
import { unwrap } from "../libc/socket_error.ts";
import { decodeUnix, formatAddress, type UnixAddr } from "../address/address.ts";
import { refusedBytes } from "../validate/bytes.ts";
import type { Descriptor } from "../io/descriptor.ts";
import { Endpoint, UntilClosed } from "../socket/endpoint.ts";
import type { WaitOptions } from "../validate/options.ts";
import { requireUnix } from "../address/permissions.ts";
import { grantEpoch } from "../address/grants.ts";
import { locate, targetOf, type UnixTarget } from "../address/unix_path.ts";
import { quote } from "../validate/quote.ts";
import { peerName, socketName } from "../address/sockname.ts";
import {
  datagramAddr,
  ReceivingUnix,
  ReceivingUnixMessage,
  SendingUnix,
  type UnixDestination,
} from "./datagram_operations.ts";
import { type ReceiveMessageOptions, type UnixMessage, wanted } from "./message.ts";
import { type OutgoingUnixMessage, readOutgoing, ScmRights } from "./outgoing_message.ts";
import { requirePath } from "./path.ts";

const NO_RIGHTS = new ScmRights();

let make: (descriptor: Descriptor) => UnixDatagram;

/** Makes the datagram socket of a descriptor. */
export function unixDatagram(descriptor: Descriptor): UnixDatagram {
  return make(descriptor);
}

/** A Unix datagram socket (Deno's "unixpacket", Go's "unixgram"), made by {@linkcode listenDatagram}. It has the members
 * of `Deno.DatagramConn`, and deadlines and signals; any number of receives and sends can wait. No method blocks the
 * event loop.
 *
 * Close removes the socket's path, unless another file has been created there or `unlinkOnClose` is false.
 *
 * @example
 * ```ts
 * import { listenDatagram } from "@berkeley/sockets";
 *
 * using sink = listenDatagram({ transport: "unixgram", path: "" });
 * using source = listenDatagram({ transport: "unixgram" });
 * await source.send(new TextEncoder().encode("<14>hello"), sink.addr);
 * const [data, from] = await sink.receive();
 * console.log(data.length, from.path); // 9 null
 * ```
 */
export class UnixDatagram extends Endpoint implements Deno.DatagramConn {
  readonly #descriptor: Descriptor;
  readonly #addr: Deno.UnixAddr;
  #remoteAddr: UnixAddr | null;
  /** Whether SO_PASSCRED is on and off while it sends, so that an unbound socket gets no abstract name. */
  #suppressAutobind = false;
  /** The destination sent to last. */
  #last: { readonly path: string; readonly target: UnixTarget; readonly epoch: number } | null = null;

  private constructor(descriptor: Descriptor) {
    super(descriptor);
    this.#descriptor = descriptor;
    const name = socketName(descriptor.fd);
    this.#addr = datagramAddr(name, name.length);
    this.#remoteAddr = peerAddr(descriptor.fd);
  }

  static {
    make = (descriptor) => new UnixDatagram(descriptor);
  }

  /** Always "UnixDatagram". */
  get kind(): "UnixDatagram" {
    return "UnixDatagram";
  }

  /** The local address: getsockname(2). The path of an unbound socket is null. */
  get addr(): Deno.UnixAddr {
    return this.#addr;
  }

  /** Receives one datagram and resolves to its payload and its sender, whose path is null if it is unbound: recvmsg(2).
   *
   * @param p the buffer to receive into; the payload is then a view of it, and a longer datagram is truncated. By default
   * the payload is complete and in new memory.
   * @throws {TypeError} for a buffer that is detached or shared
   */
  receive(p?: Uint8Array, options?: WaitOptions): Promise<[Uint8Array<ArrayBuffer>, Deno.UnixAddr]> {
    const refusal = p === undefined ? null : refusedBytes(p);
    if (refusal !== null) return Promise.reject(refusal);
    const receiving = new ReceivingUnix(this.#descriptor, p as Uint8Array<ArrayBuffer> | undefined);
    return this.#descriptor.reads.run(receiving, options);
  }

  /** Sends one datagram and resolves to its length in bytes: sendmsg(2). It waits while the receiver's queue is full,
   * and on macOS and FreeBSD while the receiver's buffer (SO_RCVBUF) is shorter than the datagram.
   *
   * @param addr the path or abstract name to send to; the connected peer by default
   * @throws {Deno.errors.NotFound} if the path does not exist
   * @throws {Deno.errors.ConnectionRefused} if no socket is bound to the path or the name
   * @throws {SocketError} EMSGSIZE for a datagram longer than the send buffer (SO_SNDBUF), ENOBUFS for one of more than
   * 262,144 bytes that is longer than the receiver's on macOS and FreeBSD, EPROTOTYPE for a stream socket
   * @throws {TypeError} for a value that is not a Unix address, no address at all on a socket without a peer, or a buffer
   * that is detached or shared
   * @throws {Deno.errors.NotCapable} without `--allow-write` and `--allow-net` for the path
   */
  send(p: Uint8Array, addr?: Deno.Addr | UnixAddr, options?: WaitOptions): Promise<number> {
    return Promise.try(() => this.#send(p, NO_RIGHTS, addr, options));
  }

  /** Sends one datagram with descriptors: sendmsg(2) with SCM_RIGHTS. Resolves to the length of the data in bytes. The
   * receiver gets duplicates of the descriptors; the originals stay open.
   *
   * @param message the data, which may be empty, and at most 253 descriptors, open until the promise has settled
   * @param addr the path or abstract name to send to; the connected peer by default
   * @throws {TypeError} for a value without a descriptor, and as {@linkcode UnixDatagram.send}
   * @throws {RangeError} for more than 253 descriptors
   * @throws {Deno.errors.BadResource} for a number that is not open
   */
  sendMessage(message: OutgoingUnixMessage, addr?: Deno.Addr | UnixAddr, options?: WaitOptions): Promise<number> {
    return Promise.try(() => {
      const { data, rights } = readOutgoing(message);
      return this.#send(data, rights, addr, options);
    });
  }

  /** Receives one datagram with the descriptors and, if asked for, the credentials that came with it: recvmsg(2).
   *
   * @param options `maxLength`: the length in bytes to which longer datagrams are truncated, unlimited by default;
   * `maxFds`: the maximum number of descriptors, from 0 to 253, 16 by default; `credentials`: whether to receive the
   * sender's credentials (SO_PASSCRED, which then stays on); `signal`
   * @throws {RangeError} for a `maxLength` below 0 or a `maxFds` outside 0 to 253
   * @throws {Deno.errors.NotSupported} with `credentials` on a system without SO_PASSCRED
   */
  receiveMessage(options: ReceiveMessageOptions = {}): Promise<UnixMessage & { addr: UnixAddr }> {
    return Promise.try(() => {
      const want = wanted(this.#descriptor, options, Infinity);
      if (want.credentials && this.#addr.path === null) this.#suppressAutobind = true;
      return this.#descriptor.reads.run(new ReceivingUnixMessage(this.#descriptor, want), { signal: want.signal });
    });
  }

  /** Sets the peer: sends without an address go there, and datagrams of others are not received. connect(2).
   *
   * @param addr the path or abstract name of the peer; null removes it
   * @throws {Deno.errors.NotFound} if the path does not exist
   * @throws {Deno.errors.ConnectionRefused} if no socket is bound to the path or the name
   * @throws {TypeError} for a value that is not a Unix address
   * @throws {Deno.errors.NotCapable} without `--allow-write` and `--allow-net` for the path
   */
  connect(addr: { path: string } | null): void {
    const { fd } = this.#descriptor;
    try {
      if (addr === null) dissolve(fd);
      else this.#connect(fd, requirePath(pathOf(addr)));
    } finally {
      this.#remoteAddr = peerAddr(fd);
    }
  }

  /** The connected peer; null without one: getpeername(2). */
  get remoteAddr(): UnixAddr | null {
    return this.#remoteAddr;
  }

  #connect(fd: number, path: string): void {
    const target = this.#target(path);
    try {
      const { sockaddr } = target;
      const text = formatAddress({ transport: "unixpacket", path });
      unwrap(libc().c.connect(fd, sockaddr, sockaddr.length), "connect", text);
    } finally {
      if (target.lapses) target[Symbol.dispose]();
    }
  }

  #send(
    p: Uint8Array,
    rights: ScmRights,
    addr: Deno.Addr | UnixAddr | undefined,
    options: WaitOptions | undefined,
  ): Promise<number> {
    const refusal = refusedBytes(p) ?? this.#descriptor.refusal();
    if (refusal !== null) throw refusal;
    if (addr === undefined) {
      if (this.#remoteAddr === null) {
        throw new TypeError("No address given, and the socket is not connected: pass one, or call connect() first");
      }
      return this.#run(p, null, rights, options);
    }
    const path = requirePath(pathOf(addr));
    const target = this.#target(path);
    const to = { sockaddr: target.sockaddr, text: formatAddress({ transport: "unixpacket", path }) };
    const sent = this.#run(p, to, rights, options);
    return target.lapses ? sent.finally(() => target[Symbol.dispose]()) : sent;
  }

  #run(
    p: Uint8Array,
    to: UnixDestination | null,
    rights: ScmRights,
    options: WaitOptions | undefined,
  ): Promise<number> {
    const sending = new SendingUnix(this.#descriptor, p, to, rights, this.#suppressAutobind);
    return this.#descriptor.writes.run(sending, options);
  }

  /** Returns the sockaddr for a path. The last one is cached as long as the path cannot change its meaning and its grant
   * has not been revoked. */
  #target(path: string): UnixTarget {
    if (this.#last !== null && this.#last.path === path && this.#last.epoch === grantEpoch()) return this.#last.target;
    const place = locate(path);
    requireUnix(place, "destination");
    const target = targetOf(place);
    const lasts = place.file === null || path.startsWith("/");
    if (lasts && !target.lapses) this.#last = { path, target, epoch: grantEpoch() };
    return target;
  }

  /** Always rejects: Unix sockets have no multicast. The method is part of `Deno.DatagramConn`.
   *
   * @throws {Deno.errors.NotSupported} always
   */
  joinMulticastV4(_address: string, _networkInterface: string): Promise<never> {
    return Promise.reject(new Deno.errors.NotSupported("A Unix datagram socket has no multicast groups"));
  }

  /** Always rejects: Unix sockets have no multicast. The method is part of `Deno.DatagramConn`.
   *
   * @throws {Deno.errors.NotSupported} always
   */
  joinMulticastV6(_address: string, _networkInterface: number): Promise<never> {
    return Promise.reject(new Deno.errors.NotSupported("A Unix datagram socket has no multicast groups"));
  }

  /** Iterates over received datagrams until the socket is closed. Leaving the loop does not close the socket. */
  [Symbol.asyncIterator](): AsyncIterableIterator<[Uint8Array<ArrayBuffer>, Deno.UnixAddr]> {
    return new UntilClosed((options) => this.receive(undefined, options));
  }
}

function pathOf(addr: unknown): unknown {
  if (addr !== null && typeof addr === "object" && "path" in addr) return addr.path;
  throw new TypeError(`Not a Unix address: ${quote(addr)}, expected { transport: "unixpacket", path }`);
}

function peerAddr(fd: number): UnixAddr | null {
  const peer = peerName(fd);
  return peer === null ? null : decodeUnix("unixpacket", peer, peer.length);
}

/** Removes the peer: connect(2) to an address of no family. */
function dissolve(fd: number): void {
  const { layout, constants } = libc().system;
  const nowhere = new Uint8Array(layout.sockaddr_un.size);
  if (layout.sockaddrHasLength) nowhere.set([nowhere.length, constants.AF_UNSPEC]);
  else nowhere[0] = constants.AF_UNSPEC;
  unwrap(libc().c.connect(fd, nowhere, nowhere.length), "connect");
}
