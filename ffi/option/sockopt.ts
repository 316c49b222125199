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

/** Every option by its system name, for `Socket.getOption` and `Socket.setOption`: socket(7), ip(7), ipv6(7), tcp(7),
 * udp(7).
 *
 * Lengths are bytes, times are in the unit the manual gives: seconds for TCP_KEEPIDLE, TCP_KEEPINTVL and
 * TCP_DEFER_ACCEPT, milliseconds for TCP_USER_TIMEOUT, microseconds for SO_BUSY_POLL. Linux gives back twice the
 * SO_RCVBUF and SO_SNDBUF it was asked for.
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
  /** The local address may be bound while old connections linger on it. */
  readonly SO_REUSEADDR: SocketOption<boolean>;
  /** Several sockets share one address and port, if all ask for it before bind. */
  readonly SO_REUSEPORT: SocketOption<boolean>;
  /** FreeBSD: the sharing that spreads load. */
  readonly SO_REUSEPORT_LB: SocketOption<boolean>;
  /** Datagrams may go to broadcast addresses. */
  readonly SO_BROADCAST: SocketOption<boolean>;
  /** Idle connections are probed. */
  readonly SO_KEEPALIVE: SocketOption<boolean>;
  /** What close does with data not yet sent. */
  readonly SO_LINGER: SocketOption<Linger>;
  /** Bytes of the receive buffer. */
  readonly SO_RCVBUF: SocketOption<number>;
  /** Bytes of the send buffer. */
  readonly SO_SNDBUF: SocketOption<number>;
  /** The pending error, which reading clears. Read-only. */
  readonly SO_ERROR: SocketOption<number>;
  /** SOCK_STREAM or another, as the system numbers them. Read-only. */
  readonly SO_TYPE: SocketOption<number>;
  /** AF_INET or another, as the system numbers them. Read-only. */
  readonly SO_DOMAIN: SocketOption<number>;
  /** IPPROTO_TCP or another. Read-only. */
  readonly SO_PROTOCOL: SocketOption<number>;
  /** Whether the socket listens. Read-only. */
  readonly SO_ACCEPTCONN: SocketOption<boolean>;
  /** The interface the socket is bound to, "" for none. */
  readonly SO_BINDTODEVICE: SocketOption<string>;
  /** The firewall mark of what is sent. Needs CAP_NET_ADMIN. */
  readonly SO_MARK: SocketOption<number>;
  /** The queueing priority of what is sent. */
  readonly SO_PRIORITY: SocketOption<number>;
  /** Microseconds to poll the device for on a receive. */
  readonly SO_BUSY_POLL: SocketOption<number>;
  /** The processor that handles the socket's packets. */
  readonly SO_INCOMING_CPU: SocketOption<number>;
  /** Time to live of unicast, 1 to 255. */
  readonly IP_TTL: SocketOption<number>;
  /** Type of service. */
  readonly IP_TOS: SocketOption<number>;
  /** Addresses this machine does not have (yet) may be bound. */
  readonly IP_FREEBIND: SocketOption<boolean>;
  /** Transparent proxying. Needs CAP_NET_ADMIN. */
  readonly IP_TRANSPARENT: SocketOption<boolean>;
  /** Time to live of multicast, 0 to 255. */
  readonly IP_MULTICAST_TTL: SocketOption<number>;
  /** Whether multicast comes back to this host. */
  readonly IP_MULTICAST_LOOP: SocketOption<boolean>;
  /** Whether groups that other sockets joined are heard too. */
  readonly IP_MULTICAST_ALL: SocketOption<boolean>;
  /** An IPv6 socket refuses IPv4. Before bind. */
  readonly IPV6_V6ONLY: SocketOption<boolean>;
  /** Hop limit of unicast, -1 for the route's. */
  readonly IPV6_UNICAST_HOPS: SocketOption<number>;
  /** Hop limit of multicast, -1 for the route's. */
  readonly IPV6_MULTICAST_HOPS: SocketOption<number>;
  /** Whether multicast comes back to this host. */
  readonly IPV6_MULTICAST_LOOP: SocketOption<boolean>;
  /** Index of the interface multicast leaves by, 0 for the system's choice. */
  readonly IPV6_MULTICAST_IF: SocketOption<number>;
  /** Traffic class. */
  readonly IPV6_TCLASS: SocketOption<number>;
  /** Small segments go out at once. */
  readonly TCP_NODELAY: SocketOption<boolean>;
  /** Bytes of the largest segment. */
  readonly TCP_MAXSEG: SocketOption<number>;
  /** Seconds of silence before the first probe. */
  readonly TCP_KEEPIDLE: SocketOption<number>;
  /** Seconds between probes. */
  readonly TCP_KEEPINTVL: SocketOption<number>;
  /** Probes without an answer before the connection is dropped. */
  readonly TCP_KEEPCNT: SocketOption<number>;
  /** Milliseconds that sent data may stay unacknowledged; 0 is the system's default. */
  readonly TCP_USER_TIMEOUT: SocketOption<number>;
  /** Seconds a connection may be without data before it is accepted. */
  readonly TCP_DEFER_ACCEPT: SocketOption<number>;
  /** Length of the queue of connections opened with data. */
  readonly TCP_FASTOPEN: SocketOption<number>;
  /** Acknowledgements go out at once, for now. */
  readonly TCP_QUICKACK: SocketOption<boolean>;
  /** Partial segments are held back. */
  readonly TCP_CORK: SocketOption<boolean>;
  /** Name of the congestion control. */
  readonly TCP_CONGESTION: SocketOption<string>;
  /** Bytes of the datagrams that one send is split into, 0 for none. */
  readonly UDP_SEGMENT: SocketOption<number>;
  /** Datagrams of one flow are handed over together. */
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
