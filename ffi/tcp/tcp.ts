import { StreamListener } from "../socket/listener.ts";
import { decodeNet } from "../address/address.ts";
import { type Descriptor, requireDescriptor } from "../io/descriptor.ts";
import { isSocketError } from "../libc/socket_error.ts";
import type { WaitOptions } from "../validate/options.ts";
import { setOption } from "../option/option.ts";
import { peerName, socketName } from "../address/sockname.ts";
import { sockopt } from "../option/sockopt.ts";
import { copyKeepAlive, type KeepAlive, setKeepAlive } from "./keep_alive.ts";
import { type TcpInfo, tcpInfo } from "./info.ts";
import { StreamConn } from "../socket/stream.ts";

let makeConn: (descriptor: Descriptor, remoteAddr?: Deno.NetAddr) => TcpConn;
let makeListener: (descriptor: Descriptor) => TcpListener;

/** Makes the connection of a descriptor. */
export function tcpConn(descriptor: Descriptor, remoteAddr?: Deno.NetAddr): TcpConn {
  return makeConn(descriptor, remoteAddr);
}

/** Makes the listener of a descriptor. */
export function tcpListener(descriptor: Descriptor): TcpListener {
  return makeListener(descriptor);
}

/** A TCP connection, made by {@linkcode connect} or {@linkcode TcpListener.accept}. It has the members of `Deno.TcpConn`,
 * and deadlines, signals and all socket options. See tcp(7).
 *
 * @example
 * ```ts
 * import { connect, listen } from "@berkeley/sockets";
 *
 * using listener = listen({ hostname: "127.0.0.1", port: 0 });
 * using client = await connect({ port: listener.addr.port });
 * using server = await listener.accept();
 * await client.write(new TextEncoder().encode("hello"));
 * const buffer = new Uint8Array(64);
 * server.setReadDeadline(new Date(Date.now() + 1_000));
 * console.log(await server.read(buffer)); // 5
 * ```
 */
export class TcpConn extends StreamConn<Deno.NetAddr> implements Deno.TcpConn {
  readonly #descriptor: Descriptor;

  private constructor(descriptor: Descriptor, remoteAddr?: Deno.NetAddr) {
    requireDescriptor(descriptor);
    const peer = remoteAddr ?? decodeNet("tcp", peerName(descriptor.fd) ?? new Uint8Array(2));
    super(descriptor, decodeNet("tcp", socketName(descriptor.fd)), peer);
    this.#descriptor = descriptor;
  }

  static {
    makeConn = (descriptor, remoteAddr) => new TcpConn(descriptor, remoteAddr);
  }

  /** Always "TcpConn". */
  get kind(): "TcpConn" {
    return "TcpConn";
  }

  /** Sets whether small writes are sent at once: TCP_NODELAY. It is on by default.
   *
   * @param noDelay true by default; with false, small writes are gathered (Nagle's algorithm)
   * @throws {TypeError} for a value that is not a boolean
   */
  setNoDelay(noDelay = true): void {
    setUnlessEnded(this.#descriptor.fd, () => setOption(this.#descriptor.fd, sockopt.TCP_NODELAY, noDelay));
  }

  /** Sets keep-alive probes: SO_KEEPALIVE, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT. If a value is refused, nothing is
   * changed.
   *
   * @param keepAlive true by default, which uses the system's settings; an object sets them, in seconds
   * @throws {TypeError} for a value that is neither a boolean nor an object of whole numbers
   * @throws {RangeError} for an `idle` or `interval` outside 1 to 32,767 seconds, or a `count` outside 1 to 127
   */
  setKeepAlive(keepAlive: boolean | KeepAlive = true): void {
    const copy = copyKeepAlive(keepAlive);
    setUnlessEnded(this.#descriptor.fd, () => setKeepAlive(this.#descriptor.fd, copy));
  }

  /** Sets what close does with data that has not been sent: SO_LINGER.
   *
   * @param seconds how long the system tries to send it, from 0 to 65,535 seconds; 0 discards it and resets the
   * connection; null is the system's default, which sends it in the background
   * @throws {TypeError} for a value that is neither a whole number nor null
   * @throws {RangeError} for a number outside 0 to 65,535
   */
  setLinger(seconds: number | null): void {
    setUnlessEnded(this.#descriptor.fd, () => setOption(this.#descriptor.fd, sockopt.SO_LINGER, { seconds }));
  }

  /** Returns what the kernel knows of the connection: TCP_INFO (TCP_CONNECTION_INFO on macOS).
   *
   * @throws {Deno.errors.BadResource} if the connection is closed
   * @throws {SocketError} ENOPROTOOPT if the system has none
   */
  info(): TcpInfo {
    return tcpInfo(this.#descriptor.fd);
  }
}

/** Sets options of a connection. macOS refuses any with EINVAL where both sides have ended it: none is of use then. */
function setUnlessEnded(fd: number, set: () => void): void {
  try {
    set();
  } catch (error) {
    if (!isSocketError(error) || error.code !== "EINVAL" || peerName(fd) !== null) throw error;
  }
}

/** A TCP listener, made by {@linkcode listen}. It has the members of `Deno.TcpListener`, and deadlines and signals; any
 * number of accepts can wait.
 *
 * @example
 * ```ts
 * import { connect, listen } from "@berkeley/sockets";
 *
 * using listener = listen({ hostname: "127.0.0.1", port: 0 });
 * const accepting = [listener.accept(), listener.accept()];
 * using first = await connect({ port: listener.addr.port });
 * using second = await connect({ port: listener.addr.port });
 * for (const conn of await Promise.all(accepting)) conn.close();
 * console.log(first.remoteAddr.port === second.remoteAddr.port); // true
 * ```
 */
export class TcpListener extends StreamListener<TcpConn, Deno.NetAddr> implements Deno.TcpListener {
  private constructor(descriptor: Descriptor) {
    requireDescriptor(descriptor);
    super(descriptor, decodeNet("tcp", socketName(descriptor.fd)), (accepted, peer) => {
      return tcpConn(accepted, decodeNet("tcp", peer.bytes));
    });
  }

  static {
    makeListener = (descriptor) => new TcpListener(descriptor);
  }

  /** Always "TcpListener". */
  get kind(): "TcpListener" {
    return "TcpListener";
  }

  /** Waits for a connection and resolves to it: accept4(2). Any number of accepts can wait; connections go to them in
   * order. A connection that fails before it is accepted is skipped.
   *
   * @throws {Deno.errors.BadResource} if the listener is closed, before the call or while it waits
   * @throws {SocketError} EMFILE or ENFILE if no descriptor is free; the connection stays in the queue and the listener
   * stays usable
   * @throws {Deno.errors.TimedOut} if the read deadline expires
   */
  override accept(options?: WaitOptions): Promise<TcpConn> {
    return super.accept(options);
  }
}
