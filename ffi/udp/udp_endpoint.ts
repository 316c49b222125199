import type { Descriptor } from "../io/descriptor.ts";
import { dropsOf, queuedIn } from "./counters.ts";
import type { IpFamily } from "./families.ts";
import { MulticastEndpoint } from "./multicast_endpoint.ts";
import { pathMtu } from "./path_mtu.ts";

/** The base class of {@linkcode UdpSocket} with what the kernel knows of its queues and of its path. See udp(7) and ip(7).
 *
 * @example
 * ```ts
 * import { listenDatagram, type UdpEndpoint } from "@berkeley/sockets";
 *
 * function report({ drops, queued }: UdpEndpoint): string {
 *   return `${drops} datagrams dropped, ${queued.receive} bytes waiting`;
 * }
 * using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
 * if (Deno.build.os === "linux") console.log(report(udp)); // 0 datagrams dropped, 0 bytes waiting
 * ```
 */
export abstract class UdpEndpoint extends MulticastEndpoint {
  readonly #descriptor: Descriptor;

  /** @ignore */
  protected constructor(descriptor: Descriptor, family: IpFamily) {
    super(descriptor, family);
    this.#descriptor = descriptor;
  }

  /** The number of datagrams that the kernel has dropped since the socket was opened, because its receive buffer was full
   * or a filter rejected them: SO_MEMINFO.
   *
   * @throws {Deno.errors.NotSupported} if the system has no SO_MEMINFO
   */
  get drops(): number {
    return dropsOf(this.#descriptor.fd);
  }

  /** Bytes that wait to be received, and to be sent: ioctl(2) with SIOCINQ and SIOCOUTQ. On Linux `receive` is the length of
   * the next datagram alone, and `send` includes the kernel's own overhead.
   *
   * @throws {Deno.errors.NotSupported} on macOS
   */
  get queued(): { receive: number; send: number } {
    return queuedIn(this.#descriptor.fd);
  }

  /** The known MTU of the path to the connected peer, in bytes: IP_MTU, IPV6_MTU.
   *
   * @throws {Deno.errors.NotConnected} without a peer
   * @throws {Deno.errors.NotSupported} if the system has no IP_MTU
   */
  get pathMtu(): number {
    return pathMtu(this.#descriptor.fd);
  }
}
