import { listenUdp, type UdpListenOptions } from "./udp_listen.ts";
import type { UdpSocket } from "./udp.ts";

/** Opens a socket for datagrams: as `Deno.listenDatagram`, with everything that can be asked for before bind.
 *
 * @throws {TypeError} for an unknown transport, a port that is no whole number
 * @throws {RangeError} for a port beyond 0 to 65535
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
export function listenDatagram(options: UdpListenOptions): UdpSocket {
  if (options?.transport === "udp") return listenUdp(options);
  throw new TypeError(
    `Unknown transport: ${JSON.stringify((options as { transport?: unknown })?.transport)}, expected "udp"`,
  );
}
