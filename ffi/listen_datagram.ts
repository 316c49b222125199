import { requireOptions } from "./validate/options.ts";
import { quote } from "./validate/quote.ts";
import { listenUdp, type UdpListenOptions } from "./udp/listen.ts";
import type { UdpSocket } from "./udp/udp.ts";
import { listenUnixDatagram, type UnixDatagram, type UnixDatagramOptions } from "./unix/datagram.ts";

/** Opens a socket for datagrams: as `Deno.listenDatagram`, with everything that can be asked for before bind.
 * socket(2), setsockopt(2), bind(2).
 *
 * @throws {TypeError} for an unknown transport, a port that is no whole number
 * @throws {RangeError} for a port beyond 0 to 65535
 * @throws {Deno.errors.NotSupported} for `reusePort` on a system that would not spread datagrams
 * @throws {Deno.errors.AddrInUse} for an address that another socket holds; {@linkcode SocketError} has the details
 * @throws {Deno.errors.NotCapable} without `--allow-net` for the address
 * @throws {Deno.errors.NotFound} for a name nobody knows
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
/** Opens a socket for datagrams in the file system's or the abstract name space; Deno's "unixpacket" is Go's "unixgram".
 * socket(2), bind(2).
 *
 * @throws {TypeError} for a path that is too long or has a NUL inside
 * @throws {Deno.errors.AddrInUse} for a path where anything stands; `replaceStale` removes a socket that nobody listens
 * on
 * @throws {Deno.errors.NotCapable} without `--allow-read` and `--allow-write` for the path and `--allow-net`
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
/** Opens a socket for datagrams of the kind that the options name.
 *
 * @throws as the other forms do
 */
export function listenDatagram(options: UdpListenOptions | UnixDatagramOptions): UdpSocket | UnixDatagram;
export function listenDatagram(options: UdpListenOptions | UnixDatagramOptions): UdpSocket | UnixDatagram {
  requireOptions(options, '{ transport: "udp", hostname, port } or { transport: "unixgram", path }');
  const { transport } = options;
  if (transport === "udp") return listenUdp(options as UdpListenOptions);
  if (transport === "unixpacket" || transport === "unixgram") return listenUnixDatagram(options as UnixDatagramOptions);
  throw new TypeError(`Unknown transport: ${quote(transport)}, expected "udp", "unixpacket" or "unixgram"`);
}
