// What the machine's interfaces, their changes, and options of the same subject take: numbers and layouts per system,
// in a table of their own. From <net/if.h>, <ifaddrs.h>, <netinet/in.h>, <sys/socket.h>; on Linux also
// <linux/netlink.h>, <linux/rtnetlink.h>, <netpacket/packet.h>, <sys/ioctl.h>; on macOS and FreeBSD <net/if_dl.h>,
// <net/if_var.h>, <net/route.h>. One that a system lacks is zero, or null.

/** Numbers of the system's headers. */
export interface NetworkConstants {
  /** Family of a link-layer address in getifaddrs(3). */
  readonly AF_PACKET: number;
  readonly AF_LINK: number;
  /** rtnetlink(7) of Linux. */
  readonly AF_NETLINK: number;
  readonly RTMGRP_LINK: number;
  readonly RTMGRP_IPV4_IFADDR: number;
  readonly RTMGRP_IPV6_IFADDR: number;
  readonly RTM_NEWLINK: number;
  readonly RTM_DELLINK: number;
  /** RTM_NEWADDR and RTM_DELADDR exist on all systems, with other numbers. */
  readonly RTM_NEWADDR: number;
  readonly RTM_DELADDR: number;
  /** The routing socket of macOS and FreeBSD. */
  readonly AF_ROUTE: number;
  readonly RTM_IFINFO: number;
  readonly RTM_IFANNOUNCE: number;
  readonly IFF_UP: number;
  readonly IFF_BROADCAST: number;
  readonly IFF_LOOPBACK: number;
  readonly IFF_POINTOPOINT: number;
  readonly IFF_MULTICAST: number;
  /** The request that reads an MTU: netdevice(7). */
  readonly SIOCGIFMTU: number;
  /** Options that bind a socket to an interface by its index, on macOS. */
  readonly IP_BOUND_IF: number;
  readonly IPV6_BOUND_IF: number;
  readonly IPPROTO_MPTCP: number;
}

/** Sizes and offsets of structures, in bytes. */
export interface NetworkLayout {
  readonly sockaddr_ll: { readonly ifindex: number; readonly halen: number; readonly addr: number } | null;
  readonly sockaddr_dl: {
    readonly index: number;
    readonly nlen: number;
    readonly alen: number;
    readonly data: number;
  } | null;
  /** What SIOCGIFMTU reads and writes. */
  readonly ifreq: { readonly size: number; readonly mtu: number } | null;
  /** What ifa_data points to beside a link-layer address. */
  readonly if_data: { readonly mtu: number } | null;
}

/** The part of a system's table that is about its network. */
export interface NetworkTable {
  readonly constants: NetworkConstants;
  readonly layout: NetworkLayout;
}

export const linuxNetwork = {
  constants: {
    AF_PACKET: 17,
    AF_LINK: 0,
    AF_NETLINK: 16,
    RTMGRP_LINK: 0x1,
    RTMGRP_IPV4_IFADDR: 0x10,
    RTMGRP_IPV6_IFADDR: 0x100,
    RTM_NEWLINK: 16,
    RTM_DELLINK: 17,
    RTM_NEWADDR: 20,
    RTM_DELADDR: 21,
    AF_ROUTE: 0,
    RTM_IFINFO: 0,
    RTM_IFANNOUNCE: 0,
    IFF_UP: 0x1,
    IFF_BROADCAST: 0x2,
    IFF_LOOPBACK: 0x8,
    IFF_POINTOPOINT: 0x10,
    IFF_MULTICAST: 0x1000,
    SIOCGIFMTU: 0x8921,
    IP_BOUND_IF: 0,
    IPV6_BOUND_IF: 0,
    IPPROTO_MPTCP: 262,
  },
  layout: {
    sockaddr_ll: { ifindex: 4, halen: 11, addr: 12 },
    sockaddr_dl: null,
    ifreq: { size: 40, mtu: 16 },
    if_data: null,
  },
} as const satisfies NetworkTable;

const bsdConstants = {
  AF_PACKET: 0,
  AF_LINK: 18,
  AF_NETLINK: 0,
  RTMGRP_LINK: 0,
  RTMGRP_IPV4_IFADDR: 0,
  RTMGRP_IPV6_IFADDR: 0,
  RTM_NEWLINK: 0,
  RTM_DELLINK: 0,
  RTM_NEWADDR: 0xc,
  RTM_DELADDR: 0xd,
  AF_ROUTE: 17,
  RTM_IFINFO: 0xe,
  IFF_UP: 0x1,
  IFF_BROADCAST: 0x2,
  IFF_LOOPBACK: 0x8,
  IFF_POINTOPOINT: 0x10,
  IFF_MULTICAST: 0x8000,
  SIOCGIFMTU: 0xc0206933,
  IPPROTO_MPTCP: 0,
} as const;

const bsdLayout = {
  sockaddr_ll: null,
  sockaddr_dl: { index: 2, nlen: 5, alen: 6, data: 8 },
  ifreq: null,
  if_data: { mtu: 8 },
} as const;

export const macosNetwork = {
  constants: { ...bsdConstants, RTM_IFANNOUNCE: 0, IP_BOUND_IF: 25, IPV6_BOUND_IF: 125 },
  layout: bsdLayout,
} as const satisfies NetworkTable;

export const freebsdNetwork = {
  constants: { ...bsdConstants, RTM_IFANNOUNCE: 0x11, IP_BOUND_IF: 0, IPV6_BOUND_IF: 0 },
  layout: bsdLayout,
} as const satisfies NetworkTable;
