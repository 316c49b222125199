import { askAgain } from "./address/grants.ts";
import { requireOptions } from "./validate/options.ts";
import { quote } from "./validate/quote.ts";
import { listenUdp, type UdpListenOptions } from "./udp/listen.ts";
import type { UdpSocket } from "./udp/udp.ts";
import type { UnixDatagram } from "./unix/datagram.ts";
import { listenUnixDatagram, type UnixDatagramOptions } from "./unix/listen_datagram.ts";

/** Opens a UDP socket, as `Deno.listenDatagram` does, with more options: socket(2), setsockopt(2), bind(2).
 *
 * A host name is resolved synchronously, which blocks the event loop; an IP address does not.
 *
 * @param options the port (0, a free one, by default), the hostname ("0.0.0.0" by default), and others; see
 * {@linkcode UdpListenOptions}
 * @returns the socket, bound
 * @throws {TypeError} for an unknown option or transport, or a port that is not a whole number
 * @throws {RangeError} for a port outside 0 to 65535
 * @throws {Deno.errors.NotSupported} for `reusePort` on a system that does not spread datagrams
 * @throws {Deno.errors.AddrInUse} if another socket has the address; {@linkcode SocketError} has the details
 * @throws {Deno.errors.AddrNotAvailable} if this machine does not have the address
 * @throws {Deno.errors.NotCapable} without `--allow-net` for the address
 * @throws {Deno.errors.NotFound} for an unknown host name
 *
 * @example Two sockets share a port
 * ```ts
 * import { listenDatagram } from "@berkeley/sockets";
 *
 * using first = listenDatagram({ transport: "udp", hostname: "127.0.0.1", reusePort: true });
 * using second = listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: first.addr.port, reusePort: true });
 * console.log(first.addr.port === second.addr.port); // true
 * ```
 */
export function listenDatagram(options: UdpListenOptions): UdpSocket;
/** Opens a Unix datagram socket (Deno's "unixpacket", Go's "unixgram"), bound to a path or an abstract name, or unbound:
 * socket(2), bind(2), chmod(2) for `mode`.
 *
 * With `replaceStale` it blocks the event loop for up to a second while another process has locked the directory.
 *
 * @param options the path (unbound by default), and others; see {@linkcode UnixDatagramOptions}
 * @returns the socket
 * @throws {TypeError} for an unknown option, or a path that is too long or contains a NUL
 * @throws {Deno.errors.AddrInUse} if the path exists or the abstract name is in use; `replaceStale` replaces a socket
 * without a reader
 * @throws {Deno.errors.NotFound} if the directory does not exist
 * @throws {Deno.errors.NotCapable} without `--allow-read`, `--allow-write` and `--allow-net=unix:/the/path`
 *
 * @example
 * ```ts
 * import { listenDatagram } from "@berkeley/sockets";
 *
 * const path = `/tmp/berkeley-${Deno.pid}.sock`;
 * using sink = listenDatagram({ transport: "unixgram", path });
 * using source = listenDatagram({ transport: "unixgram" });
 * await source.send(new Uint8Array(3), sink.addr);
 * console.log((await sink.receive())[0].length); // 3
 * ```
 */
export function listenDatagram(options: UnixDatagramOptions): UnixDatagram;
/** Opens a UDP or a Unix datagram socket: the `transport` of the options decides. This overload accepts a union of both
 * option types; use `kind` or `instanceof` to tell the results apart.
 *
 * @throws {TypeError} for an unknown option or transport
 * @throws {Deno.errors.AddrInUse} if the address is in use
 * @throws {Deno.errors.NotCapable} without the permission for the address
 */
export function listenDatagram(options: UdpListenOptions | UnixDatagramOptions): UdpSocket | UnixDatagram;
export function listenDatagram(options: UdpListenOptions | UnixDatagramOptions): UdpSocket | UnixDatagram {
  requireOptions(options, '{ transport: "udp", hostname, port } or { transport: "unixgram", path }');
  askAgain();
  const { transport } = options;
  if (transport === "udp") return listenUdp(options as UdpListenOptions);
  if (transport === "unixpacket" || transport === "unixgram") return listenUnixDatagram(options as UnixDatagramOptions);
  throw new TypeError(`Unknown transport: ${quote(transport)}, expected "udp", "unixpacket" or "unixgram"`);
}
