import { libc } from "../libc/libc.ts";
import { unwrap } from "../libc/socket_error.ts";
import type { InetAddress } from "../struct/sockaddr.ts";
import { setLoopback } from "./membership.ts";
import { enableFeatures, type UdpFeatures } from "./packet_info.ts";
import { encodeInet, formatAddress, formatHost, isMulticast, parseHost, parsePort } from "../address/address.ts";
import { closeUnless, type Descriptor, openDescriptor } from "../io/descriptor.ts";
import { setOption } from "../option/option.ts";
import { requireNet, requireNotDenied } from "../address/permissions.ts";
import { resolveNow } from "../address/resolve.ts";
import { setReusePort } from "../option/reuse_port.ts";
import { type Control, socketOf } from "../socket/socket.ts";
import { sockopt } from "../option/sockopt.ts";
import { copyOptions, optionsShape } from "../validate/options.ts";
import { type UdpSocket, udpSocket } from "./udp.ts";

/** How a UDP socket is opened.
 *
 * @example
 * ```ts
 * import { listenDatagram, type UdpListenOptions } from "@berkeley/sockets";
 *
 * const options: UdpListenOptions = {
 *   transport: "udp",
 *   hostname: "127.0.0.1",
 *   reusePort: true,
 *   receiveBufferSize: 1 << 20,
 *   timestamps: true,
 * };
 * using udp = listenDatagram(options);
 * await udp.send(new Uint8Array(1), udp.addr);
 * console.log((await udp.receiveMessage()).timestamp !== undefined); // true
 * ```
 */
export interface UdpListenOptions {
  /** What tells it from a Unix datagram socket. */
  transport: "udp";
  /** 0, the default: any free port. */
  port?: number;
  /** Default "0.0.0.0". A multicast group binds that group, with reuseAddress on. */
  hostname?: string;
  /** SO_REUSEADDR (on macOS and BSD also what lets multicast listeners share a port). Default false; true for a group.
   */
  reuseAddress?: boolean;
  /** SO_REUSEPORT: datagrams are spread over the sockets of one port. Default false; Deno.errors.NotSupported where the
   * system would not spread them. Beside port 0 the system may choose a port that another such socket of the same user
   * has. */
  reusePort?: boolean;
  /** SO_BROADCAST. Default true. */
  broadcast?: boolean;
  /** Multicast we send comes back to this host. Default false, as Deno's. */
  loopback?: boolean;
  /** A "::" socket that refuses IPv4. Default false. */
  ipv6Only?: boolean;
  /** Bytes asked of SO_RCVBUF; the system's default where left out. */
  receiveBufferSize?: number;
  /** Bytes asked of SO_SNDBUF; the system's default where left out. */
  sendBufferSize?: number;
  /** Tell with each datagram where it was sent to, by which interface it came, its TTL and its class: IP_PKTINFO,
   * IP_RECVTTL, IP_RECVTOS and IPv6's own. Default false. */
  packetInfo?: boolean;
  /** Tell with each datagram when the kernel took it in: SO_TIMESTAMPNS. Default false. */
  timestamps?: boolean;
  /** Let the kernel coalesce datagrams of one flow, which receiveMany then tells apart: UDP_GRO. receive and
   * receiveMessage still give one at a time. Without effect where there is none. Default false. */
  receiveOffload?: boolean;
  /** Called after the socket is made and before it is bound. */
  control?: Control;
}

const OPTIONS = optionsShape<UdpListenOptions>("UDP sockets", '{ transport: "udp", hostname, port }', {
  transport: "any",
  port: "any",
  hostname: "any",
  reuseAddress: "boolean",
  reusePort: "boolean",
  broadcast: "boolean",
  loopback: "boolean",
  ipv6Only: "boolean",
  receiveBufferSize: "any",
  sendBufferSize: "any",
  packetInfo: "boolean",
  timestamps: "boolean",
  receiveOffload: "boolean",
  control: "function",
});

/** Opens a UDP socket; what fails on the way leaves nothing open. */
export function listenUdp(given: UdpListenOptions): UdpSocket {
  const options = copyOptions(given, OPTIONS);
  const port = parsePort(options.port, 0);
  const hostname = options.hostname ?? "0.0.0.0";
  requireNet(hostname, port);
  const [address] = resolveNow(hostname, port);
  if (parseHost(hostname, port) === null) requireNotDenied(formatHost(address!), port);
  const { constants } = libc().system;
  const family = address!.family === "inet" ? constants.AF_INET : constants.AF_INET6;
  const descriptor = openDescriptor(family, constants.SOCK_DGRAM, 0);
  return closeUnless(descriptor, () => {
    const features = featuresAsked(options);
    prepareUdp(descriptor, address!, options);
    enableFeatures(descriptor.fd, address!.family, features);
    const sockaddr = encodeInet(address!);
    const addr: Deno.NetAddr = { transport: "udp", hostname: formatHost(address!), port };
    options.control?.(socketOf(descriptor), address!.family === "inet" ? "udp4" : "udp6", addr);
    unwrap(libc().c.bind(descriptor.fd, sockaddr, sockaddr.length), "bind", formatAddress(addr));
    return udpSocket(descriptor, features);
  });
}

/** Every option that has to stand before bind(2). */
function prepareUdp({ fd }: Descriptor, address: InetAddress, options: UdpListenOptions): void {
  const group = isMulticast(address);
  const reuseAddress = options.reuseAddress ?? group;
  if (reuseAddress) {
    setOption(fd, sockopt.SO_REUSEADDR, true);
    if (libc().system.multicastNeedsReusePort) setOption(fd, sockopt.SO_REUSEPORT, true);
  }
  if (options.reusePort ?? false) {
    // Every member of a group hears every datagram: there sharing is all that is asked.
    if (group) setOption(fd, sockopt.SO_REUSEPORT, true);
    else setReusePort(fd);
  }
  if (address.family === "inet6") setOption(fd, sockopt.IPV6_V6ONLY, options.ipv6Only ?? false);
  if (options.broadcast ?? true) setOption(fd, sockopt.SO_BROADCAST, true);
  setLoopback(fd, address.family, options.loopback ?? false);
  if (options.receiveBufferSize !== undefined) setOption(fd, sockopt.SO_RCVBUF, options.receiveBufferSize);
  if (options.sendBufferSize !== undefined) setOption(fd, sockopt.SO_SNDBUF, options.sendBufferSize);
}

function featuresAsked(options: UdpListenOptions): UdpFeatures {
  const { packetInfo = false, timestamps = false, receiveOffload = false } = options;
  return { packetInfo, timestamps, receiveOffload };
}
