import { libc } from "../libc/libc.ts";
import { unwrap } from "../libc/socket_error.ts";
import { Accepting, PeerName } from "../io/accept.ts";
import type { UnixAddr } from "../address/address.ts";
import { backlogOf } from "../validate/backlog.ts";
import { requireBytes } from "../validate/bytes.ts";
import { Connecting } from "../io/connect.ts";
import { Descriptor, fcntl, requireForeignSocket, takeOver } from "../io/descriptor.ts";
import type { WaitOptions } from "../validate/options.ts";
import { inspectable } from "../validate/inspect.ts";
import { Readiness } from "../io/readiness.ts";
import { encodeSocketAddress, requireListening, requirePeerPort } from "../address/sockaddr_argument.ts";
import { moveOwned, OwnedFd } from "../io/owned_fd.ts";
import type { ControlMessage } from "../io/control_message.ts";
import { asOneMessage, partsOf } from "../io/gather.ts";
import { type ReceivedMessage, Receiving, Sending } from "../io/transfer.ts";
import {
  localAddress,
  numberOf,
  openSocket,
  readReceiveOptions,
  readSendOptions,
  remoteAddress,
} from "./socket_arguments.ts";
import { ConfigurableSocket } from "./configurable_socket.ts";

/** Access to the private constructor of Socket, for this file. */
let make: (descriptor: Descriptor) => Socket;

/** A bare socket: an owned descriptor that is non-blocking and close-on-exec. All other classes are built on it, and it
 * gives access to protocols that have no class (ICMP, netlink, vsock, CAN).
 *
 * Each method is one system call of the same name. No method blocks the event loop: operations that return a promise
 * try the call first and wait only if it would block. They reject with the signal's reason when aborted and with
 * Deno.errors.Interrupted when the socket is closed meanwhile. A failed call throws or rejects with a
 * {@linkcode SocketError}; any use of a closed socket with Deno.errors.BadResource.
 *
 * @example
 * ```ts
 * import { Socket, sockopt } from "@berkeley/sockets";
 *
 * using socket = Socket.open("inet", "dgram");
 * socket.setOption(sockopt.SO_REUSEADDR, true);
 * socket.bind({ transport: "udp", hostname: "127.0.0.1", port: 0 });
 * ```
 */
export class Socket extends ConfigurableSocket implements Disposable {
  readonly #descriptor: Descriptor;

  private constructor(descriptor: Descriptor) {
    super(descriptor);
    this.#descriptor = descriptor;
  }

  static {
    make = (descriptor) => new Socket(descriptor);
    inspectable(Socket.prototype, (socket) => {
      const descriptor = socket.#descriptor;
      const members = descriptor.closed ? { state: "closed" } : { fd: descriptor.fd, state: "open" };
      return { name: "Socket", members };
    });
  }

  /** Opens a socket: socket(2).
   *
   * @param domain the address family, by name or as the system's headers number it (AF_NETLINK, …)
   * @param type the type, by name or as the system's headers number it
   * @param protocol the protocol number, 0 by default
   * @throws {TypeError} for an unknown name
   * @throws {RangeError} for a number that does not fit 32 bits
   * @throws {Deno.errors.NotCapable} without `--allow-net` for every host, unless the type is "stream", "dgram" or
   * "seqpacket" and the domain "inet", "inet6" or "unix"; numbers are compared as given, so a type with SOCK_NONBLOCK
   * needs the grant too
   * @throws {SocketError} EPERM for "raw" without CAP_NET_RAW, EAFNOSUPPORT, and others of socket(2)
   */
  static open(
    domain: "inet" | "inet6" | "unix" | number,
    type: "stream" | "dgram" | "seqpacket" | "raw" | number,
    protocol = 0,
  ): Socket {
    return new Socket(openSocket(domain, type, protocol));
  }

  /** Takes ownership of an open descriptor, which becomes non-blocking and close-on-exec. If this throws, the descriptor
   * stays open and unchanged.
   *
   * @param fd a descriptor number, or an {@linkcode OwnedFd}, which is closed without closing the descriptor
   * @throws {TypeError} if the descriptor is not a socket, or is owned by another object of this module
   * @throws {Deno.errors.BadResource} if the descriptor is not open
   */
  static fromFd(fd: number | OwnedFd): Socket {
    const take = (given: number) => takeOver(requireForeignSocket(given), make);
    return fd instanceof OwnedFd ? moveOwned(fd, take) : take(fd);
  }

  /** Binds the socket to a local address: bind(2).
   *
   * @param address an IP or Unix address, or the bytes of a sockaddr for other families
   * @throws {TypeError} for a host name (see {@linkcode resolveAddress}) or a value that is not an address
   * @throws {Deno.errors.AddrInUse} if another socket has the address
   * @throws {Deno.errors.AddrNotAvailable} if this machine does not have the address
   * @throws {Deno.errors.NotCapable} without the permission that Deno needs for the address
   */
  bind(address: Deno.NetAddr | UnixAddr | Uint8Array): void {
    using encoded = encodeSocketAddress(address, "bind");
    const { sockaddr, text } = encoded;
    unwrap(libc().c.bind(this.fd, sockaddr, sockaddr.length), "bind", text);
    this.#descriptor.afterChange?.();
  }

  /** Connects the socket: connect(2). Resolves when the connection is established or, for datagrams, the peer is set.
   *
   * @param address an IP or Unix address, or the bytes of a sockaddr for other families
   * @throws {TypeError} for a host name (see {@linkcode resolveAddress}) or a value that is not an address
   * @throws {RangeError} for port 0, except on a raw socket
   * @throws {Deno.errors.ConnectionRefused} if nothing listens at the address
   * @throws {Deno.errors.NotCapable} without the permission that Deno needs for the address
   */
  async connect(address: Deno.NetAddr | UnixAddr | Uint8Array, options?: WaitOptions): Promise<void> {
    using encoded = encodeSocketAddress(address, "connect");
    const { sockaddr, text } = encoded;
    requirePeerPort(this.fd, sockaddr);
    await this.#descriptor.writes.run(new Connecting(this.#descriptor, sockaddr, text), options);
    this.#descriptor.afterChange?.();
  }

  /** Starts listening: listen(2). An unbound IP socket is bound to a free port on all addresses.
   *
   * @param backlog the maximum number of connections that wait to be accepted, 511 by default; the system may limit it
   * @throws {TypeError} for a backlog that is not a whole number
   * @throws {RangeError} for a negative backlog
   * @throws {Deno.errors.NotCapable} for an unbound socket without `--allow-net` for all addresses
   */
  listen(backlog?: number): void {
    requireListening(this.fd);
    unwrap(libc().c.listen(this.fd, backlogOf("backlog", backlog)), "listen");
  }

  /** Waits for a connection and resolves to its socket: accept4(2). Any number of accepts can wait; connections go to
   * them in order.
   *
   * @throws {SocketError} EINVAL if the socket is not listening, EMFILE if no descriptor is free
   */
  accept(options?: WaitOptions): Promise<Socket> {
    const accepting = new Accepting(this.#descriptor, new PeerName(), (descriptor) => new Socket(descriptor));
    return this.#descriptor.reads.run(accepting, options);
  }

  /** The local address: getsockname(2). Bytes of a sockaddr for families that this module does not know.
   *
   * @throws {Deno.errors.BadResource} if the socket is closed
   */
  get localAddr(): Deno.NetAddr | UnixAddr | Uint8Array<ArrayBuffer> {
    return localAddress(this.fd);
  }

  /** The address of the connected peer, null without one: getpeername(2). Bytes of a sockaddr for families that this
   * module does not know.
   *
   * @throws {Deno.errors.BadResource} if the socket is closed
   */
  get remoteAddr(): Deno.NetAddr | UnixAddr | Uint8Array<ArrayBuffer> | null {
    return remoteAddress(this.fd);
  }

  /** Receives one message, or the next bytes of a stream, into `p`: recvmsg(2).
   *
   * @param options `flags` for the call, see {@linkcode msg}: with MSG_PEEK what is received stays, with MSG_ERRQUEUE it
   * is an error of a packet sent earlier; `controlLength`, the bytes of room for control messages, 0 to 65,536, 0 by
   * default
   * @throws {TypeError} for a buffer that is detached or shared, or for flags that cannot be given
   * @throws {RangeError} for a `controlLength` outside 0 to 65,536
   */
  async receive(
    p: Uint8Array,
    options?: WaitOptions & { flags?: number; controlLength?: number },
  ): Promise<ReceivedMessage> {
    requireBytes(p);
    const { how, wait } = readReceiveOptions(options);
    return await this.#descriptor.reads.run(new Receiving(this.#descriptor, p, how), wait);
  }

  /** Sends one message, or bytes of a stream: sendmsg(2). Resolves to the number of bytes sent, which on a stream can be
   * less than there are.
   *
   * @param p the bytes; several buffers go one after the other, as one message
   * @param address the destination; the connected peer by default
   * @param options `flags` for the call, see {@linkcode msg}, and `control`, the control messages that go with the bytes;
   * a descriptor among them (SCM_RIGHTS) must stay open until the promise has settled
   * @throws {TypeError} for a buffer that is detached or shared, for flags that cannot be given, or a value that is not an
   * address
   * @throws {Deno.errors.NotCapable} without the permission that Deno needs for the address; without `--allow-net` for
   * every host, for a control message that can choose the destination, such as IPV6_RTHDR
   */
  async send(
    p: Uint8Array | readonly Uint8Array[],
    address?: Deno.NetAddr | UnixAddr | Uint8Array,
    options?: WaitOptions & { flags?: number; control?: readonly ControlMessage[] },
  ): Promise<number> {
    const parts = asOneMessage(partsOf(p));
    const { flags, control, wait } = readSendOptions(options);
    using to = address === undefined ? null : encodeSocketAddress(address, "send");
    return await this.#descriptor.writes.run(new Sending(this.#descriptor, { parts, to, control, flags }), wait);
  }

  /** Shuts down one or both directions of a connection: shutdown(2).
   *
   * @throws {TypeError} for an unknown direction
   * @throws {Deno.errors.NotConnected} if the socket is not connected
   */
  shutdown(how: "read" | "write" | "both"): void {
    const { SHUT_RD, SHUT_WR, SHUT_RDWR } = libc().system.constants;
    const number = numberOf("direction", how, { read: SHUT_RD, write: SHUT_WR, both: SHUT_RDWR });
    unwrap(libc().c.shutdown(this.fd, number), "shutdown");
  }

  /** Resolves when a read would not block because there is data, the end of the stream or an error: poll(2). */
  readable(options?: WaitOptions): Promise<void> {
    return this.#descriptor.reads.run(new Readiness(this.#descriptor, "read"), options);
  }

  /** Resolves when a write would not block, whether or not it would succeed: poll(2). */
  writable(options?: WaitOptions): Promise<void> {
    return this.#descriptor.writes.run(new Readiness(this.#descriptor, "write"), options);
  }

  /** Returns a second descriptor of the same open socket, close-on-exec: F_DUPFD_CLOEXEC of fcntl(2).
   *
   * @throws {SocketError} EMFILE if no descriptor is free
   */
  duplicate(): Socket {
    const descriptor = new Descriptor(fcntl(this.fd, libc().system.constants.F_DUPFD_CLOEXEC, 3));
    descriptor.afterChange = this.#descriptor.afterChange;
    return new Socket(descriptor);
  }

  /** Closes this object without closing the descriptor, and returns the descriptor's number. The caller owns it from
   * then on.
   *
   * @throws {Deno.errors.BadResource} if the socket is closed
   */
  detach(): number {
    return this.#descriptor.detach();
  }

  /** Closes the socket at once: close(2). Waiting operations reject with Deno.errors.Interrupted.
   *
   * @throws {Deno.errors.BadResource} if the socket is closed
   */
  close(): void {
    this.#descriptor.close();
  }

  /** Closes the socket unless it is closed. */
  [Symbol.dispose](): void {
    if (!this.#descriptor.closed) this.close();
  }
}

/** Makes the Socket of a descriptor. */
export function socketOf(descriptor: Descriptor): Socket {
  return make(descriptor);
}

/** A function that is called once for each new socket before bind or connect, as Go's ListenConfig.Control and
 * Dialer.Control. `network` is "tcp4", "tcp6", "udp4", "udp6", "unix", "unixgram" or "seqpacket". If it throws, the socket
 * is closed and the error reaches the caller of `listen` or `connect`.
 *
 * @example
 * ```ts
 * import { type Control, listenDatagram, sockopt } from "@berkeley/sockets";
 *
 * const control: Control = (socket, network) => {
 *   if (network.startsWith("udp")) socket.setOption(sockopt.SO_RCVBUF, 1 << 20);
 * };
 * using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1", control });
 * ```
 */
export type Control = (socket: Socket, network: string, address: Deno.NetAddr | UnixAddr) => void;
