import { parsePort } from "./address/address.ts";
import { Race } from "./tcp/happy_eyeballs.ts";
import type { SeqpacketConn } from "./unix/seqpacket.ts";
import type { WaitOptions } from "./validate/options.ts";
import { requireOptions } from "./validate/options.ts";
import { quote } from "./validate/quote.ts";
import { connectTcp, type TcpConnectOptions } from "./tcp/connect.ts";
import type { TcpConn } from "./tcp/tcp.ts";
import type { UnixConn } from "./unix/unix.ts";
import {
  connectSeqpacket,
  connectUnix,
  type SeqpacketConnectOptions,
  type UnixConnectOptions,
} from "./unix/connect.ts";

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
/** The same to a path or an abstract name. A full backlog is waited for.
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
/** The same for a connection that keeps message boundaries: SOCK_SEQPACKET.
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
export function connect(
  options: TcpConnectOptions | UnixConnectOptions | SeqpacketConnectOptions,
): Promise<TcpConn | UnixConn | SeqpacketConn> {
  try {
    requireOptions(options, DIALLED);
  } catch (error) {
    return Promise.reject(error);
  }
  const transport = options.transport ?? "tcp";
  if (transport === "tcp") return connectTcp(options as TcpConnectOptions);
  if (transport === "unix") return Promise.try(() => connectUnix(options as UnixConnectOptions));
  if (transport === "seqpacket") return Promise.try(() => connectSeqpacket(options as SeqpacketConnectOptions));
  const known = `"tcp", "unix" or "seqpacket"`;
  return Promise.reject(new TypeError(`Unknown transport: ${quote(transport)}, expected ${known}`));
}

/** Dials all at once: the first connection wins, every other attempt is cancelled and closed before this resolves.
 *
 * @throws {AggregateError} when none succeeds, with the error of each in `errors`
 * @throws {TypeError} for a candidate that has no port
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
/** The same over TCP and Unix sockets. */
export function connectAny(
  candidates: readonly (TcpConnectOptions | UnixConnectOptions)[],
  options?: WaitOptions,
): Promise<TcpConn | UnixConn>;
export async function connectAny(
  candidates: readonly (TcpConnectOptions | UnixConnectOptions)[],
  options?: WaitOptions,
): Promise<TcpConn | UnixConn> {
  if (!Array.isArray(candidates)) {
    throw new TypeError(`Invalid candidates: ${quote(candidates)}, expected an array of what connect takes`);
  }
  for (const candidate of candidates) {
    requireOptions(candidate, DIALLED);
    if ((candidate.transport ?? "tcp") === "tcp") parsePort(candidate.port);
  }
  const race = new Race<TcpConn | UnixConn>(options?.signal);
  for (const candidate of candidates) {
    race.start((cancelled) => {
      const signal = candidate.signal ? AbortSignal.any([candidate.signal, cancelled]) : cancelled;
      return connectEither({ ...candidate, signal });
    });
  }
  while (!race.over && !race.idle) await race.step(Infinity);
  const winner = await race.finish();
  if (winner !== undefined) return winner;
  throw new AggregateError(race.errors, `None of ${candidates.length} candidates answered`);
}

/** The overloads of `connect` want to know which. */
function connectEither(candidate: TcpConnectOptions | UnixConnectOptions): Promise<TcpConn | UnixConn> {
  return candidate.transport === "unix" ? connect(candidate) : connect(candidate);
}
