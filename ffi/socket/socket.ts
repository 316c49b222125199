import { libc } from "../libc/libc.ts";
import { unwrap } from "../libc/socket_error.ts";
import { Accepting, PeerName } from "../io/accept.ts";
import type { UnixAddr } from "../address/address.ts";
import { backlogOf } from "../validate/backlog.ts";
import { requireBytes } from "../validate/bytes.ts";
import { Connecting } from "../io/connect.ts";
import { Descriptor, fcntl, openDescriptor, requireForeignSocket, takeOver } from "../io/descriptor.ts";
import type { WaitOptions } from "../validate/options.ts";
import { getOption, setOption, type SocketOption } from "../option/option.ts";
import { getRawOption, setRawOption } from "../option/raw_option.ts";
import { mayChooseDestination } from "../option/routing.ts";
import { requireInt } from "../validate/number.ts";
import { requireEveryHost } from "../address/permissions.ts";
import { inspectable } from "../validate/inspect.ts";
import { quote } from "../validate/quote.ts";
import { Readiness } from "../io/readiness.ts";
import { encodeSocketAddress, requireListening } from "../address/sockaddr_argument.ts";
import { type ReceivedMessage, Receiving, Sending } from "../io/transfer.ts";

/** What the class and its kin know of each other: the descriptor behind a Socket. */
let make: (descriptor: Descriptor) => Socket;
let reveal: (socket: Socket) => Descriptor;

/** An owned descriptor, non-blocking and close-on-exec: what every other class here stands on, and the way to whatever
 * they do not cover (ICMP, netlink, vsock, CAN).
 *
 * Each method is one system call of the same name. Those that may wait are tried first and wait only when the kernel
 * would block; they reject with the signal's reason when aborted and with Deno.errors.Interrupted when the socket is
 * closed meanwhile. Calls that fail reject or throw a {@linkcode SocketError}; a closed socket throws
 * Deno.errors.BadResource.
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
export class Socket implements Disposable {
  readonly #descriptor: Descriptor;

  private constructor(descriptor: Descriptor) {
    // A private constructor is no wall for JavaScript.
    if (!(descriptor instanceof Descriptor)) throw new TypeError("Illegal constructor: Socket.open makes sockets");
    this.#descriptor = descriptor;
  }

  static {
    make = (descriptor) => new Socket(descriptor);
    reveal = (socket) => socket.#descriptor;
    inspectable(Socket.prototype, (socket) => {
      const descriptor = socket.#descriptor;
      const members = descriptor.closed ? { state: "closed" } : { fd: descriptor.fd, state: "open" };
      return { name: "Socket", members };
    });
  }

  /** socket(2). Numbers are the system's own, for families and types this module has no word for.
   *
   * @throws {TypeError} for an unknown word
   * @throws {RangeError} for a number that does not fit 32 bits
   * @throws {Deno.errors.NotCapable} for anything but "stream", "dgram" and "seqpacket" of "inet", "inet6" and "unix"
   * without `--allow-net` for every host; numbers are compared as they are given, so one with SOCK_NONBLOCK in it is
   * another
   * @throws {SocketError} as socket(2): EPERM for "raw" without CAP_NET_RAW, EAFNOSUPPORT, …
   */
  static open(
    domain: "inet" | "inet6" | "unix" | number,
    type: "stream" | "dgram" | "seqpacket" | "raw" | number,
    protocol = 0,
  ): Socket {
    const { constants } = libc().system;
    const domains = { inet: constants.AF_INET, inet6: constants.AF_INET6, unix: constants.AF_UNIX };
    const types = {
      stream: constants.SOCK_STREAM,
      dgram: constants.SOCK_DGRAM,
      seqpacket: constants.SOCK_SEQPACKET,
      raw: constants.SOCK_RAW,
    };
    const family = numberOf("domain", domain, domains);
    const kind = numberOf("type", type, types);
    // Sockets of these kinds receive nothing before an address was asked about. Others may receive everybody's traffic
    // without being bound, and a number with flags in it is another than the kernel makes of it.
    const askedByAddress = [constants.SOCK_STREAM, constants.SOCK_DGRAM, constants.SOCK_SEQPACKET];
    if (!askedByAddress.includes(kind) || !Object.values(domains).includes(family)) {
      requireEveryHost(`sockets of domain ${domain} and type ${type}`);
    }
    return new Socket(openDescriptor(family, kind, numberOf("protocol", protocol, {})));
  }

  /** Takes over a descriptor number. One that is no socket is refused and left open.
   *
   * @throws {TypeError} for a descriptor that is no socket, or that a Socket here already owns
   * @throws {Deno.errors.BadResource} for a number that is not open
   */
  static fromFd(fd: number): Socket {
    requireForeignSocket(fd);
    return takeOver(fd, (descriptor) => new Socket(descriptor));
  }

  /** The descriptor's number.
   *
   * @throws {Deno.errors.BadResource} when closed
   */
  get fd(): number {
    return this.#descriptor.fd;
  }

  /** getsockopt(2) of a typed option.
   *
   * @throws {Deno.errors.NotSupported} where the running system lacks it
   * @throws {SocketError} ENOPROTOOPT on a socket of another kind
   */
  getOption<T>(option: SocketOption<T>): T {
    return getOption(this.fd, option);
  }

  /** setsockopt(2) of a typed option.
   *
   * @throws {TypeError} for a value of another type
   * @throws {Deno.errors.NotSupported} where the running system lacks it
   * @throws {SocketError} EPERM, EINVAL, ENOPROTOOPT, …
   */
  setOption<T>(option: SocketOption<T>, value: T): void {
    setOption(this.fd, option, value);
  }

  /** getsockopt(2) with level and name as the system's headers number them. Gives what the kernel wrote of at most
   * `length` bytes.
   *
   * @throws {TypeError} for a level or a name that is no whole number
   * @throws {RangeError} for a length beyond 0 to 65,536, and for numbers beyond 32 bits
   * @throws {SocketError} ENOPROTOOPT for an option that there is not
   */
  getRawOption(level: number, name: number, length: number): Uint8Array {
    return getRawOption(this.fd, level, name, length);
  }

  /** setsockopt(2) with level and name as the system's headers number them; a number goes as a C int.
   *
   * @throws {TypeError} for anything but a whole number or bytes
   * @throws {RangeError} for numbers beyond 32 bits
   * @throws {Deno.errors.NotCapable} for an option that may choose where packets go, such as IP_OPTIONS with a source
   * route or IPV6_RTHDR, without `--allow-net` for every host
   * @throws {SocketError} EPERM, EINVAL, ENOPROTOOPT, …
   */
  setRawOption(level: number, name: number, value: Uint8Array | number): void {
    if (mayChooseDestination(level, name)) requireEveryHost(`level ${level} option ${name}`);
    setRawOption(this.fd, level, name, value);
  }

  /** bind(2). Bytes are a sockaddr, for families this module does not know.
   *
   * @throws {TypeError} for a name, which {@linkcode resolveAddress} looks up, and for what is no address
   * @throws {Deno.errors.AddrInUse} for an address that another socket holds, and other SocketErrors
   * @throws {Deno.errors.NotCapable} without the permission that Deno would want for that address
   */
  bind(address: Deno.NetAddr | UnixAddr | Uint8Array): void {
    using encoded = encodeSocketAddress(address, "bind");
    const { sockaddr, text } = encoded;
    unwrap(libc().c.bind(this.fd, sockaddr, sockaddr.length), "bind", text);
  }

  /** connect(2), waiting until SO_ERROR and getpeername(2) say how it ended.
   *
   * @throws {TypeError} for a name, which {@linkcode resolveAddress} looks up, and for what is no address
   * @throws {Deno.errors.ConnectionRefused} where nobody listens, and other SocketErrors
   * @throws {Deno.errors.NotCapable} without the permission that Deno would want for that address
   */
  async connect(address: Deno.NetAddr | UnixAddr | Uint8Array, options?: WaitOptions): Promise<void> {
    using encoded = encodeSocketAddress(address, "connect");
    const { sockaddr, text } = encoded;
    await this.#descriptor.writes.run(new Connecting(this.#descriptor, sockaddr, text), options);
  }

  /** listen(2). The backlog is clamped to what the system takes. An unbound socket gets a port of the system's choice
   * on all addresses.
   *
   * @throws {TypeError} for a backlog that is no whole number
   * @throws {RangeError} for one below 0
   * @throws {Deno.errors.NotCapable} for an unbound socket without `--allow-net` for all addresses
   */
  listen(backlog?: number): void {
    requireListening(this.fd);
    unwrap(libc().c.listen(this.fd, backlogOf("backlog", backlog)), "listen");
  }

  /** accept4(2). Any number may wait; connections go to them in order.
   *
   * @throws {SocketError} EINVAL on a socket that does not listen, EMFILE without a descriptor left
   */
  accept(options?: WaitOptions): Promise<Socket> {
    const accepting = new Accepting(this.#descriptor, new PeerName(), (descriptor) => new Socket(descriptor));
    return this.#descriptor.reads.run(accepting, options);
  }

  /** One recvmsg(2): how many bytes, the sender's sockaddr (empty where there is none), MSG_ flags as the system
   * numbers them.
   *
   * @throws {TypeError} for a buffer that is detached or shared
   */
  async receive(p: Uint8Array, options?: WaitOptions): Promise<ReceivedMessage> {
    requireBytes(p);
    return await this.#descriptor.reads.run(new Receiving(this.#descriptor, p), options);
  }

  /** One sendmsg(2). Resolves to how many bytes the kernel took, which on a stream may be fewer than given.
   *
   * @throws {TypeError} for a buffer that is detached or shared, and for what is no address
   * @throws {Deno.errors.NotCapable} without the permission that Deno would want for that address
   */
  async send(
    p: Uint8Array,
    address?: Deno.NetAddr | UnixAddr | Uint8Array,
    options?: WaitOptions,
  ): Promise<number> {
    requireBytes(p);
    using to = address === undefined ? null : encodeSocketAddress(address, "send");
    return await this.#descriptor.writes.run(new Sending(this.#descriptor, p, to), options);
  }

  /** Ends one direction, or both: shutdown(2).
   *
   * @throws {TypeError} for an unknown word
   * @throws {Deno.errors.NotConnected} where there is no peer
   */
  shutdown(how: "read" | "write" | "both"): void {
    const { SHUT_RD, SHUT_WR, SHUT_RDWR } = libc().system.constants;
    const number = numberOf("direction", how, { read: SHUT_RD, write: SHUT_WR, both: SHUT_RDWR });
    unwrap(libc().c.shutdown(this.fd, number), "shutdown");
  }

  /** Resolves when a read would not block, whether it would find data, the end or an error: poll(2). */
  readable(options?: WaitOptions): Promise<void> {
    return this.#descriptor.reads.run(new Readiness(this.#descriptor, "read"), options);
  }

  /** Resolves when a write would not block, whether it would succeed or not: poll(2). */
  writable(options?: WaitOptions): Promise<void> {
    return this.#descriptor.writes.run(new Readiness(this.#descriptor, "write"), options);
  }

  /** A second descriptor of the same open socket, close-on-exec: F_DUPFD_CLOEXEC of fcntl(2).
   *
   * @throws {SocketError} EMFILE without a descriptor left
   */
  duplicate(): Socket {
    return new Socket(new Descriptor(fcntl(this.fd, libc().system.constants.F_DUPFD_CLOEXEC, 3)));
  }

  /** Gives the descriptor away: this object is closed, the number lives on and is the caller's to close.
   *
   * @throws {Deno.errors.BadResource} when closed
   */
  detach(): number {
    return this.#descriptor.detach();
  }

  /** close(2), at once. What waits is rejected.
   *
   * @throws {Deno.errors.BadResource} the second time
   */
  close(): void {
    this.#descriptor.close();
  }

  /** Closes the socket unless it is closed already. */
  [Symbol.dispose](): void {
    if (!this.#descriptor.closed) this.close();
  }
}

function numberOf<K extends string>(what: string, given: unknown, words: Readonly<Record<K, number>>): number {
  if (typeof given === "number" && Number.isInteger(given)) return requireInt(what, given);
  if (typeof given === "string" && Object.hasOwn(words, given)) return words[given as K];
  const known = Object.keys(words).map(quote).join(", ");
  throw new TypeError(`Unknown ${what}: ${quote(given)}, expected ${known === "" ? "" : `${known} or `}a number`);
}

/** The public face of a descriptor. */
export function socketOf(descriptor: Descriptor): Socket {
  return make(descriptor);
}

export function descriptorOf(socket: Socket): Descriptor {
  return reveal(socket);
}

/** Called once for each socket after it is made and before it is bound or connected, as Go's ListenConfig.Control and
 * Dialer.Control are. `network` is concrete: "tcp4", "udp6", "unix", "unixgram", "seqpacket". What it throws aborts the
 * call and reaches the caller, and the socket is closed.
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
