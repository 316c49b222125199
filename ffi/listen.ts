import { pathWithoutTransport, requireOptions } from "./validate/options.ts";
import { quote } from "./validate/quote.ts";
import { listenTcp, type TcpListenOptions } from "./tcp/listen.ts";
import type { SeqpacketListener } from "./unix/seqpacket.ts";
import type { TcpListener } from "./tcp/tcp.ts";
import type { UnixListener } from "./unix/unix.ts";
import { listenSeqpacket, listenUnix, type SeqpacketListenOptions, type UnixListenOptions } from "./unix/listen.ts";

/** Opens a listener: as `Deno.listen`, with everything that can be asked for before bind. socket(2), setsockopt(2),
 * bind(2), listen(2).
 *
 * @throws {TypeError} for an unknown transport, a port or backlog that is no whole number
 * @throws {RangeError} for a port beyond 0 to 65535, a backlog below 0
 * @throws {Deno.errors.NotSupported} for `reusePort` on a system that would not spread connections
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
export function listen(options: TcpListenOptions): TcpListener;
/** Opens a listener at a path or an abstract name: as `Deno.listen`, with everything that can be asked for before bind.
 * socket(2), bind(2), chmod(2) for `mode`, listen(2).
 *
 * @throws {TypeError} for a path that is too long or has a NUL inside
 * @throws {Deno.errors.AddrInUse} for a path where anything stands; `replaceStale` removes a socket that nobody listens
 * on
 * @throws {Deno.errors.NotFound} without the directory
 * @throws {Deno.errors.PermissionDenied} where the directory may not be written to
 * @throws {Deno.errors.NotCapable} without `--allow-read` and `--allow-write` for the path and `--allow-net`
 *
 * @example
 * ```ts
 * import { listen } from "@berkeley/sockets";
 *
 * const path = `/tmp/berkeley-${Deno.pid}.sock`;
 * using listener = listen({ transport: "unix", path, mode: 0o600, replaceStale: true });
 * console.log(listener.addr.path === path); // true
 * ```
 */
export function listen(options: UnixListenOptions): UnixListener;
/** Opens a listener for connections that keep message boundaries, SOCK_SEQPACKET, at a path or an abstract name.
 *
 * @example
 * ```ts
 * import { listen } from "@berkeley/sockets";
 *
 * const path = `/tmp/berkeley-${Deno.pid}.sock`;
 * using listener = listen({ transport: "seqpacket", path });
 * console.log(listener.addr); // { transport: "seqpacket", path: … }
 * ```
 */
export function listen(options: SeqpacketListenOptions): SeqpacketListener;
/** Opens a listener of the kind that the options name.
 *
 * @throws as the other forms do
 *
 * @example
 * ```ts
 * import { listen, type TcpListenOptions, type UnixListenOptions } from "@berkeley/sockets";
 *
 * const options: TcpListenOptions | UnixListenOptions = { hostname: "127.0.0.1", port: 0 };
 * using listener = listen(options);
 * console.log(listener.kind); // TcpListener
 * ```
 */
export function listen(options: TcpListenOptions | UnixListenOptions): TcpListener | UnixListener;
/** Opens a listener of the kind that the options name.
 *
 * @throws as the other forms do
 */
export function listen(
  options: TcpListenOptions | UnixListenOptions | SeqpacketListenOptions,
): TcpListener | UnixListener | SeqpacketListener;
export function listen(
  options: TcpListenOptions | UnixListenOptions | SeqpacketListenOptions,
): TcpListener | UnixListener | SeqpacketListener {
  requireOptions(options, "{ hostname, port } or { transport, path }");
  const { transport } = options;
  if (transport === undefined && "path" in options) throw pathWithoutTransport();
  if (transport === undefined || transport === "tcp") return listenTcp(options as TcpListenOptions);
  if (transport === "unix") return listenUnix(options as UnixListenOptions);
  if (transport === "seqpacket") return listenSeqpacket(options as SeqpacketListenOptions);
  throw new TypeError(`Unknown transport: ${quote(transport)}, expected "tcp", "unix" or "seqpacket"`);
}
