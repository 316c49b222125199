import { type Attempt, firstSuccess } from "./tcp/happy_eyeballs.ts";
import type { SeqpacketConn } from "./unix/seqpacket.ts";
import { type Dial, pathWithoutTransport, requireOptions, signalOf, type WaitOptions } from "./validate/options.ts";
import { quote } from "./validate/quote.ts";
import { type TcpConnectOptions, tcpDial } from "./tcp/connect.ts";
import type { TcpConn } from "./tcp/tcp.ts";
import type { UnixConn } from "./unix/unix.ts";
import { type SeqpacketConnectOptions, seqpacketDial, type UnixConnectOptions, unixDial } from "./unix/connect.ts";

/** What says where to. */
const DIALLED = "{ hostname, port } or { transport, path }";

/** Dials: as `Deno.connect`, with a local address, options before connect, a deadline and a signal. A name's addresses
 * are raced as RFC 8305 says; the losers are closed. connect(2); SO_ERROR and getpeername(2) decide whether it
 * succeeded.
 *
 * @throws {Deno.errors.ConnectionRefused} when nobody listens at any of the host's addresses; {@linkcode SocketError}
 * has the details
 * @throws {Deno.errors.TimedOut} past the deadline, or when the system gave up
 * @throws {Deno.errors.NotFound} for a name nobody knows
 * @throws {Deno.errors.NotCapable} without `--allow-net` for the host
 * @throws {TypeError} for an unknown transport, a port that is no whole number
 * @throws {RangeError} for a port beyond 0 to 65535
 * @throws whatever the reason of an aborted signal is
 *
 * @example
 * ```ts
 * import { connect, listen } from "@berkeley/sockets";
 *
 * using listener = listen({ hostname: "127.0.0.1", port: 0 });
 * using conn = await connect({ port: listener.addr.port, signal: AbortSignal.timeout(1_000) });
 * console.log(conn.remoteAddr.port === listener.addr.port); // true
 * ```
 */
export function connect(options: TcpConnectOptions): Promise<TcpConn>;
/** Dials a Unix stream socket at a path or an abstract name. A full backlog is waited for. connect(2).
 *
 * @throws {TypeError} for a path that is empty, too long or has a NUL inside
 * @throws {Deno.errors.NotFound} where there is nothing, Deno.errors.ConnectionRefused where nobody listens any more
 * @throws {Deno.errors.PermissionDenied} where the file may not be written to
 * @throws {Deno.errors.NotCapable} without `--allow-read` and `--allow-write` for the path and `--allow-net`
 *
 * @example
 * ```ts
 * import { connect, listen } from "@berkeley/sockets";
 *
 * const path = `/tmp/berkeley-${Deno.pid}.sock`;
 * using listener = listen({ transport: "unix", path });
 * using conn = await connect({ transport: "unix", path });
 * console.log(conn.remoteAddr.path === path, listener.addr.path === path); // true true
 * ```
 */
export function connect(options: UnixConnectOptions): Promise<UnixConn>;
/** Dials a Unix socket that keeps message boundaries, SOCK_SEQPACKET, at a path or an abstract name. connect(2).
 *
 * @example
 * ```ts
 * import { connect, listen } from "@berkeley/sockets";
 *
 * const path = `/tmp/berkeley-${Deno.pid}.sock`;
 * using listener = listen({ transport: "seqpacket", path });
 * using conn = await connect({ transport: "seqpacket", path });
 * using peer = await listener.accept();
 * await conn.send(new Uint8Array(3));
 * console.log((await peer.receive())?.length); // 3
 * ```
 */
export function connect(options: SeqpacketConnectOptions): Promise<SeqpacketConn>;
/** Dials where the options say: TCP, or a path of a Unix socket of either kind.
 *
 * @throws as the other forms do
 *
 * @example
 * ```ts
 * import { connect, listen, type TcpConnectOptions, type UnixConnectOptions } from "@berkeley/sockets";
 *
 * using listener = listen({ hostname: "127.0.0.1", port: 0 });
 * const options: TcpConnectOptions | UnixConnectOptions = { port: listener.addr.port };
 * using conn = await connect(options);
 * console.log(conn.kind); // TcpConn
 * ```
 */
export function connect(options: TcpConnectOptions | UnixConnectOptions): Promise<TcpConn | UnixConn>;
/** Dials where the options say: TCP, or a path of a Unix socket of any kind.
 *
 * @throws as the other forms do
 */
export function connect(
  options: TcpConnectOptions | UnixConnectOptions | SeqpacketConnectOptions,
): Promise<TcpConn | UnixConn | SeqpacketConn>;
export function connect(
  options: TcpConnectOptions | UnixConnectOptions | SeqpacketConnectOptions,
): Promise<TcpConn | UnixConn | SeqpacketConn> {
  return Promise.try(() => {
    const { signal, run } = dialOf(options);
    return run(signal);
  });
}

/** Checks what is to be dialled, without dialling it. */
function dialOf(
  options: TcpConnectOptions | UnixConnectOptions | SeqpacketConnectOptions,
): Dial<TcpConn | UnixConn | SeqpacketConn> {
  requireOptions(options, DIALLED);
  const { transport } = options;
  if (transport === undefined && "path" in options) throw pathWithoutTransport();
  if (transport === undefined || transport === "tcp") return tcpDial(options as TcpConnectOptions);
  if (transport === "unix") return unixDial(options as UnixConnectOptions);
  if (transport === "seqpacket") return seqpacketDial(options as SeqpacketConnectOptions);
  throw new TypeError(`Unknown transport: ${quote(transport)}, expected "tcp", "unix" or "seqpacket"`);
}

/** Dials all at once: the first connection wins, every other attempt is cancelled and closed before this resolves. A
 * candidate that is wrong is found before anything is dialled.
 *
 * @throws {AggregateError} when none succeeds, with the error of each in `errors`
 * @throws {TypeError} for a candidate with an unknown option, a value of another type or no port
 * @throws whatever the reason of an aborted signal is
 *
 * @example
 * ```ts
 * import { connectAny, listen } from "@berkeley/sockets";
 *
 * using listener = listen({ hostname: "127.0.0.1", port: 0 });
 * using conn = await connectAny([{ port: 1 }, { port: listener.addr.port }]);
 * console.log(conn.remoteAddr.port === listener.addr.port); // true
 * ```
 */
export function connectAny(candidates: readonly TcpConnectOptions[], options?: WaitOptions): Promise<TcpConn>;
/** Dials TCP and Unix stream sockets at once: the first connection wins, every other attempt is cancelled and closed.
 *
 * @throws {AggregateError} when none succeeds, with the error of each in `errors`
 */
export function connectAny(
  candidates: readonly (TcpConnectOptions | UnixConnectOptions)[],
  options?: WaitOptions,
): Promise<TcpConn | UnixConn>;
/** Dials TCP and Unix sockets of any kind at once: the first connection wins, every other attempt is cancelled and
 * closed.
 *
 * @throws {AggregateError} when none succeeds, with the error of each in `errors`
 */
export function connectAny(
  candidates: readonly (TcpConnectOptions | UnixConnectOptions | SeqpacketConnectOptions)[],
  options?: WaitOptions,
): Promise<TcpConn | UnixConn | SeqpacketConn>;
export async function connectAny(
  candidates: readonly (TcpConnectOptions | UnixConnectOptions | SeqpacketConnectOptions)[],
  options?: WaitOptions,
): Promise<TcpConn | UnixConn | SeqpacketConn> {
  if (!Array.isArray(candidates)) {
    throw new TypeError(`Invalid candidates: ${quote(candidates)}, expected an array of what connect takes`);
  }
  const signal = signalOf(options);
  const dials = Array.from(
    candidates as readonly (TcpConnectOptions | UnixConnectOptions | SeqpacketConnectOptions)[],
    dialOf,
  );
  const attempts = dials.map(({ signal: own, run }): Attempt<TcpConn | UnixConn | SeqpacketConn> => (cancelled) => {
    return run(own === undefined ? cancelled : AbortSignal.any([own, cancelled]));
  });
  const { winner, errors } = await firstSuccess(attempts, { stagger: 0, signal });
  if (winner !== undefined) return winner;
  throw new AggregateError(errors, `None of ${dials.length} candidates answered`);
}
