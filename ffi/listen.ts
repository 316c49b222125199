import { askAgain } from "./address/grants.ts";
import { pathWithoutTransport, requireOptions } from "./validate/options.ts";
import { quote } from "./validate/quote.ts";
import { listenTcp, type TcpListenOptions } from "./tcp/listen.ts";
import type { SeqpacketListener } from "./unix/seqpacket.ts";
import type { TcpListener } from "./tcp/tcp.ts";
import type { UnixListener } from "./unix/unix.ts";
import { listenSeqpacket, listenUnix, type SeqpacketListenOptions, type UnixListenOptions } from "./unix/listen.ts";

/** Opens a TCP listener, as `Deno.listen` does, with more options: socket(2), setsockopt(2), bind(2), listen(2).
 *
 * A host name is resolved synchronously, which blocks the event loop; an IP address does not.
 *
 * @param options the port (0, a free one, by default), the hostname ("0.0.0.0" by default), and others; see
 * {@linkcode TcpListenOptions}
 * @returns the listener, already listening
 * @throws {TypeError} for an unknown option or transport, or a port or backlog that is not a whole number
 * @throws {RangeError} for a port outside 0 to 65535, or a negative backlog
 * @throws {Deno.errors.NotSupported} for `reusePort` on a system that does not spread connections
 * @throws {Deno.errors.AddrInUse} if another socket has the address; {@linkcode SocketError} has the details
 * @throws {Deno.errors.AddrNotAvailable} if this machine does not have the address
 * @throws {Deno.errors.NotCapable} without `--allow-net` for the address
 * @throws {Deno.errors.NotFound} for an unknown host name
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
/** Opens a listener for Unix stream connections at a path or an abstract name, as `Deno.listen` does, with more options:
 * socket(2), bind(2), chmod(2) for `mode`, listen(2).
 *
 * With `replaceStale` it blocks the event loop for up to a second while another process has locked the directory.
 *
 * @param options the path, and others; see {@linkcode UnixListenOptions}
 * @returns the listener, already listening
 * @throws {TypeError} for an unknown option, or a path that is too long or contains a NUL
 * @throws {Deno.errors.AddrInUse} if the path exists or the abstract name is in use; `replaceStale` replaces a socket
 * without a listener
 * @throws {Deno.errors.NotFound} if the directory does not exist
 * @throws {Deno.errors.PermissionDenied} if the directory is not writable
 * @throws {Deno.errors.NotCapable} without `--allow-read`, `--allow-write` and `--allow-net=unix:/the/path`
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
/** Opens a listener for Unix connections that keep message boundaries (SOCK_SEQPACKET) at a path or an abstract name:
 * socket(2), bind(2), chmod(2) for `mode`, listen(2).
 *
 * With `replaceStale` it blocks the event loop for up to a second while another process has locked the directory.
 *
 * @param options the path, and others; see {@linkcode SeqpacketListenOptions}
 * @returns the listener, already listening
 * @throws {TypeError} for an unknown option, or a path that is too long or contains a NUL
 * @throws {Deno.errors.AddrInUse} if the path exists or the abstract name is in use; `replaceStale` replaces a socket
 * without a listener
 * @throws {Deno.errors.NotFound} if the directory does not exist
 * @throws {Deno.errors.PermissionDenied} if the directory is not writable
 * @throws {Deno.errors.NotCapable} without `--allow-read`, `--allow-write` and `--allow-net=unix:/the/path`
 * @throws {SocketError} EPROTONOSUPPORT on macOS
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
/** Opens a TCP or Unix listener: the `transport` of the options decides, "tcp" by default. This overload accepts a union
 * of option types; use `kind` or `instanceof` to tell the results apart.
 *
 * @throws {TypeError} for an unknown option or transport
 * @throws {Deno.errors.AddrInUse} if the address is in use
 * @throws {Deno.errors.NotCapable} without the permission for the address
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
/** Opens a TCP, Unix or seqpacket listener: the `transport` of the options decides, "tcp" by default. This overload
 * accepts a union of all option types; use `kind` or `instanceof` to tell the results apart.
 *
 * @throws {TypeError} for an unknown option or transport
 * @throws {Deno.errors.AddrInUse} if the address is in use
 * @throws {Deno.errors.NotCapable} without the permission for the address
 */
export function listen(
  options: TcpListenOptions | UnixListenOptions | SeqpacketListenOptions,
): TcpListener | UnixListener | SeqpacketListener;
export function listen(
  options: TcpListenOptions | UnixListenOptions | SeqpacketListenOptions,
): TcpListener | UnixListener | SeqpacketListener {
  requireOptions(options, "{ hostname, port } or { transport, path }");
  askAgain();
  const { transport } = options;
  if (transport === undefined && "path" in options) throw pathWithoutTransport();
  if (transport === undefined || transport === "tcp") return listenTcp(options as TcpListenOptions);
  if (transport === "unix") return listenUnix(options as UnixListenOptions);
  if (transport === "seqpacket") return listenSeqpacket(options as SeqpacketListenOptions);
  throw new TypeError(`Unknown transport: ${quote(transport)}, expected "tcp", "unix" or "seqpacket"`);
}
