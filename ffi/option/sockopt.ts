import type { OptionName } from "../libc/option_table.ts";
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
  /** Whether urgent data is received in line with the other data. */
  readonly SO_OOBINLINE: SocketOption<boolean>;
  /** Bytes that must be there before a stream counts as readable. */
  readonly SO_RCVLOWAT: SocketOption<number>;
  /** As SO_RCVBUF, beyond the limit of net.core.rmem_max. Needs CAP_NET_ADMIN. Write-only. */
  readonly SO_RCVBUFFORCE: SocketOption<number>;
  /** As SO_SNDBUF, beyond the limit of net.core.wmem_max. Needs CAP_NET_ADMIN. Write-only. */
  readonly SO_SNDBUFFORCE: SocketOption<number>;
  /** Whether packets are sent to directly connected hosts only, not through a router. */
  readonly SO_DONTROUTE: SocketOption<boolean>;
  /** Unix sockets: whether every message carries the credentials of its sender. */
  readonly SO_PASSCRED: SocketOption<boolean>;
  /** Unix sockets: whether every message carries a descriptor of its sender's process. */
  readonly SO_PASSPIDFD: SocketOption<boolean>;
  /** Whether received datagrams carry the number of datagrams dropped so far. */
  readonly SO_RXQ_OVFL: SocketOption<boolean>;
  /** Whether received datagrams carry the time of their arrival, to the microsecond. */
  readonly SO_TIMESTAMP: SocketOption<boolean>;
  /** Whether received datagrams carry the time of their arrival, to the nanosecond. */
  readonly SO_TIMESTAMPNS: SocketOption<boolean>;
  /** Whether polling the device is preferred over its interrupts. */
  readonly SO_PREFER_BUSY_POLL: SocketOption<boolean>;
  /** Maximum rate of sending in bytes a second; Infinity for no limit. */
  readonly SO_MAX_PACING_RATE: SocketOption<number>;
  /** Index of the interface that the socket is bound to; 0 for none. */
  readonly SO_BINDTOIFINDEX: SocketOption<number>;
  /** A number that the kernel gives to this socket and to no other. Read-only. */
  readonly SO_COOKIE: SocketOption<bigint>;
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
  /** Whether bind with port 0 leaves the choice of the port to connect. */
  readonly IP_BIND_ADDRESS_NO_PORT: SocketOption<boolean>;
  /** Range that the system chooses local ports from: the lowest, plus the highest times 65,536; 0 for the system's
   * own. */
  readonly IP_LOCAL_PORT_RANGE: SocketOption<number>;
  /** Known MTU of the path to the connected peer, in bytes. Read-only. */
  readonly IP_MTU: SocketOption<number>;
  /** Path MTU discovery: 0 is off, 1 depends on the route, 2 never fragments, 3 also ignores the known path MTU. See
   * ip(7). */
  readonly IP_MTU_DISCOVER: SocketOption<number>;
  /** Least time to live of received packets in hops, from 0 to 255. Others are dropped. */
  readonly IP_MINTTL: SocketOption<number>;
  /** Whether errors of sent packets are queued, for a receive with MSG_ERRQUEUE. */
  readonly IP_RECVERR: SocketOption<boolean>;
  /** macOS and FreeBSD: whether datagrams that exceed the MTU are refused instead of fragmented. */
  readonly IP_DONTFRAG: SocketOption<boolean>;
  /** Index of the interface that unicast packets are sent through; 0 lets the system choose. */
  readonly IP_UNICAST_IF: SocketOption<number>;
  /** Whether received datagrams carry their destination address and interface. */
  readonly IP_PKTINFO: SocketOption<boolean>;
  /** Whether received datagrams carry their time to live. */
  readonly IP_RECVTTL: SocketOption<boolean>;
  /** Whether received datagrams carry their type of service. */
  readonly IP_RECVTOS: SocketOption<boolean>;
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
  /** Known MTU of the path to the connected peer, in bytes; setting it limits the size of sent packets. */
  readonly IPV6_MTU: SocketOption<number>;
  /** As IP_MTU_DISCOVER. */
  readonly IPV6_MTU_DISCOVER: SocketOption<number>;
  /** Whether datagrams that exceed the MTU are refused instead of fragmented. */
  readonly IPV6_DONTFRAG: SocketOption<boolean>;
  /** Whether a socket bound to the wildcard address also receives groups that only other sockets have joined. */
  readonly IPV6_MULTICAST_ALL: SocketOption<boolean>;
  /** Whether errors of sent packets are queued, for a receive with MSG_ERRQUEUE. */
  readonly IPV6_RECVERR: SocketOption<boolean>;
  /** Whether received datagrams carry their destination address and interface. */
  readonly IPV6_RECVPKTINFO: SocketOption<boolean>;
  /** Whether received datagrams carry their hop limit. */
  readonly IPV6_RECVHOPLIMIT: SocketOption<boolean>;
  /** Whether received datagrams carry their traffic class. */
  readonly IPV6_RECVTCLASS: SocketOption<boolean>;
  /** Whether addresses that this machine does not have can be bound. */
  readonly IPV6_FREEBIND: SocketOption<boolean>;
  /** Whether transparent proxying is on. Needs CAP_NET_ADMIN or CAP_NET_RAW. */
  readonly IPV6_TRANSPARENT: SocketOption<boolean>;
  /** Index of the interface that unicast packets are sent through; 0 lets the system choose. */
  readonly IPV6_UNICAST_IF: SocketOption<number>;
  /** Which source addresses are preferred, as the bits of RFC 5014: 1 temporary, 2 public, 4 care-of. */
  readonly IPV6_ADDR_PREFERENCES: SocketOption<number>;
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
  /** Unsent bytes above which the socket does not count as writable. */
  readonly TCP_NOTSENT_LOWAT: SocketOption<number>;
  /** Number of SYN retransmissions before a dial fails, from 1 to 255. */
  readonly TCP_SYNCNT: SocketOption<number>;
  /** How long a closed connection waits in FIN-WAIT-2, in seconds; 0 is the system's default, -1 not at all. */
  readonly TCP_LINGER2: SocketOption<number>;
  /** Bound of the advertised receive window, in bytes. */
  readonly TCP_WINDOW_CLAMP: SocketOption<number>;
  /** Whether connect sends the first written data with the SYN (TCP Fast Open). */
  readonly TCP_FASTOPEN_CONNECT: SocketOption<boolean>;
  /** Whether a listener keeps the SYN packets of accepted connections. */
  readonly TCP_SAVE_SYN: SocketOption<boolean>;
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
  SO_OOBINLINE: option("SO_OOBINLINE"),
  SO_RCVLOWAT: option("SO_RCVLOWAT"),
  SO_RCVBUFFORCE: option("SO_RCVBUFFORCE"),
  SO_SNDBUFFORCE: option("SO_SNDBUFFORCE"),
  SO_DONTROUTE: option("SO_DONTROUTE"),
  SO_PASSCRED: option("SO_PASSCRED"),
  SO_PASSPIDFD: option("SO_PASSPIDFD"),
  SO_RXQ_OVFL: option("SO_RXQ_OVFL"),
  SO_TIMESTAMP: option("SO_TIMESTAMP"),
  SO_TIMESTAMPNS: option("SO_TIMESTAMPNS"),
  SO_PREFER_BUSY_POLL: option("SO_PREFER_BUSY_POLL"),
  SO_MAX_PACING_RATE: option("SO_MAX_PACING_RATE"),
  SO_BINDTOIFINDEX: option("SO_BINDTOIFINDEX"),
  SO_COOKIE: option("SO_COOKIE"),
  IP_TTL: option("IP_TTL"),
  IP_TOS: option("IP_TOS"),
  IP_FREEBIND: option("IP_FREEBIND"),
  IP_TRANSPARENT: option("IP_TRANSPARENT"),
  IP_MULTICAST_TTL: option("IP_MULTICAST_TTL"),
  IP_MULTICAST_LOOP: option("IP_MULTICAST_LOOP"),
  IP_MULTICAST_ALL: option("IP_MULTICAST_ALL"),
  IP_BIND_ADDRESS_NO_PORT: option("IP_BIND_ADDRESS_NO_PORT"),
  IP_LOCAL_PORT_RANGE: option("IP_LOCAL_PORT_RANGE"),
  IP_MTU: option("IP_MTU"),
  IP_MTU_DISCOVER: option("IP_MTU_DISCOVER"),
  IP_MINTTL: option("IP_MINTTL"),
  IP_RECVERR: option("IP_RECVERR"),
  IP_DONTFRAG: option("IP_DONTFRAG"),
  IP_UNICAST_IF: option("IP_UNICAST_IF"),
  IP_PKTINFO: option("IP_PKTINFO"),
  IP_RECVTTL: option("IP_RECVTTL"),
  IP_RECVTOS: option("IP_RECVTOS"),
  IPV6_V6ONLY: option("IPV6_V6ONLY"),
  IPV6_UNICAST_HOPS: option("IPV6_UNICAST_HOPS"),
  IPV6_MULTICAST_HOPS: option("IPV6_MULTICAST_HOPS"),
  IPV6_MULTICAST_LOOP: option("IPV6_MULTICAST_LOOP"),
  IPV6_MULTICAST_IF: option("IPV6_MULTICAST_IF"),
  IPV6_TCLASS: option("IPV6_TCLASS"),
  IPV6_MTU: option("IPV6_MTU"),
  IPV6_MTU_DISCOVER: option("IPV6_MTU_DISCOVER"),
  IPV6_DONTFRAG: option("IPV6_DONTFRAG"),
  IPV6_MULTICAST_ALL: option("IPV6_MULTICAST_ALL"),
  IPV6_RECVERR: option("IPV6_RECVERR"),
  IPV6_RECVPKTINFO: option("IPV6_RECVPKTINFO"),
  IPV6_RECVHOPLIMIT: option("IPV6_RECVHOPLIMIT"),
  IPV6_RECVTCLASS: option("IPV6_RECVTCLASS"),
  IPV6_FREEBIND: option("IPV6_FREEBIND"),
  IPV6_TRANSPARENT: option("IPV6_TRANSPARENT"),
  IPV6_UNICAST_IF: option("IPV6_UNICAST_IF"),
  IPV6_ADDR_PREFERENCES: option("IPV6_ADDR_PREFERENCES"),
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
  TCP_NOTSENT_LOWAT: option("TCP_NOTSENT_LOWAT"),
  TCP_SYNCNT: option("TCP_SYNCNT"),
  TCP_LINGER2: option("TCP_LINGER2"),
  TCP_WINDOW_CLAMP: option("TCP_WINDOW_CLAMP"),
  TCP_FASTOPEN_CONNECT: option("TCP_FASTOPEN_CONNECT"),
  TCP_SAVE_SYN: option("TCP_SAVE_SYN"),
  UDP_SEGMENT: option("UDP_SEGMENT"),
  UDP_GRO: option("UDP_GRO"),
};
