import type { OptionName } from "../libc/system.ts";
import { thisSystem } from "../libc/host.ts";
import type { Linger, SocketOption } from "./option.ts";

function option<T>(name: OptionName): SocketOption<T> {
  return {
    name,
    get supported(): boolean {
      return thisSystem().options[name] !== null;
    },
  };
}

/** The socket options by their names in the system's headers, for `Socket.getOption` and `Socket.setOption`: socket(7),
 * ip(7), ipv6(7), tcp(7), udp(7).
 *
 * Lengths are in bytes. Times are in the unit of the manual: seconds for TCP_KEEPIDLE, TCP_KEEPINTVL and
 * TCP_DEFER_ACCEPT, milliseconds for TCP_USER_TIMEOUT, microseconds for SO_BUSY_POLL. Linux doubles the values set for
 * SO_RCVBUF and SO_SNDBUF, and returns the doubled value.
 *
 * @example
 * ```ts
 * import { listenDatagram, sockopt } from "@berkeley/sockets";
 *
 * using udp = listenDatagram({
 *   transport: "udp",
 *   hostname: "127.0.0.1",
 *   control: (socket) => socket.setOption(sockopt.SO_REUSEADDR, true),
 * });
 * console.log(udp.socket.getOption(sockopt.SO_REUSEADDR)); // true
 * console.log(sockopt.SO_REUSEPORT_LB.supported); // only on FreeBSD
 * ```
 */
export const sockopt: {
  /** Whether a local address can be bound while earlier connections to it are in TIME_WAIT. */
  readonly SO_REUSEADDR: SocketOption<boolean>;
  /** Whether several sockets share one address and port. All of them must set it before bind. */
  readonly SO_REUSEPORT: SocketOption<boolean>;
  /** FreeBSD: whether several sockets share one address and port, with load spread over them. */
  readonly SO_REUSEPORT_LB: SocketOption<boolean>;
  /** Whether datagrams may be sent to broadcast addresses. */
  readonly SO_BROADCAST: SocketOption<boolean>;
  /** Whether idle connections are probed. */
  readonly SO_KEEPALIVE: SocketOption<boolean>;
  /** What close does with data that has not been sent. */
  readonly SO_LINGER: SocketOption<Linger>;
  /** Size of the receive buffer in bytes. */
  readonly SO_RCVBUF: SocketOption<number>;
  /** Size of the send buffer in bytes. */
  readonly SO_SNDBUF: SocketOption<number>;
  /** The pending errno, 0 for none. Reading it clears it. Read-only. */
  readonly SO_ERROR: SocketOption<number>;
  /** The type of the socket, such as SOCK_STREAM, numbered by the system. Read-only. */
  readonly SO_TYPE: SocketOption<number>;
  /** The address family of the socket, such as AF_INET, numbered by the system. Read-only. */
  readonly SO_DOMAIN: SocketOption<number>;
  /** The protocol of the socket, such as IPPROTO_TCP. Read-only. */
  readonly SO_PROTOCOL: SocketOption<number>;
  /** Whether the socket is listening. Read-only. */
  readonly SO_ACCEPTCONN: SocketOption<boolean>;
  /** Name of the interface that the socket is bound to; "" for none. */
  readonly SO_BINDTODEVICE: SocketOption<string>;
  /** Firewall mark of sent packets. Needs CAP_NET_ADMIN. */
  readonly SO_MARK: SocketOption<number>;
  /** Queueing priority of sent packets, from 0 to 6; a higher one needs CAP_NET_ADMIN. */
  readonly SO_PRIORITY: SocketOption<number>;
  /** How long a receive polls the device, in microseconds. */
  readonly SO_BUSY_POLL: SocketOption<number>;
  /** Number of the processor that handles the socket's packets. */
  readonly SO_INCOMING_CPU: SocketOption<number>;
  /** Time to live of unicast packets in hops, from 1 to 255. */
  readonly IP_TTL: SocketOption<number>;
  /** Type of service of sent packets, from 0 to 255. */
  readonly IP_TOS: SocketOption<number>;
  /** Whether addresses that this machine does not have can be bound. */
  readonly IP_FREEBIND: SocketOption<boolean>;
  /** Whether transparent proxying is on. Needs CAP_NET_ADMIN or CAP_NET_RAW. */
  readonly IP_TRANSPARENT: SocketOption<boolean>;
  /** Time to live of multicast packets in hops, from 0 to 255. */
  readonly IP_MULTICAST_TTL: SocketOption<number>;
  /** Whether sent multicast packets are looped back to this host. */
  readonly IP_MULTICAST_LOOP: SocketOption<boolean>;
  /** Whether a socket bound to the wildcard address also receives groups that only other sockets have joined. */
  readonly IP_MULTICAST_ALL: SocketOption<boolean>;
  /** Whether an IPv6 socket excludes IPv4. Set it before bind. */
  readonly IPV6_V6ONLY: SocketOption<boolean>;
  /** Hop limit of unicast packets, from 0 to 255; -1 is the route's default. */
  readonly IPV6_UNICAST_HOPS: SocketOption<number>;
  /** Hop limit of multicast packets, from 0 to 255; -1 is the route's default. */
  readonly IPV6_MULTICAST_HOPS: SocketOption<number>;
  /** Whether sent multicast packets are looped back to this host. */
  readonly IPV6_MULTICAST_LOOP: SocketOption<boolean>;
  /** Index of the interface that multicast packets are sent through; 0 lets the system choose. */
  readonly IPV6_MULTICAST_IF: SocketOption<number>;
  /** Traffic class of sent packets, from 0 to 255; -1 is the system's default. */
  readonly IPV6_TCLASS: SocketOption<number>;
  /** Whether small segments are sent at once, without Nagle's algorithm. */
  readonly TCP_NODELAY: SocketOption<boolean>;
  /** Maximum segment size in bytes. */
  readonly TCP_MAXSEG: SocketOption<number>;
  /** Idle time before the first keep-alive probe, in seconds. */
  readonly TCP_KEEPIDLE: SocketOption<number>;
  /** Time between keep-alive probes, in seconds. */
  readonly TCP_KEEPINTVL: SocketOption<number>;
  /** Number of unanswered keep-alive probes after which the connection is dropped. */
  readonly TCP_KEEPCNT: SocketOption<number>;
  /** How long sent data may stay unacknowledged, in milliseconds; 0 is the system's default. */
  readonly TCP_USER_TIMEOUT: SocketOption<number>;
  /** How long accept waits for the first data of a connection, in seconds. */
  readonly TCP_DEFER_ACCEPT: SocketOption<number>;
  /** Maximum number of pending connections that were opened with data (TCP Fast Open). */
  readonly TCP_FASTOPEN: SocketOption<number>;
  /** Whether acknowledgements are sent at once. Not permanent: the kernel may switch it off again. */
  readonly TCP_QUICKACK: SocketOption<boolean>;
  /** Whether partial segments are held back. */
  readonly TCP_CORK: SocketOption<boolean>;
  /** Name of the congestion control algorithm. */
  readonly TCP_CONGESTION: SocketOption<string>;
  /** Size of the datagrams that one send is split into, in bytes; 0 for none. */
  readonly UDP_SEGMENT: SocketOption<number>;
  /** Whether consecutive datagrams of one sender are received as one message. */
  readonly UDP_GRO: SocketOption<boolean>;
} = {
  SO_REUSEADDR: option("SO_REUSEADDR"),
  SO_REUSEPORT: option("SO_REUSEPORT"),
  SO_REUSEPORT_LB: option("SO_REUSEPORT_LB"),
  SO_BROADCAST: option("SO_BROADCAST"),
  SO_KEEPALIVE: option("SO_KEEPALIVE"),
  SO_LINGER: option("SO_LINGER"),
  SO_RCVBUF: option("SO_RCVBUF"),
  SO_SNDBUF: option("SO_SNDBUF"),
  SO_ERROR: option("SO_ERROR"),
  SO_TYPE: option("SO_TYPE"),
  SO_DOMAIN: option("SO_DOMAIN"),
  SO_PROTOCOL: option("SO_PROTOCOL"),
  SO_ACCEPTCONN: option("SO_ACCEPTCONN"),
  SO_BINDTODEVICE: option("SO_BINDTODEVICE"),
  SO_MARK: option("SO_MARK"),
  SO_PRIORITY: option("SO_PRIORITY"),
  SO_BUSY_POLL: option("SO_BUSY_POLL"),
  SO_INCOMING_CPU: option("SO_INCOMING_CPU"),
  IP_TTL: option("IP_TTL"),
  IP_TOS: option("IP_TOS"),
  IP_FREEBIND: option("IP_FREEBIND"),
  IP_TRANSPARENT: option("IP_TRANSPARENT"),
  IP_MULTICAST_TTL: option("IP_MULTICAST_TTL"),
  IP_MULTICAST_LOOP: option("IP_MULTICAST_LOOP"),
  IP_MULTICAST_ALL: option("IP_MULTICAST_ALL"),
  IPV6_V6ONLY: option("IPV6_V6ONLY"),
  IPV6_UNICAST_HOPS: option("IPV6_UNICAST_HOPS"),
  IPV6_MULTICAST_HOPS: option("IPV6_MULTICAST_HOPS"),
  IPV6_MULTICAST_LOOP: option("IPV6_MULTICAST_LOOP"),
  IPV6_MULTICAST_IF: option("IPV6_MULTICAST_IF"),
  IPV6_TCLASS: option("IPV6_TCLASS"),
  TCP_NODELAY: option("TCP_NODELAY"),
  TCP_MAXSEG: option("TCP_MAXSEG"),
  TCP_KEEPIDLE: option("TCP_KEEPIDLE"),
  TCP_KEEPINTVL: option("TCP_KEEPINTVL"),
  TCP_KEEPCNT: option("TCP_KEEPCNT"),
  TCP_USER_TIMEOUT: option("TCP_USER_TIMEOUT"),
  TCP_DEFER_ACCEPT: option("TCP_DEFER_ACCEPT"),
  TCP_FASTOPEN: option("TCP_FASTOPEN"),
  TCP_QUICKACK: option("TCP_QUICKACK"),
  TCP_CORK: option("TCP_CORK"),
  TCP_CONGESTION: option("TCP_CONGESTION"),
  UDP_SEGMENT: option("UDP_SEGMENT"),
  UDP_GRO: option("UDP_GRO"),
};
