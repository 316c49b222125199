import { libc } from "../libc/libc.ts";
import { asSocketError } from "../libc/socket_error.ts";
import { type IpFamily, LONGEST_PAYLOAD } from "./families.ts";

/** A received datagram with its sender and, on request, packet information and a timestamp: the result of
 * {@linkcode UdpSocket.receiveMessage} and an element of a {@linkcode DatagramBatch}.
 *
 * @example
 * ```ts
 * import { type Datagram, listenDatagram } from "@berkeley/sockets";
 *
 * using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1", packetInfo: true });
 * await udp.send(new Uint8Array(3), udp.addr);
 * const datagram: Datagram = await udp.receiveMessage();
 * console.log(datagram.destination, datagram.ttl, datagram.truncated); // 127.0.0.1 64 false
 * ```
 */
export interface Datagram {
  /** The payload: in memory of its own, or a view of a batch's memory. */
  data: Uint8Array<ArrayBuffer>;
  /** The address of the sender. */
  addr: Deno.NetAddr;
  /** Whether the datagram was longer than the buffer. The rest is lost. */
  truncated: boolean;
  /** With `packetInfo`: the address that the datagram was sent to. */
  destination?: string | undefined;
  /** With `packetInfo`: the address of this machine to answer from, as `source` of a send. It is `destination`, or an
   * address of this machine where that is a multicast or broadcast address; undefined if there is no route back. */
  localAddress?: string | undefined;
  /** With `packetInfo`: the index of the interface that the datagram arrived on. */
  interfaceIndex?: number | undefined;
  /** With `packetInfo`: the TTL or hop limit of the received packet, from 0 to 255. */
  ttl?: number | undefined;
  /** With `packetInfo`: the type of service or traffic class, from 0 to 255. */
  trafficClass?: number | undefined;
  /** With `timestamps`: when the kernel received the datagram, in milliseconds since the epoch, with a fraction. */
  timestamp?: number | undefined;
}

/** Throws if a datagram is longer than a packet of its family can carry. The kernel's error would not name the maximum.
 *
 * @throws {RangeError} with code "EMSGSIZE"
 */
export function requireFits(length: number, packets: IpFamily): void {
  const longest = LONGEST_PAYLOAD[packets];
  if (length <= longest) return;
  const family = packets === "inet" ? "IPv4" : "IPv6";
  const error = new RangeError(`A datagram of ${length} bytes, expected ${longest} at most over ${family}`);
  const errno = libc().system.errors.EMSGSIZE!;
  throw asSocketError(error, { code: "EMSGSIZE", errno, syscall: "sendmsg", timeout: false });
}
