import { thisSystem } from "../libc/host.ts";

// A grant names hosts, and permission is queried for the address passed to bind, connect or send. Some socket options can
// send packets to other hosts: IP_OPTIONS with a source route, IPV6_RTHDR and IPV6_2292PKTOPTIONS with a routing header,
// IPV6_FLOWLABEL_MGR with either, IP_XFRM_POLICY and IP_IPSEC_POLICY (and those of IPv6) with a tunnel, the ranges that
// configure netfilter, ipvs and multicast routing, and the options of SCTP that bind and connect. New kernels add others.
// This is therefore an allow-list: all other raw options need --allow-net for every host.
//
// Options that only choose the interface, the source address or the mark of a packet are on the list: the packet goes to
// the permitted host or is dropped. So are options that only affect what is received.

/** The numbers of options at the levels IPPROTO_IP and IPPROTO_IPV6 that cannot change the destination of packets. */
interface Harmless {
  readonly ip: readonly number[];
  readonly ipv6: readonly number[];
}

const LINUX: Harmless = {
  ip: [
    1, // IP_TOS
    2, // IP_TTL
    6, // IP_RECVOPTS
    7, // IP_RETOPTS
    8, // IP_PKTINFO
    10, // IP_MTU_DISCOVER
    11, // IP_RECVERR
    12, // IP_RECVTTL
    13, // IP_RECVTOS
    15, // IP_FREEBIND
    18, // IP_PASSSEC
    19, // IP_TRANSPARENT
    20, // IP_RECVORIGDSTADDR
    21, // IP_MINTTL
    22, // IP_NODEFRAG
    23, // IP_CHECKSUM
    24, // IP_BIND_ADDRESS_NO_PORT
    25, // IP_RECVFRAGSIZE
    26, // IP_RECVERR_RFC4884
    32, // IP_MULTICAST_IF
    33, // IP_MULTICAST_TTL
    34, // IP_MULTICAST_LOOP
    35, // IP_ADD_MEMBERSHIP
    36, // IP_DROP_MEMBERSHIP
    37, // IP_UNBLOCK_SOURCE
    38, // IP_BLOCK_SOURCE
    39, // IP_ADD_SOURCE_MEMBERSHIP
    40, // IP_DROP_SOURCE_MEMBERSHIP
    41, // IP_MSFILTER
    42, // MCAST_JOIN_GROUP
    43, // MCAST_BLOCK_SOURCE
    44, // MCAST_UNBLOCK_SOURCE
    45, // MCAST_LEAVE_GROUP
    46, // MCAST_JOIN_SOURCE_GROUP
    47, // MCAST_LEAVE_SOURCE_GROUP
    48, // MCAST_MSFILTER
    49, // IP_MULTICAST_ALL
    50, // IP_UNICAST_IF
    51, // IP_LOCAL_PORT_RANGE
  ],
  ipv6: [
    1, // IPV6_ADDRFORM
    2, // IPV6_2292PKTINFO
    7, // IPV6_CHECKSUM
    8, // IPV6_2292HOPLIMIT
    16, // IPV6_UNICAST_HOPS
    17, // IPV6_MULTICAST_IF
    18, // IPV6_MULTICAST_HOPS
    19, // IPV6_MULTICAST_LOOP
    20, // IPV6_ADD_MEMBERSHIP
    21, // IPV6_DROP_MEMBERSHIP
    23, // IPV6_MTU_DISCOVER
    24, // IPV6_MTU
    25, // IPV6_RECVERR
    26, // IPV6_V6ONLY
    27, // IPV6_JOIN_ANYCAST
    28, // IPV6_LEAVE_ANYCAST
    29, // IPV6_MULTICAST_ALL
    31, // IPV6_RECVERR_RFC4884
    33, // IPV6_FLOWINFO_SEND
    42, // MCAST_JOIN_GROUP
    43, // MCAST_BLOCK_SOURCE
    44, // MCAST_UNBLOCK_SOURCE
    45, // MCAST_LEAVE_GROUP
    46, // MCAST_JOIN_SOURCE_GROUP
    47, // MCAST_LEAVE_SOURCE_GROUP
    48, // MCAST_MSFILTER
    49, // IPV6_RECVPKTINFO
    50, // IPV6_PKTINFO
    51, // IPV6_RECVHOPLIMIT
    52, // IPV6_HOPLIMIT
    53, // IPV6_RECVHOPOPTS
    56, // IPV6_RECVRTHDR
    58, // IPV6_RECVDSTOPTS
    60, // IPV6_RECVPATHMTU
    61, // IPV6_PATHMTU
    62, // IPV6_DONTFRAG
    66, // IPV6_RECVTCLASS
    67, // IPV6_TCLASS
    70, // IPV6_AUTOFLOWLABEL
    72, // IPV6_ADDR_PREFERENCES
    73, // IPV6_MINHOPCOUNT
    74, // IPV6_ORIGDSTADDR
    76, // IPV6_UNICAST_IF
    77, // IPV6_RECVFRAGSIZE
    78, // IPV6_FREEBIND
  ],
};

const LINUX_CONTROL = {
  ip: [
    1, // IP_TOS
    2, // IP_TTL
    8, // IP_PKTINFO
  ],
  ipv6: [
    2, // IPV6_2292PKTINFO
    8, // IPV6_2292HOPLIMIT
    50, // IPV6_PKTINFO
    52, // IPV6_HOPLIMIT
    62, // IPV6_DONTFRAG
    67, // IPV6_TCLASS
  ],
  udp: [
    103, // UDP_SEGMENT
  ],
};

/** By system. Elsewhere only the options that `sockopt` has are known. */
const HARMLESS: Readonly<Record<string, Harmless>> = { "Linux x86_64": LINUX, "Linux aarch64": LINUX };

/** Control messages that lead no packet elsewhere, beside those of SOL_SOCKET: they choose the source address and the
 * interface, the TTL, the class, and how a datagram is cut. IP_RETOPTS and IPV6_RTHDR carry a route, IPV6_DSTOPTS and
 * IPV6_HOPOPTS what the far side may act on, and SCTP has an address as a control message. */
const HARMLESS_CONTROL: Readonly<Record<string, Harmless & { readonly udp: readonly number[] }>> = {
  "Linux x86_64": LINUX_CONTROL,
  "Linux aarch64": LINUX_CONTROL,
};

/** Whether a control message that is sent may choose where the packet goes, so that it needs `--allow-net` for every
 * host. */
export function controlMayChooseDestination(level: number, type: number): boolean {
  const { name: system, constants } = thisSystem();
  const { SOL_SOCKET, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_UDP } = constants;
  if (level === SOL_SOCKET) return false;
  const list = HARMLESS_CONTROL[system] ?? bsdControl();
  if (level === IPPROTO_IP) return !list.ip.includes(type);
  if (level === IPPROTO_IPV6) return !list.ipv6.includes(type);
  return level !== IPPROTO_UDP || !list.udp.includes(type);
}

/** What BSD and macOS have of them, without the numbers that are zero there. */
function bsdControl(): Harmless & { readonly udp: readonly number[] } {
  const { IP_PKTINFO, IP_RECVDSTADDR, IPV6_PKTINFO, IPV6_HOPLIMIT, IPV6_TCLASS } = thisSystem().constants;
  // IP_SENDSRCADDR has the number of IP_RECVDSTADDR.
  const ip = [IP_PKTINFO, IP_RECVDSTADDR].filter((type) => type !== 0);
  return { ip, ipv6: [IPV6_PKTINFO, IPV6_HOPLIMIT, IPV6_TCLASS], udp: [] };
}

/** Whether setting a raw option may choose where packets go, so that it needs `--allow-net` for every host. Options of
 * SOL_SOCKET, TCP and UDP do not. What are no numbers of an option are refused elsewhere. */
export function mayChooseDestination(level: unknown, name: unknown): boolean {
  if (typeof level !== "number" || typeof name !== "number") return false;
  const { name: system, constants, options } = thisSystem();
  const { SOL_SOCKET, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP, IPPROTO_UDP } = constants;
  if ([SOL_SOCKET, IPPROTO_TCP, IPPROTO_UDP].includes(level)) return false;
  const list = HARMLESS[system];
  if (level === IPPROTO_IP && list?.ip.includes(name)) return false;
  if (level === IPPROTO_IPV6 && list?.ipv6.includes(name)) return false;
  return !Object.values(options).some((option) => option?.level === level && option.name === name);
}
