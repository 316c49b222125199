import { StreamListener } from "../socket/listener.ts";
import { decodeNet } from "../address/address.ts";
import type { PeerName } from "../io/accept.ts";
import type { Descriptor } from "../io/descriptor.ts";
import type { WaitOptions } from "../validate/options.ts";
import { setOption, setOptions, type SocketOption } from "../option/option.ts";
import { quote } from "../validate/quote.ts";
import { peerName, socketName } from "../address/sockname.ts";
import { sockopt } from "../option/sockopt.ts";
import { StreamConn } from "../socket/stream.ts";

/** How an idle connection is probed. What is left out stays the system's.
 *
 * @example
 * ```ts
 * import { connect, listen } from "@berkeley/sockets";
 *
 * using listener = listen({ hostname: "127.0.0.1", port: 0 });
 * using conn = await connect({ port: listener.addr.port, keepAlive: { idle: 30, interval: 5, count: 3 } });
 * conn.setKeepAlive(false);
 * ```
 */
export interface KeepAlive {
  /** Seconds of silence before the first probe: TCP_KEEPIDLE. */
  idle?: number;
  /** Seconds between probes: TCP_KEEPINTVL. */
  interval?: number;
  /** Probes without an answer before the connection is given up: TCP_KEEPCNT. */
  count?: number;
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
  /** @ignore */
  constructor(descriptor: Descriptor, remoteAddr?: Deno.NetAddr) {
    const peer = remoteAddr ?? decodeNet("tcp", peerName(descriptor.fd) ?? new Uint8Array(2));
    super(descriptor, decodeNet("tcp", socketName(descriptor.fd)), peer);
  }

  /** Sends small writes at once, or with `false` gathers them: TCP_NODELAY. {@linkcode connect} switches it on.
   *
   * @throws {TypeError} for anything but a boolean
   */
  setNoDelay(noDelay = true): void {
    setOption(this.descriptor.fd, sockopt.TCP_NODELAY, noDelay);
  }

  /** Sets whether and how an idle connection is probed: SO_KEEPALIVE, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT.
   *
   * Nothing is changed where a value is refused.
   *
   * @throws {TypeError} for anything but a boolean or whole numbers
   * @throws {SocketError} EINVAL for numbers that the system refuses, such as 0
   */
  setKeepAlive(keepAlive: boolean | KeepAlive = true): void {
    setKeepAlive(this.descriptor.fd, keepAlive);
  }

  /** Seconds that close leaves the system for what is still to be sent; 0 throws it away and resets the connection,
   * null is the system's default: SO_LINGER.
   *
   * @throws {TypeError} for anything but a whole number or null
   * @throws {RangeError} for seconds beyond 0 to 65,535
   */
  setLinger(seconds: number | null): void {
    setOption(this.descriptor.fd, sockopt.SO_LINGER, { seconds });
  }
}

/** Sets how a connection is probed. */
export function setKeepAlive(fd: number, keepAlive: boolean | KeepAlive): void {
  if (typeof keepAlive !== "boolean" && (keepAlive === null || typeof keepAlive !== "object")) {
    const wanted = "a boolean or { idle, interval, count }";
    throw new TypeError(`Invalid keepAlive: ${quote(keepAlive)}, expected ${wanted}`);
  }
  const { idle, interval, count } = typeof keepAlive === "boolean" ? {} as KeepAlive : keepAlive;
  const settings: [SocketOption<unknown>, unknown][] = [[sockopt.SO_KEEPALIVE, keepAlive !== false]];
  if (idle !== undefined) settings.push([sockopt.TCP_KEEPIDLE, idle]);
  if (interval !== undefined) settings.push([sockopt.TCP_KEEPINTVL, interval]);
  if (count !== undefined) settings.push([sockopt.TCP_KEEPCNT, count]);
  setOptions(fd, settings);
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
  /** @ignore */
  constructor(descriptor: Descriptor) {
    super(descriptor, decodeNet("tcp", socketName(descriptor.fd)));
  }

  /** @ignore */
  protected override wrap(descriptor: Descriptor, peer: PeerName): TcpConn {
    return new TcpConn(descriptor, decodeNet("tcp", peer.bytes));
  }

  /** Waits for a connection, as {@linkcode StreamListener.accept} says. */
  override accept(options?: WaitOptions): Promise<TcpConn> {
    return super.accept(options);
  }
}
