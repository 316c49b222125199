import { StreamListener } from "../socket/listener.ts";
import { decodeNet } from "../address/address.ts";
import type { Descriptor } from "../io/descriptor.ts";
import type { WaitOptions } from "../validate/options.ts";
import { setOption } from "../option/option.ts";
import { peerName, socketName } from "../address/sockname.ts";
import { sockopt } from "../option/sockopt.ts";
import { copyKeepAlive, type KeepAlive, setKeepAlive } from "./keep_alive.ts";
import { StreamConn } from "../socket/stream.ts";

let makeConn: (descriptor: Descriptor, remoteAddr?: Deno.NetAddr) => TcpConn;
let makeListener: (descriptor: Descriptor) => TcpListener;

/** The connection that a descriptor is. */
export function tcpConn(descriptor: Descriptor, remoteAddr?: Deno.NetAddr): TcpConn {
  return makeConn(descriptor, remoteAddr);
}

/** The listener that a descriptor is. */
export function tcpListener(descriptor: Descriptor): TcpListener {
  return makeListener(descriptor);
}

/** A TCP connection: `Deno.TcpConn` with deadlines, signals, half-close and all of its options. {@linkcode connect} and
 * {@linkcode TcpListener} make them.
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
    const peer = remoteAddr ?? decodeNet("tcp", peerName(descriptor.fd) ?? new Uint8Array(2));
    super(descriptor, decodeNet("tcp", socketName(descriptor.fd)), peer);
    this.#descriptor = descriptor;
  }

  static {
    makeConn = (descriptor, remoteAddr) => new TcpConn(descriptor, remoteAddr);
  }

  /** "TcpConn". */
  get kind(): "TcpConn" {
    return "TcpConn";
  }

  /** Sends small writes at once, or with `false` gathers them: TCP_NODELAY. {@linkcode connect} switches it on.
   *
   * @throws {TypeError} for anything but a boolean
   */
  setNoDelay(noDelay = true): void {
    setOption(this.#descriptor.fd, sockopt.TCP_NODELAY, noDelay);
  }

  /** Sets whether and how an idle connection is probed: SO_KEEPALIVE, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT.
   *
   * Nothing is changed where a value is refused.
   *
   * @throws {TypeError} for anything but a boolean or whole numbers
   * @throws {RangeError} for seconds beyond 1 to 32,767, or a `count` beyond 1 to 127
   */
  setKeepAlive(keepAlive: boolean | KeepAlive = true): void {
    setKeepAlive(this.#descriptor.fd, copyKeepAlive(keepAlive));
  }

  /** Seconds that close leaves the system for what is still to be sent; 0 throws it away and resets the connection,
   * null is the system's default: SO_LINGER.
   *
   * @throws {TypeError} for anything but a whole number or null
   * @throws {RangeError} for seconds beyond 0 to 65,535
   */
  setLinger(seconds: number | null): void {
    setOption(this.#descriptor.fd, sockopt.SO_LINGER, { seconds });
  }
}

/** A TCP listener: `Deno.TcpListener` on which any number of accepts may wait, with deadlines and signals.
 * {@linkcode listen} makes one.
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
    super(descriptor, decodeNet("tcp", socketName(descriptor.fd)), (accepted, peer) => {
      return tcpConn(accepted, decodeNet("tcp", peer.bytes));
    });
  }

  static {
    makeListener = (descriptor) => new TcpListener(descriptor);
  }

  /** "TcpListener". */
  get kind(): "TcpListener" {
    return "TcpListener";
  }

  /** Waits for a connection, as {@linkcode StreamListener.accept} says. */
  override accept(options?: WaitOptions): Promise<TcpConn> {
    return super.accept(options);
  }
}
