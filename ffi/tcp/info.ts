import { thisSystem } from "../libc/host.ts";
import type { System } from "../libc/system.ts";
import { decodeTcpInfo } from "../struct/tcp_info.ts";
import { isSocketError } from "../libc/socket_error.ts";
import { readOption } from "../option/option.ts";

/** What the kernel knows of a connection: {@linkcode TcpConn.info}. Times are in milliseconds with a fraction, sizes in
 * bytes, rates in bytes a second. Optional members are undefined where the running kernel does not have them; others are
 * then 0.
 *
 * @example
 * ```ts
 * import { connect, listen, type TcpInfo } from "@berkeley/sockets";
 *
 * using listener = listen({ hostname: "127.0.0.1", port: 0 });
 * using conn = await connect({ port: listener.addr.port });
 * const info: TcpInfo = conn.info();
 * console.log(info.state, info.rtt < 1_000); // established true
 * ```
 */
export interface TcpInfo {
  /** The state as RFC 9293 names it, in lower case: "established", "syn-sent", "close-wait", … */
  state: string;
  /** Smoothed round-trip time in milliseconds. */
  rtt: number;
  /** Mean deviation of the round-trip time in milliseconds. */
  rttVariance: number;
  /** Least round-trip time measured, in milliseconds; undefined before the first. */
  minRtt?: number | undefined;
  /** Retransmission timeout in milliseconds. */
  retransmitTimeout: number;
  /** Congestion window in segments. */
  congestionWindow: number;
  /** Slow start threshold in segments; Infinity before the first loss. */
  slowStartThreshold: number;
  /** Maximum segment size for sending, in bytes. */
  sendMss: number;
  /** Maximum segment size for receiving, in bytes. */
  receiveMss: number;
  /** Path MTU in bytes. */
  pathMtu: number;
  /** Segments that were sent and are not acknowledged. */
  unacknowledged: number;
  /** Segments considered lost. */
  lost: number;
  /** Retransmission timeouts in a row; 0 once an acknowledgement arrives. */
  retransmits: number;
  /** Segments that were sent again since the connection was made. */
  totalRetransmits: number;
  /** Bytes that the peer has acknowledged. */
  bytesAcked?: number | undefined;
  /** Bytes received. */
  bytesReceived?: number | undefined;
  /** Bytes sent, those sent again included. */
  bytesSent?: number | undefined;
  /** Bytes sent again. */
  bytesRetransmitted?: number | undefined;
  /** Measured rate of delivery, in bytes a second. */
  deliveryRate?: number | undefined;
  /** Rate of sending, in bytes a second; Infinity without pacing. */
  pacingRate?: number | undefined;
  /** Bytes written that have not been sent for the first time. */
  notSentBytes?: number | undefined;
  /** Whether the connection uses Multipath TCP: both ends have it. */
  multipath: boolean;
}

/** TCP_INFINITE_SSTHRESH of Linux, and the largest window of BSD. */
const NO_THRESHOLD = [0x7fff_ffff, 0x3fff_c000];

/** SOL_MPTCP and MPTCP_INFO of <linux/mptcp.h>. */
const SOL_MPTCP = 284;
const MPTCP_INFO = 1;

/** Room for the structure of any kernel; it grows from one to the next. */
const ROOM = 512;

/** Reads TCP_INFO. */
export function tcpInfo(fd: number): TcpInfo {
  const system = thisSystem();
  const { IPPROTO_TCP } = system.constants;
  const bytes = readOption(fd, IPPROTO_TCP, system.tcpInfo.option, ROOM, "TCP_INFO");
  return { ...decodeInfo(system, bytes), multipath: isMultipath(fd) };
}

/** Decodes the bytes of TCP_INFO into this module's units. */
export function decodeInfo(system: System, bytes: Uint8Array): Omit<TcpInfo, "multipath"> {
  const fields = decodeTcpInfo(system.layout, bytes);
  const { time, windowsInBytes, states } = system.tcpInfo;
  const times = (value = 0) => value * time;
  const sendMss = fields.snd_mss ?? 0;
  const segments = (value = 0) => windowsInBytes && sendMss > 0 ? Math.floor(value / sendMss) : value;
  const threshold = fields.snd_ssthresh ?? 0;
  const minRtt = fields.min_rtt ?? Infinity;
  return {
    state: states[fields.state ?? -1] ?? "unknown",
    rtt: times(fields.rtt),
    rttVariance: times(fields.rttvar),
    minRtt: minRtt === Infinity ? undefined : times(minRtt),
    retransmitTimeout: times(fields.rto),
    congestionWindow: segments(fields.snd_cwnd),
    slowStartThreshold: NO_THRESHOLD.includes(threshold) ? Infinity : segments(threshold),
    sendMss,
    receiveMss: fields.rcv_mss ?? 0,
    pathMtu: fields.pmtu ?? 0,
    unacknowledged: fields.unacked ?? 0,
    lost: fields.lost ?? 0,
    retransmits: fields.retransmits ?? 0,
    totalRetransmits: fields.total_retrans ?? 0,
    bytesAcked: fields.bytes_acked,
    bytesReceived: fields.bytes_received,
    bytesSent: fields.bytes_sent,
    bytesRetransmitted: fields.bytes_retrans,
    deliveryRate: fields.delivery_rate,
    pacingRate: fields.pacing_rate,
    notSentBytes: fields.notsent_bytes,
  };
}

/** Whether a socket uses Multipath TCP: one that fell back to plain TCP has no such option. */
function isMultipath(fd: number): boolean {
  if (thisSystem().backend !== "epoll") return false;
  try {
    return readOption(fd, SOL_MPTCP, MPTCP_INFO, 64, "MPTCP_INFO").length > 0;
  } catch (error) {
    if (isSocketError(error)) return false;
    throw error;
  }
}
