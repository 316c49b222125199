import { askAgain } from "./address/grants.ts";
import { type Attempt, firstSuccess } from "./tcp/happy_eyeballs.ts";
import type { SeqpacketConn } from "./unix/seqpacket.ts";
import { withCallers } from "./libc/caller_stack.ts";
import { type Dial, pathWithoutTransport, requireOptions, signalOf, type WaitOptions } from "./validate/options.ts";
import { located } from "./validate/locate.ts";
import { quote } from "./validate/quote.ts";
import { type TcpConnectOptions, tcpDial } from "./tcp/connect.ts";
import type { TcpConn } from "./tcp/tcp.ts";
import type { UnixConn } from "./unix/unix.ts";
import { type SeqpacketConnectOptions, seqpacketDial, type UnixConnectOptions, unixDial } from "./unix/connect.ts";

/** The form of the options, for error messages. */
const DIALLED = "{ hostname, port } or { transport, path }";

/** Opens a TCP connection, as `Deno.connect` does, with a local address, socket options, a deadline and a signal:
 * socket(2), connect(2). The addresses of a host name are tried as RFC 8305 (Happy Eyeballs) describes. The event loop
 * is not blocked.
 *
 * @param options the port, the hostname ("127.0.0.1" by default), and others; see {@linkcode TcpConnectOptions}
 * @returns a promise for the connection
 * @throws {Deno.errors.ConnectionRefused} if nothing listens at any address of the host; {@linkcode SocketError} has
 * the details
 * @throws {Deno.errors.TimedOut} if the deadline expires, or the system gives up
 * @throws {Deno.errors.NotFound} for an unknown host name
 * @throws {Deno.errors.NotCapable} without `--allow-net` for the host
 * @throws {TypeError} for an unknown option or transport, or a port that is not a whole number
 * @throws {RangeError} for a port outside 0 to 65535
 * @throws the reason of the signal, if it is aborted
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
/** Connects to a Unix stream socket at a path or an abstract name: socket(2), connect(2). It waits while the backlog of
 * the listener is full, without blocking the event loop.
 *
 * @param options the path, and others; see {@linkcode UnixConnectOptions}
 * @returns a promise for the connection
 * @throws {TypeError} for an unknown option, or a path that is empty, too long or contains a NUL
 * @throws {Deno.errors.NotFound} if the path does not exist
 * @throws {Deno.errors.ConnectionRefused} if nothing listens at the path
 * @throws {Deno.errors.PermissionDenied} if the path is not writable
 * @throws {Deno.errors.TimedOut} if the deadline expires
 * @throws {Deno.errors.NotCapable} without `--allow-read`, `--allow-write` and `--allow-net=unix:/the/path`
 * @throws the reason of the signal, if it is aborted
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
/** Connects to a Unix socket that keeps message boundaries (SOCK_SEQPACKET) at a path or an abstract name: socket(2),
 * connect(2). It waits while the backlog of the listener is full, without blocking the event loop.
 *
 * @param options the path, and others; see {@linkcode SeqpacketConnectOptions}
 * @returns a promise for the connection
 * @throws {TypeError} for an unknown option, or a path that is empty, too long or contains a NUL
 * @throws {Deno.errors.NotFound} if the path does not exist
 * @throws {Deno.errors.ConnectionRefused} if nothing listens at the path
 * @throws {Deno.errors.PermissionDenied} if the path is not writable
 * @throws {Deno.errors.TimedOut} if the deadline expires
 * @throws {Deno.errors.NotCapable} without `--allow-read`, `--allow-write` and `--allow-net=unix:/the/path`
 * @throws the reason of the signal, if it is aborted
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
/** Opens a TCP or a Unix stream connection: the `transport` of the options decides, "tcp" by default. This overload
 * accepts a union of option types; use `kind` or `instanceof` to tell the results apart.
 *
 * @returns a promise for the connection
 * @throws {TypeError} for an unknown option or transport
 * @throws {Deno.errors.ConnectionRefused} if nothing listens at the address
 * @throws {Deno.errors.TimedOut} if the deadline expires
 * @throws {Deno.errors.NotCapable} without the permission for the address
 * @throws the reason of the signal, if it is aborted
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
/** Opens a TCP, Unix stream or seqpacket connection: the `transport` of the options decides, "tcp" by default. This
 * overload accepts a union of all option types; use `kind` or `instanceof` to tell the results apart.
 *
 * @returns a promise for the connection
 * @throws {TypeError} for an unknown option or transport
 * @throws {Deno.errors.ConnectionRefused} if nothing listens at the address
 * @throws {Deno.errors.TimedOut} if the deadline expires
 * @throws {Deno.errors.NotCapable} without the permission for the address
 * @throws the reason of the signal, if it is aborted
 */
export function connect(
  options: TcpConnectOptions | UnixConnectOptions | SeqpacketConnectOptions,
): Promise<TcpConn | UnixConn | SeqpacketConn>;
export function connect(
  options: TcpConnectOptions | UnixConnectOptions | SeqpacketConnectOptions,
): Promise<TcpConn | UnixConn | SeqpacketConn> {
  return withCallers(Promise.try(() => {
    const { signal, run } = dialOf(options);
    return run(signal);
  }));
}

/** Checks one candidate of a list. Its errors name its index. */
function candidateOf(
  options: TcpConnectOptions | UnixConnectOptions | SeqpacketConnectOptions,
  index: number,
): Dial<TcpConn | UnixConn | SeqpacketConn> {
  try {
    return dialOf(options);
  } catch (error) {
    throw located(`candidates[${index}]`, error);
  }
}

/** Checks and copies the options, without dialling. */
function dialOf(
  options: TcpConnectOptions | UnixConnectOptions | SeqpacketConnectOptions,
): Dial<TcpConn | UnixConn | SeqpacketConn> {
  requireOptions(options, DIALLED);
  askAgain();
  const { transport } = options;
  if (transport === undefined && "path" in options) throw pathWithoutTransport();
  if (transport === undefined || transport === "tcp") return tcpDial(options as TcpConnectOptions);
  if (transport === "unix") return unixDial(options as UnixConnectOptions);
  if (transport === "seqpacket") return seqpacketDial(options as SeqpacketConnectOptions);
  throw new TypeError(`Unknown transport: ${quote(transport)}, expected "tcp", "unix" or "seqpacket"`);
}

/** Dials several TCP addresses at once and resolves to the first connection. All other attempts are cancelled, and their
 * sockets closed, before it resolves. All candidates are checked before the first is dialled. The event loop is not
 * blocked.
 *
 * @param candidates the options of each attempt, as for {@linkcode connect}
 * @param options a signal that cancels all attempts
 * @throws {AggregateError} if no attempt succeeds; `errors` has the error of each
 * @throws {TypeError} for an invalid candidate, with its index in the message
 * @throws the reason of the signal, if it is aborted
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
/** Dials several TCP and Unix stream addresses at once and resolves to the first connection. All other attempts are
 * cancelled, and their sockets closed, before it resolves.
 *
 * @param candidates the options of each attempt, as for {@linkcode connect}
 * @param options a signal that cancels all attempts
 * @throws {AggregateError} if no attempt succeeds; `errors` has the error of each
 * @throws {TypeError} for an invalid candidate, with its index in the message
 * @throws the reason of the signal, if it is aborted
 */
export function connectAny(
  candidates: readonly (TcpConnectOptions | UnixConnectOptions)[],
  options?: WaitOptions,
): Promise<TcpConn | UnixConn>;
/** Dials several TCP, Unix stream and seqpacket addresses at once and resolves to the first connection. All other
 * attempts are cancelled, and their sockets closed, before it resolves.
 *
 * @param candidates the options of each attempt, as for {@linkcode connect}
 * @param options a signal that cancels all attempts
 * @throws {AggregateError} if no attempt succeeds; `errors` has the error of each
 * @throws {TypeError} for an invalid candidate, with its index in the message
 * @throws the reason of the signal, if it is aborted
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
    throw new TypeError(`Invalid candidates: ${quote(candidates)}, expected an array of options for connect`);
  }
  const signal = signalOf(options);
  const dials = Array.from(
    candidates as readonly (TcpConnectOptions | UnixConnectOptions | SeqpacketConnectOptions)[],
    candidateOf,
  );
  const attempts = dials.map(({ signal: own, run }): Attempt<TcpConn | UnixConn | SeqpacketConn> => (cancelled) => {
    return run(own === undefined ? cancelled : AbortSignal.any([own, cancelled]));
  });
  const { winner, errors } = await firstSuccess(attempts, { stagger: 0, signal });
  if (winner !== undefined) return winner;
  throw new AggregateError(errors, `None of ${dials.length} candidates answered`);
}
