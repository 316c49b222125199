import { libc } from "../libc/libc.ts";
import { decodeInet, formatHost } from "../address/address.ts";
import { interfaceName } from "../address/interface.ts";
import { socketName } from "../address/sockname.ts";
import { encodePacketInfo6 } from "../struct/in_pktinfo.ts";
import { isMulticastIPv4, parseIPv4 } from "../struct/ip.ts";
import { readFamily, SOCKADDR_IN6_SIZE, SOCKADDR_IN_SIZE } from "../struct/sockaddr.ts";
import type { Datagram } from "./datagram.ts";

const MAPPED = "::ffff:";

/** The first group of a multicast and of a link-local address of IPv6, in the text of inet_ntop(3). */
const MULTICAST = /^ff[0-9a-f]{2}:/;
const LINK_LOCAL = /^fe[89ab][0-9a-f]:/;

/** Returns the address of this machine to answer a datagram from. A group or a broadcast address cannot be a source.
 *
 * For IPv4, Linux has put it into ipi_spec_dst of struct in_pktinfo, which is `localAddress` so far. */
export function answeringAddress(details: Partial<Datagram>, sender: Uint8Array): string | undefined {
  const { destination, localAddress, interfaceIndex = 0 } = details;
  if (destination === undefined) return undefined;
  const mapped = destination.startsWith(MAPPED);
  if (localAddress !== undefined) return mapped ? `${MAPPED}${localAddress}` : localAddress;
  if (LINK_LOCAL.test(destination)) return `${destination}%${interfaceName(interfaceIndex)}`;
  const isGroup = MULTICAST.test(destination) || isGroupV4(mapped ? destination.slice(MAPPED.length) : destination);
  return isGroup ? sourceTo(sender, interfaceIndex) : destination;
}

/** Whether an IPv4 address is one of multicast, or the broadcast address of every network. */
function isGroupV4(text: string): boolean {
  const address = parseIPv4(text);
  return address !== null && (isMulticastIPv4(address) || address.every((byte) => byte === 255));
}

/** Returns the address that the system would send to a peer from, by an interface where it has a route to the peer. For
 * UDP, connect(2) only chooses it and sends nothing. */
function sourceTo(peer: Uint8Array, interfaceIndex: number): string | undefined {
  if (peer.length < SOCKADDR_IN_SIZE) return undefined;
  const { c, system } = libc();
  const { AF_INET6, IPPROTO_IPV6, IPV6_PKTINFO, SOCK_CLOEXEC, SOCK_DGRAM } = system.constants;
  const v6 = readFamily(system, peer, 0) === AF_INET6;
  const sockaddr = peer.slice(0, v6 ? SOCKADDR_IN6_SIZE : SOCKADDR_IN_SIZE);
  for (const index of v6 && interfaceIndex !== 0 ? [interfaceIndex, 0] : [0]) {
    const fd = c.socket(readFamily(system, peer, 0), SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd === -1) return undefined;
    try {
      const info = encodePacketInfo6({ interfaceIndex: index, address: new Uint8Array(16) });
      if (index !== 0) c.setsockopt(fd, IPPROTO_IPV6, IPV6_PKTINFO, info, info.length);
      if (c.connect(fd, sockaddr, sockaddr.length) === -1) continue;
      const local = decodeInet(socketName(fd));
      if (local !== null) return formatHost(local);
    } finally {
      c.close(fd);
    }
  }
  return undefined;
}
