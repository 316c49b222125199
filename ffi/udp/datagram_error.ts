import { libc } from "../libc/libc.ts";
import { errnoName } from "../libc/socket_error.ts";
import { decodeNet } from "../address/address.ts";
import { readFamily, SOCKADDR_IN_SIZE } from "../struct/sockaddr.ts";
import {
  EXTENDED_ERROR_SIZE,
  type ExtendedError,
  ORIGIN_ICMP,
  ORIGIN_ICMP6,
  ORIGIN_LOCAL,
} from "../struct/sock_extended_err.ts";

/** What ICMP, or the system itself, reported of a datagram that was sent earlier: {@linkcode UdpSocket.receiveError}.
 *
 * @example
 * ```ts
 * import { type DatagramError, listenDatagram, sockopt } from "@berkeley/sockets";
 *
 * if (sockopt.IP_RECVERR.supported) {
 *   using gone = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
 *   const { addr } = gone;
 *   gone.close();
 *   using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1", errors: true });
 *   await udp.send(new TextEncoder().encode("hello"), addr);
 *   const error: DatagramError = await udp.receiveError();
 *   console.log(error.code, error.origin, error.destination.port === addr.port); // ECONNREFUSED icmp true
 * }
 * ```
 */
export interface DatagramError {
  /** Symbolic name of the errno, such as "ECONNREFUSED". */
  code: string;
  /** Number of the errno on the running system. */
  errno: number;
  /** Who reported it: "local" for the system itself, "icmp" or "icmp6" for a message of ICMP. */
  origin: string;
  /** Type of the ICMP message, 0 to 255. */
  type: number;
  /** Code of the ICMP message, 0 to 255. */
  icmpCode: number;
  /** Where the datagram was sent to. */
  destination: Deno.NetAddr;
  /** Address of the host that sent the ICMP message: a router, or the destination. Undefined for local errors. */
  offender?: string | undefined;
  /** With EMSGSIZE: the MTU of the path, in bytes. */
  mtu?: number | undefined;
  /** The beginning of the datagram's payload, as much as the ICMP message had of it. */
  data: Uint8Array<ArrayBuffer>;
}

const ORIGINS: Readonly<Record<number, string>> = {
  [ORIGIN_LOCAL]: "local",
  [ORIGIN_ICMP]: "icmp",
  [ORIGIN_ICMP6]: "icmp6",
};

/** The error for what the kernel reported; null for what is no error of a datagram. `report` are the bytes of the control
 * message, with the offender's sockaddr behind the structure. */
export function datagramError(
  { errno, origin, type, code, info }: ExtendedError,
  report: Uint8Array,
  destination: Uint8Array,
  data: Uint8Array<ArrayBuffer>,
): DatagramError | null {
  if (!Object.hasOwn(ORIGINS, origin)) return null;
  const name = errnoName(errno);
  return {
    code: name,
    errno,
    origin: ORIGINS[origin]!,
    type,
    icmpCode: code,
    destination: decodeNet("udp", destination),
    offender: origin === ORIGIN_LOCAL ? undefined : offenderOf(report),
    mtu: name === "EMSGSIZE" && info > 0 ? info : undefined,
    data,
  };
}

function offenderOf(report: Uint8Array): string | undefined {
  const { system } = libc();
  if (report.length < EXTENDED_ERROR_SIZE + SOCKADDR_IN_SIZE) return undefined;
  const { AF_INET, AF_INET6 } = system.constants;
  const family = readFamily(system, report, EXTENDED_ERROR_SIZE);
  if (family !== AF_INET && family !== AF_INET6) return undefined;
  return decodeNet("udp", report, EXTENDED_ERROR_SIZE).hostname;
}
