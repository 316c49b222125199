import type { Descriptor } from "../io/descriptor.ts";
import type { WaitOptions } from "../validate/options.ts";
import { dropsOf, queuedIn } from "./counters.ts";
import type { DatagramError } from "./datagram_error.ts";
import { ErrorQueue, type SentTimestamp } from "./error_queue.ts";
import type { IpFamily } from "./families.ts";
import { MulticastEndpoint } from "./multicast_endpoint.ts";
import { pathMtu } from "./path_mtu.ts";
import { type Reports, reportsOf } from "./reports.ts";

/** The base class of {@linkcode UdpSocket} with what the kernel reports of its datagrams, its queues and its path. See udp(7) and ip(7).
 *
 * @example
 * ```ts
 * import { listenDatagram, sockopt, type UdpEndpoint } from "@berkeley/sockets";
 *
 * function report({ drops, queued }: UdpEndpoint): string {
 *   return `${drops} datagrams dropped, ${queued.receive} bytes waiting`;
 * }
 * using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
 * if (sockopt.SO_RXQ_OVFL.supported) console.log(report(udp)); // 0 datagrams dropped, 0 bytes waiting
 * ```
 */
export abstract class UdpEndpoint extends MulticastEndpoint {
  readonly #descriptor: Descriptor;
  readonly #family: IpFamily;
  readonly #errorQueue: ErrorQueue;
  #reports!: Reports;

  /** @ignore */
  protected constructor(descriptor: Descriptor, family: IpFamily) {
    super(descriptor, family);
    this.#descriptor = descriptor;
    this.#family = family;
    this.#errorQueue = new ErrorQueue(descriptor);
    this.#readReports();
    // Errors and timestamps may be switched on and off through the socket.
    descriptor.afterChange = () => {
      if (!descriptor.closed) this.#readReports();
    };
  }

  /** Waits for the next error of a datagram that was sent earlier, as ICMP or the system itself reported it: recvmsg(2)
   * with MSG_ERRQUEUE, ip(7). It needs `errors: true`. The read deadline applies.
   *
   * A datagram that is too long for its path and may not be fragmented fails its send, and is reported here too, as
   * "local".
   *
   * @throws {TypeError} if the socket was opened without `errors: true`
   */
  receiveError(options?: WaitOptions): Promise<DatagramError> {
    if (!this.#descriptor.closed && !this.#reports.errors) return Promise.reject(notEnabled("errors: true"));
    return this.#errorQueue.receiveError(options);
  }

  /** Waits for the time at which a sent datagram left, as the driver of its interface took it over: recvmsg(2) with
   * MSG_ERRQUEUE and SO_TIMESTAMPING. It needs `timestamps: { transmit: true }`. The read deadline applies.
   *
   * @throws {TypeError} if the socket was opened without `timestamps: { transmit: true }`
   */
  receiveSentTimestamp(options?: WaitOptions): Promise<SentTimestamp> {
    if (!this.#descriptor.closed && !this.#reports.sentTimestamps) {
      return Promise.reject(notEnabled("timestamps: { transmit: true }"));
    }
    return this.#errorQueue.receiveSentTimestamp(options);
  }

  #readReports(): void {
    const reports = this.#reports = reportsOf(this.#descriptor.fd, this.#family);
    this.#errorQueue.keepsErrors = reports.errors;
    this.#descriptor.takeReports = reports.errors || reports.sentTimestamps ? this.#errorQueue.take : null;
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

function notEnabled(option: string): TypeError {
  return new TypeError(`The socket does not keep these: open it with ${option}`);
}
