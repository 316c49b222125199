/**
 * Every option of `sockopt`: where it is tried, what a new socket has and what can be set.
 *
 * @module
 */
import { type Linger, Socket, type sockopt } from "../../mod.ts";
import { openListener } from "../socket/support.ts";

/** The name of an option. */
export type Name = keyof typeof sockopt;
/** The value of an option. */
export type Value = boolean | number | bigint | string | Linger;

/** Kinds of sockets that options are tried on. */
export const KINDS = {
  udp: () => Socket.open("inet", "dgram"),
  udp6: () => Socket.open("inet6", "dgram"),
  tcp: () => Socket.open("inet", "stream"),
  unix: () => Socket.open("unix", "stream"),
  listener: () => openListener(),
} as const;

/** What is known of one option on Linux. */
export interface Row {
  readonly on: keyof typeof KINDS;
  /** What a new socket has; left out where that is the system's business. */
  readonly initial?: Value;
  /** Values to set, and what is read back where it is not what was set. */
  readonly set?: readonly (Value | readonly [set: Value, read: Value])[];
  /** What setting fails with where it is refused for good. */
  readonly readOnly?: string;
  /** Needs a capability: EPERM is an answer too. */
  readonly privileged?: true;
  /** What reading fails with on a new socket. */
  readonly unreadable?: string;
  /** A kind of socket that has no such option, and what it says. */
  readonly notOn?: readonly [keyof typeof KINDS, string];
}

const FLAG: readonly Value[] = [true, false];

/** The kernel keeps twice what was asked for. */
const doubled = (bytes: number): readonly [Value, Value] => [bytes, 2 * bytes];

/** What is known of every option on Linux. */
export const ROWS: Readonly<Record<Name, Row>> = {
  SO_REUSEADDR: { on: "udp", initial: false, set: FLAG },
  SO_REUSEPORT: { on: "udp", initial: false, set: FLAG },
  SO_REUSEPORT_LB: { on: "udp" },
  SO_BROADCAST: { on: "udp", initial: false, set: FLAG },
  SO_KEEPALIVE: { on: "tcp", initial: false, set: FLAG },
  SO_LINGER: { on: "tcp", initial: { seconds: null }, set: [{ seconds: 0 }, { seconds: 7 }, { seconds: null }] },
  SO_RCVBUF: { on: "udp", set: [doubled(8192), doubled(16_384)] },
  SO_SNDBUF: { on: "udp", set: [doubled(8192), doubled(16_384)] },
  SO_ERROR: { on: "udp", initial: 0, readOnly: "ENOPROTOOPT" },
  SO_TYPE: { on: "tcp", initial: 1, readOnly: "ENOPROTOOPT" },
  SO_DOMAIN: { on: "tcp", initial: 2, readOnly: "ENOPROTOOPT" },
  SO_PROTOCOL: { on: "tcp", initial: 6, readOnly: "ENOPROTOOPT" },
  SO_ACCEPTCONN: { on: "listener", initial: true, readOnly: "ENOPROTOOPT" },
  SO_BINDTODEVICE: { on: "udp", initial: "", set: ["lo", ""], privileged: true },
  SO_MARK: { on: "udp", initial: 0, set: [42, 0], privileged: true },
  SO_PRIORITY: { on: "udp", initial: 0, set: [6, 0] },
  SO_BUSY_POLL: { on: "udp", set: [50, 0], privileged: true },
  SO_INCOMING_CPU: { on: "udp", set: [0] },
  IP_TTL: { on: "udp", initial: 64, set: [1, 255], notOn: ["unix", "EOPNOTSUPP"] },
  IP_TOS: { on: "udp", initial: 0, set: [0x10, 0] },
  IP_FREEBIND: { on: "udp", initial: false, set: FLAG },
  IP_TRANSPARENT: { on: "udp", initial: false, set: FLAG, privileged: true },
  IP_MULTICAST_TTL: { on: "udp", initial: 1, set: [0, 255] },
  IP_MULTICAST_LOOP: { on: "udp", initial: true, set: [false, true] },
  IP_MULTICAST_ALL: { on: "udp", initial: true, set: [false, true] },
  IPV6_V6ONLY: { on: "udp6", initial: false, set: FLAG, notOn: ["unix", "EOPNOTSUPP"] },
  IPV6_UNICAST_HOPS: { on: "udp6", initial: 64, set: [1, 255, [-1, 64]] },
  IPV6_MULTICAST_HOPS: { on: "udp6", initial: 1, set: [0, 255, [-1, 1]] },
  IPV6_MULTICAST_LOOP: { on: "udp6", initial: true, set: [false, true] },
  IPV6_MULTICAST_IF: { on: "udp6", initial: 0, set: [1, 0] },
  IPV6_TCLASS: { on: "udp6", initial: 0, set: [0x10, 0] },
  TCP_NODELAY: { on: "tcp", initial: false, set: FLAG, notOn: ["udp", "EOPNOTSUPP"] },
  TCP_MAXSEG: { on: "tcp", set: [1000] },
  TCP_KEEPIDLE: { on: "tcp", set: [60, 1] },
  TCP_KEEPINTVL: { on: "tcp", set: [10, 1] },
  TCP_KEEPCNT: { on: "tcp", set: [3, 1] },
  TCP_USER_TIMEOUT: { on: "tcp", initial: 0, set: [1500, 0] },
  TCP_DEFER_ACCEPT: { on: "listener", initial: 0, set: [1, 0] },
  TCP_FASTOPEN: { on: "listener", initial: 0, set: [16] },
  TCP_QUICKACK: { on: "tcp", set: FLAG },
  TCP_CORK: { on: "tcp", initial: false, set: FLAG },
  TCP_CONGESTION: { on: "tcp", set: ["reno"] },
  UDP_SEGMENT: { on: "udp", initial: 0, set: [1200, 0], notOn: ["tcp", "EOPNOTSUPP"] },
  UDP_GRO: { on: "udp", initial: false, set: FLAG },
  SO_PASSCRED: { on: "unix", initial: false, set: FLAG },
  SO_TIMESTAMP: { on: "udp", initial: false, set: FLAG },
  SO_TIMESTAMPNS: { on: "udp", initial: false, set: FLAG },
  SO_RXQ_OVFL: { on: "udp", initial: false, set: FLAG },
  SO_OOBINLINE: { on: "tcp", initial: false, set: FLAG },
  SO_RCVLOWAT: { on: "tcp", initial: 1, set: [100, 1] },
  SO_RCVBUFFORCE: { on: "udp", unreadable: "ENOPROTOOPT", set: [8192], privileged: true },
  SO_SNDBUFFORCE: { on: "udp", unreadable: "ENOPROTOOPT", set: [8192], privileged: true },
  SO_DONTROUTE: { on: "udp", initial: false, set: FLAG },
  SO_PASSPIDFD: { on: "unix", initial: false, set: FLAG },
  SO_PREFER_BUSY_POLL: { on: "udp", initial: false, set: FLAG, privileged: true },
  SO_MAX_PACING_RATE: { on: "tcp", initial: Infinity, set: [125_000, 10 ** 11, 0xffff_ffff, Infinity] },
  SO_BINDTOIFINDEX: { on: "udp", initial: 0, set: [1, 0], privileged: true },
  SO_COOKIE: { on: "udp", readOnly: "ENOPROTOOPT" },
  IP_BIND_ADDRESS_NO_PORT: { on: "tcp", initial: false, set: FLAG },
  IP_LOCAL_PORT_RANGE: { on: "udp", initial: 0, set: [40_000 + 50_000 * 65_536, 0] },
  IP_MTU: { on: "udp", unreadable: "ENOTCONN", readOnly: "ENOPROTOOPT" },
  IP_MTU_DISCOVER: { on: "udp", initial: 1, set: [0, 2, 3, 1] },
  IP_MINTTL: { on: "udp", initial: 0, set: [255, 0] },
  IP_RECVERR: { on: "udp", initial: false, set: FLAG },
  IP_DONTFRAG: { on: "udp" },
  IP_UNICAST_IF: { on: "udp", initial: 0, set: [1, 0] },
  IP_PKTINFO: { on: "udp", initial: false, set: FLAG },
  IP_RECVTTL: { on: "udp", initial: false, set: FLAG },
  IP_RECVTOS: { on: "udp", initial: false, set: FLAG },
  IPV6_MTU: { on: "udp6", unreadable: "ENOTCONN", set: [1280] },
  IPV6_MTU_DISCOVER: { on: "udp6", initial: 1, set: [0, 2, 3, 1] },
  IPV6_DONTFRAG: { on: "udp6", initial: false, set: FLAG },
  IPV6_MULTICAST_ALL: { on: "udp6", initial: true, set: [false, true] },
  IPV6_RECVERR: { on: "udp6", initial: false, set: FLAG },
  IPV6_RECVPKTINFO: { on: "udp6", initial: false, set: FLAG },
  IPV6_RECVHOPLIMIT: { on: "udp6", initial: false, set: FLAG },
  IPV6_RECVTCLASS: { on: "udp6", initial: false, set: FLAG },
  IPV6_FREEBIND: { on: "udp6", initial: false, set: FLAG },
  IPV6_TRANSPARENT: { on: "udp6", initial: false, set: FLAG, privileged: true },
  IPV6_UNICAST_IF: { on: "udp6", initial: 0, set: [1, 0] },
  IPV6_ADDR_PREFERENCES: { on: "udp6", set: [[1, 0x401], [2, 0x402]] },
  TCP_NOTSENT_LOWAT: { on: "tcp", set: [16_384] },
  TCP_SYNCNT: { on: "tcp", set: [1, 3] },
  TCP_LINGER2: { on: "tcp", set: [7] },
  TCP_WINDOW_CLAMP: { on: "tcp", set: [65_536] },
  TCP_FASTOPEN_CONNECT: { on: "tcp", initial: false, set: FLAG },
  TCP_SAVE_SYN: { on: "listener", initial: false, set: FLAG },
};
