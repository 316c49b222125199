import { libc } from "../libc/libc.ts";
import { SOCKADDR_STORAGE_SIZE } from "../struct/sockaddr.ts";
import { decodeUnix, formatAddress, type UnixAddr } from "../address/address.ts";
import { refusedBytes, viewOf } from "../validate/bytes.ts";
import { closeUnless, type Descriptor, openDescriptor } from "../io/descriptor.ts";
import { Endpoint, UntilClosed } from "../socket/endpoint.ts";
import { receivingMessage, sendingMessage } from "../io/message.ts";
import { AGAIN, type Again, Operation, type RetryLater } from "../io/operation.ts";
import type { WaitOptions } from "../validate/options.ts";
import { Backoff } from "../io/backoff.ts";
import { nextLength } from "../io/peek.ts";
import { requireUnix } from "../address/permissions.ts";
import { grantEpoch } from "../address/grants.ts";
import { locate, targetOf, type UnixTarget } from "../address/unix_path.ts";
import { copyOptions, optionsShape } from "../validate/options.ts";
import { quote } from "../validate/quote.ts";
import { type Control, socketOf } from "../socket/socket.ts";
import { socketName } from "../address/sockname.ts";
import { isSocketError } from "../libc/socket_error.ts";
import { bindPath, keepPath, requireBindable, requirePath, type UnixPathOptions } from "./path.ts";

/** Options of {@linkcode listenDatagram} for Unix datagram sockets.
 *
 * @example
 * ```ts
 * import { listenDatagram, type UnixDatagramOptions } from "@berkeley/sockets";
 *
 * const path = `/tmp/berkeley-${Deno.pid}.sock`;
 * const options: UnixDatagramOptions = { transport: "unixgram", path, mode: 0o600 };
 * using sink = listenDatagram(options);
 * console.log(sink.addr.path === path); // true
 * ```
 */
export interface UnixDatagramOptions extends UnixPathOptions {
  /** "unixpacket", as Deno calls SOCK_DGRAM, or "unixgram", as Go does. */
  transport: "unixpacket" | "unixgram";
  /** Path of at most 107 bytes (103 on BSD and macOS), or "\0name" for an abstract name on Linux. If left out, the socket
   * is unbound and `addr.path` is null; with "", the system chooses an abstract name (Linux). */
  path?: string;
  /** Function that is called with the new socket before bind. */
  control?: Control;
}

function datagramAddr(sockaddr: Uint8Array, length: number): Deno.UnixAddr {
  return decodeUnix("unixpacket", sockaddr, length) as Deno.UnixAddr;
}

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
  /** The destination sent to last. */
  #last: { readonly path: string; readonly target: UnixTarget; readonly epoch: number } | null = null;

  private constructor(descriptor: Descriptor) {
    super(descriptor);
    this.#descriptor = descriptor;
    const name = socketName(descriptor.fd);
    this.#addr = datagramAddr(name, name.length);
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

  /** Sends one datagram to a path or an abstract name and resolves to its length in bytes: sendmsg(2). It waits while the
   * receiver's queue is full.
   *
   * @throws {Deno.errors.NotFound} if the path does not exist
   * @throws {Deno.errors.ConnectionRefused} if no socket is bound to the path or the name
   * @throws {SocketError} EMSGSIZE for a datagram longer than the send buffer (SO_SNDBUF), EPROTOTYPE for a stream socket
   * @throws {TypeError} for a value that is not a Unix address, or a buffer that is detached or shared
   * @throws {Deno.errors.NotCapable} without `--allow-write` and `--allow-net` for the path
   */
  send(p: Uint8Array, addr: Deno.Addr | UnixAddr, options?: WaitOptions): Promise<number> {
    return Promise.try(() => {
      const refusal = refusedBytes(p) ?? this.#descriptor.refusal();
      if (refusal !== null) throw refusal;
      if (addr === null || typeof addr !== "object" || !("path" in addr)) {
        throw new TypeError(`Not a Unix address: ${quote(addr)}, expected { transport: "unixpacket", path }`);
      }
      const path = requirePath(addr.path);
      const target = this.#target(path);
      const text = formatAddress({ transport: "unixpacket", path });
      const sent = this.#descriptor.writes.run(new SendingUnix(this.#descriptor, p, target.sockaddr, text), options);
      return target.lapses ? sent.finally(() => target[Symbol.dispose]()) : sent;
    });
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

class ReceivingUnix extends Operation<[Uint8Array<ArrayBuffer>, Deno.UnixAddr]> {
  readonly syscall = "recvmsg";
  readonly #descriptor: Descriptor;
  readonly #p: Uint8Array<ArrayBuffer> | undefined;

  constructor(descriptor: Descriptor, p: Uint8Array<ArrayBuffer> | undefined) {
    super();
    this.#descriptor = descriptor;
    this.#p = p;
  }

  override attempt(): [Uint8Array<ArrayBuffer>, Deno.UnixAddr] | Again {
    const { fd } = this.#descriptor;
    const room = this.#p === undefined ? nextLength(fd) : 0;
    if (room === AGAIN) return AGAIN;
    const message = receivingMessage();
    const p = this.#p ?? new Uint8Array(room);
    const length = message.receiveBytes(fd, p, 0, SOCKADDR_STORAGE_SIZE);
    if (length === AGAIN) return AGAIN;
    return [viewOf(p, 0, length), datagramAddr(message.name, message.nameLength)];
  }
}

class SendingUnix extends Operation<number> {
  readonly syscall = "sendmsg";
  readonly #descriptor: Descriptor;
  readonly #p: Uint8Array;
  readonly #sockaddr: Uint8Array<ArrayBuffer>;
  readonly #address: string;
  readonly #backoff: Backoff;

  constructor(descriptor: Descriptor, p: Uint8Array, sockaddr: Uint8Array<ArrayBuffer>, address: string) {
    super();
    this.#descriptor = descriptor;
    this.#p = p;
    this.#sockaddr = sockaddr;
    this.#address = address;
    this.#backoff = new Backoff(descriptor);
  }

  override settled(): void {
    this.#backoff.stop();
  }

  /** The sending socket stays writable while the receiver's queue is full, so the attempt is repeated after a pause. */
  override attempt(): number | RetryLater {
    try {
      const length = sendingMessage().send(this.#descriptor.fd, this.#p, this.#sockaddr, 0, this.#address);
      return length === AGAIN ? this.#backoff.later() : length;
    } catch (error) {
      // The errno for a full queue on BSD.
      if (isSocketError(error) && error.code === "ENOBUFS") return this.#backoff.later();
      throw error;
    }
  }
}

const OPTIONS = optionsShape<UnixDatagramOptions>("Unix datagram sockets", '{ transport: "unixgram", path }', {
  transport: "any",
  path: "any",
  mode: "any",
  replaceStale: "boolean",
  unlinkOnClose: "boolean",
  control: "function",
});

/** Opens a Unix datagram socket. If a step fails, the socket is closed and its path removed. */
export function listenUnixDatagram(given: UnixDatagramOptions): UnixDatagram {
  const options = copyOptions(given, OPTIONS);
  const { path } = options;
  if (path !== undefined && typeof path !== "string") requirePath(path);
  const bindable = path === undefined ? null : requireBindable(path, options);
  const { constants } = libc().system;
  const descriptor = openDescriptor(constants.AF_UNIX, constants.SOCK_DGRAM, 0);
  return closeUnless(descriptor, () => {
    options.control?.(socketOf(descriptor), "unixgram", { transport: "unixpacket", path: path ?? null });
    if (bindable !== null) bindPath(descriptor, bindable, constants.SOCK_DGRAM);
    const socket = unixDatagram(descriptor);
    keepPath(descriptor, !(options.unlinkOnClose ?? true));
    return socket;
  });
}
