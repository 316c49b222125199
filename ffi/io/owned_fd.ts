import { libc } from "../libc/libc.ts";
import { inspectable } from "../validate/inspect.ts";
import { fcntl } from "./descriptor.ts";
import { type FdKind, fdKind } from "./fd_kind.ts";
import { FdStreams, requireStreamable } from "./fd_streams.ts";
import { claim, release } from "./ownership.ts";

/** Descriptors whose owner was collected without having given them away. */
const forgotten = new FinalizationRegistry<number>((fd) => {
  release(fd);
  libc().c.close(fd);
});

/** The members that all results of {@linkcode OwnedFd.open} have. Use `kind` or `instanceof` to tell the classes apart.
 *
 * @example
 * ```ts
 * import { listenDatagram, type OpenedSocket } from "@berkeley/sockets";
 *
 * function describe(socket: OpenedSocket): string {
 *   return `${socket.kind} with descriptor ${socket.socket.fd}`;
 * }
 * using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
 * console.log(describe(udp)); // UdpSocket with descriptor …
 * ```
 */
export interface OpenedSocket extends Disposable {
  /** The name of the object's class: "TcpConn", "UdpSocket", … */
  readonly kind: string;
  /** The underlying socket. */
  readonly socket: { readonly fd: number };
  /** Closes the socket: close(2). */
  close(): void;
  /** Closes this object without closing the descriptor, and returns the descriptor's number. */
  detach(): number;
  /** Lets waiting operations keep the process running. This is the default. */
  ref(): void;
  /** Lets the process end while operations wait. */
  unref(): void;
}

let open: ((fd: OwnedFd) => OpenedSocket) | undefined;

/** Gives `OwnedFd.open` its opener. It is injected because it knows every class, and classes give out OwnedFds. */
export function setOpener(opener: (fd: OwnedFd) => OpenedSocket): void {
  open = opener;
}

/** What no caller outside this file has: the private constructor is no wall for JavaScript. */
const INSIDE = Symbol("inside");

let make: (fd: number) => OwnedFd;
let forget: (owned: OwnedFd) => void;

/** A received descriptor, which is close-on-exec and owned by this object. If it is neither used nor closed, it is closed
 * when the object is garbage-collected.
 *
 * @example
 * ```ts
 * import { listenDatagram, socketPair, type UdpSocket } from "@berkeley/sockets";
 *
 * const [one, two] = socketPair("seqpacket");
 * using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
 * await one.sendMessage({ data: new Uint8Array(1), fds: [udp] });
 * const message = await two.receiveMessage();
 * using same = message!.fds[0]!.open<UdpSocket>();
 * console.log(same.socket.fd !== udp.socket.fd); // true: another descriptor of the same socket
 * one.close();
 * two.close();
 * ```
 */
export class OwnedFd implements Disposable {
  #fd: number;
  #streams: FdStreams | undefined;
  #readable: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  #writable: WritableStream<Uint8Array<ArrayBufferLike>> | undefined;

  private constructor(fd: number, token: symbol) {
    if (token !== INSIDE) throw new TypeError("Illegal constructor: receiveMessage gives descriptors");
    this.#fd = fd;
    claim(fd, "OwnedFd");
    forgotten.register(this, fd, this);
  }

  static {
    make = (fd) => new OwnedFd(fd, INSIDE);
    forget = (owned) => {
      owned.#fd = -1;
      forgotten.unregister(owned);
    };
    inspectable(OwnedFd.prototype, (owned) => {
      return { name: "OwnedFd", members: owned.#fd === -1 ? { state: "closed" } : { fd: owned.#fd, state: "open" } };
    });
  }

  /** The descriptor's number.
   *
   * @throws {Deno.errors.BadResource} if the descriptor has been closed or detached
   */
  get fd(): number {
    if (this.#fd === -1) throw new Deno.errors.BadResource("The descriptor has been closed or given away");
    return this.#fd;
  }

  /** The kind of file behind the descriptor: fstat(2).
   *
   * @throws {Deno.errors.BadResource} if the descriptor has been closed or detached
   */
  get kind(): FdKind {
    return fdKind(this.fd);
  }

  /** A stream of the bytes of a pipe, a file or a device: read(2). It owns the descriptor from the first access on, and
   * closes it when the stream, and {@linkcode OwnedFd.writable} if that is in use, has ended or is cancelled. Every
   * access returns the same stream.
   *
   * Waiting for a pipe does not block the event loop. Reading a file blocks it for as long as the disk takes; the file is
   * read in portions of at most 64 KiB, with a turn of the event loop after each. It begins at the file's current
   * position, which is shared with the process that passed the descriptor.
   *
   * @throws {TypeError} for a socket (see {@linkcode OwnedFd.open}), a directory, or a descriptor that is open for
   * writing only
   * @throws {Deno.errors.BadResource} if the descriptor has been closed or detached
   */
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#readable ??= this.#openStreams("readable").readable();
  }

  /** A stream that writes to a pipe, a file or a device: write(2). It owns the descriptor from the first access on, as
   * {@linkcode OwnedFd.readable} does; closing the stream closes it. Every access returns the same stream.
   *
   * @throws {TypeError} for a socket, a directory, or a descriptor that is open for reading only
   * @throws {Deno.errors.BadResource} if the descriptor has been closed or detached
   */
  get writable(): WritableStream<Uint8Array<ArrayBufferLike>> {
    return this.#writable ??= this.#openStreams("writable").writable();
  }

  #openStreams(side: "readable" | "writable"): FdStreams {
    if (this.#streams !== undefined) return this.#streams;
    const { fd, kind } = this;
    requireStreamable(fd, kind, side);
    return this.#streams = new FdStreams(this.detach(), kind);
  }

  /** Returns the socket as an object of its own class, such as TcpListener, which owns the descriptor from then on; see
   * {@linkcode fromFd}. Use `kind` or `instanceof` to tell the classes apart; a type argument names the expected one.
   *
   * @throws {TypeError} if the descriptor is not a socket; it stays open and owned
   * @throws {Deno.errors.BadResource} if the descriptor has been closed or detached
   */
  open<S extends object = OpenedSocket>(): S {
    return open!(this) as S;
  }

  /** Closes this object without closing the descriptor, and returns the descriptor's number. The caller owns it.
   *
   * @throws {Deno.errors.BadResource} if the descriptor has been closed or detached
   */
  detach(): number {
    const fd = this.fd;
    forget(this);
    release(fd);
    return fd;
  }

  /** Closes the descriptor: close(2).
   *
   * @throws {Deno.errors.BadResource} if the descriptor has been closed or detached
   */
  close(): void {
    libc().c.close(this.detach());
  }

  /** Closes the descriptor unless it has been closed or detached. */
  [Symbol.dispose](): void {
    if (this.#fd !== -1) this.close();
  }
}

/** Moves a descriptor to the owner that `take` makes for it. Where that throws, it stays where it was. */
export function moveOwned<T>(owned: OwnedFd, take: (fd: number) => T): T {
  const { fd } = owned;
  release(fd);
  try {
    const taken = take(fd);
    forget(owned);
    return taken;
  } catch (error) {
    claim(fd, "OwnedFd");
    throw error;
  }
}

/** Takes received numbers into ownership: `most` of them, and closes the rest. Where the kernel could not make them so,
 * they become close-on-exec here. */
export function own(fds: readonly number[], most: number): OwnedFd[] {
  const { c, system: { constants } } = libc();
  for (const surplus of fds.slice(most)) c.close(surplus);
  // Owned first, so that none is left behind when a later step fails.
  const owned = fds.slice(0, most).map((fd) => make(fd));
  if (constants.MSG_CMSG_CLOEXEC === 0) {
    for (const { fd } of owned) fcntl(fd, constants.F_SETFD, constants.FD_CLOEXEC);
  }
  return owned;
}
