import { libc } from "../libc/libc.ts";
import { asSocketError, type SocketError } from "../libc/socket_error.ts";

/** A datagram with what the kernel knows of it: {@linkcode UdpSocket.receiveMessage} and {@linkcode DatagramBatch} give
 * them.
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
  /** The bytes: in memory of their own, or those of a batch in its memory. */
  data: Uint8Array<ArrayBuffer>;
  /** Who sent it. */
  addr: Deno.NetAddr;
  /** The datagram was longer than there was room, and the rest is gone. */
  truncated: boolean;
  /** With `packetInfo`: the address it was sent to. */
  destination?: string | undefined;
  /** With `packetInfo`: the index of the interface it came in on. */
  interfaceIndex?: number | undefined;
  /** With `packetInfo`: its TTL or hop limit. */
  ttl?: number | undefined;
  /** With `packetInfo`: its type of service or traffic class. */
  trafficClass?: number | undefined;
  /** With `timestamps`: when the kernel took it in, milliseconds since the epoch, with fraction. */
  timestamp?: number | undefined;
}

/** The longest payload of UDP over IPv4; IPv6 fits 20 more, and nobody should count on those. */
export const LONGEST_DATAGRAM = 65_507;

/** The error for a datagram that no network could carry. It is made here, since the kernel's would not say how long one
 * may be. */
export function tooLong(length: number): SocketError {
  const error = new RangeError(`A datagram of ${length} bytes, expected ${LONGEST_DATAGRAM} at most`);
  return asSocketError(error, {
    code: "EMSGSIZE",
    errno: libc().system.errors.EMSGSIZE!,
    syscall: "sendmsg",
    timeout: false,
  });
}
