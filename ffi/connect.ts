import { Race } from "./race.ts";
import type { WaitOptions } from "./socket/operation.ts";
import { connectTcp, type TcpConnectOptions } from "./tcp_connect.ts";
import type { TcpConn } from "./tcp.ts";

/** Dials: as `Deno.connect`, with a local address, options before connect, a deadline and a signal. A name's addresses are raced as RFC 8305
 * says; the losers are closed. connect(2); SO_ERROR and getpeername(2) decide whether it succeeded.
 *
 * @throws {Deno.errors.ConnectionRefused} when nobody listens at any of the host's addresses; {@linkcode SocketError} has the details
 * @throws {Deno.errors.TimedOut} past the deadline, or when the system gave up
 * @throws {Deno.errors.NotFound} for a name nobody knows
 * @throws {Deno.errors.NotCapable} without `--allow-net` for the host
 * @throws {TypeError} for a port that is no whole number
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
export function connect(options: TcpConnectOptions): Promise<TcpConn> {
  const transport = options?.transport ?? "tcp";
  if (transport === "tcp") return connectTcp(options as TcpConnectOptions);
  return Promise.reject(new TypeError(`Unknown transport: ${JSON.stringify(transport)}, expected "tcp"`));
}

/** Dials all at once: the first connection wins, every other attempt is cancelled and closed before this resolves.
 *
 * @throws {AggregateError} when none succeeds, with the error of each
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
export async function connectAny(
  candidates: readonly TcpConnectOptions[],
  options?: WaitOptions,
): Promise<TcpConn> {
  const race = new Race<TcpConn>(options?.signal);
  for (const candidate of candidates) {
    race.start((cancelled) => {
      const signal = candidate.signal ? AbortSignal.any([candidate.signal, cancelled]) : cancelled;
      return connect({ ...candidate, signal });
    });
  }
  while (!race.over && !race.idle) await race.step(Infinity);
  const winner = await race.finish();
  if (winner !== undefined) return winner;
  throw new AggregateError(race.errors, `None of ${candidates.length} candidates answered`);
}
