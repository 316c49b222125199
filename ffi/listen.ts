import { listenTcp, type TcpListenOptions } from "./tcp_listen.ts";
import type { TcpListener } from "./tcp.ts";

/** Opens a listener: as `Deno.listen`, with everything that can be asked for before bind. socket(2), setsockopt(2), bind(2), listen(2).
 *
 * @throws {TypeError} for an unknown transport, a port or backlog that is no whole number
 * @throws {RangeError} for a port beyond 0 to 65535
 * @throws {Deno.errors.AddrInUse} for an address that another listener holds; {@linkcode SocketError} has the details
 * @throws {Deno.errors.NotCapable} without `--allow-net` for the address
 * @throws {Deno.errors.NotFound} for a name nobody knows
 *
 * @example
 * ```ts
 * import { listen } from "@berkeley/sockets";
 *
 * using listener = listen({ hostname: "127.0.0.1", port: 0, reusePort: true });
 * using beside = listen({ hostname: "127.0.0.1", port: listener.addr.port, reusePort: true });
 * console.log(beside.addr.port === listener.addr.port); // true
 * ```
 */
export function listen(options: TcpListenOptions): TcpListener {
  const transport = options?.transport ?? "tcp";
  if (transport === "tcp") return listenTcp(options as TcpListenOptions);
  throw new TypeError(`Unknown transport: ${JSON.stringify(transport)}, expected "tcp"`);
}
