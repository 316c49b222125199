import { libc } from "../libc/libc.ts";
import { unwrap } from "../libc/socket_error.ts";
import type { InetAddress } from "../struct/sockaddr.ts";
import { setLoopback } from "./multicast_settings.ts";
import { enableFeatures, type UdpFeatures } from "./packet_info.ts";
import { encodeInet, formatAddress, formatHost, isMulticast, parseHost, parsePort } from "../address/address.ts";
import { closeUnless, type Descriptor, openDescriptor } from "../io/descriptor.ts";
import { setOption } from "../option/option.ts";
import { requireNet, requireNotDenied } from "../address/permissions.ts";
import { resolveNow } from "../address/resolve.ts";
import { setReusePort } from "../option/reuse_port.ts";
import { copySteering, setSteering, type Steering } from "../option/steering.ts";
import { bindToInterface, requireInterface } from "../socket/bind_interface.ts";
import { type Control, socketOf } from "../socket/socket.ts";
import { sockopt } from "../option/sockopt.ts";
import { requireWithin } from "../validate/number.ts";
import { copyOptions, optionsShape } from "../validate/options.ts";
import { setDontFragment } from "./path_mtu.ts";
import { enableErrors, enableSentTimestamps } from "./reports.ts";
import { quote } from "../validate/quote.ts";
import { type UdpSocket, udpSocket } from "./udp.ts";

/** Options of {@linkcode listenDatagram} for UDP.
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
  /** Always "udp". */
  transport: "udp";
  /** Port to bind, from 0 to 65535. Default 0: the system chooses a free port. */
  port?: number;
  /** IP address or host name to bind. Default "0.0.0.0". A socket bound to a multicast group receives only datagrams to
   * that group. */
  hostname?: string;
  /** Whether several sockets can bind the port, with SO_REUSEADDR; on macOS and BSD, SO_REUSEPORT too, which multicast
   * sockets need there. Default true for a multicast group, otherwise false. */
  reuseAddress?: boolean;
  /** Whether several sockets share the port, with datagrams spread over them: SO_REUSEPORT. Default false.
   * Deno.errors.NotSupported on a system that does not spread datagrams. With port 0 the system may choose the port of
   * another such socket of the same user. */
  reusePort?: boolean;
  /** Whether datagrams can be sent to broadcast addresses: SO_BROADCAST. Default true. */
  broadcast?: boolean;
  /** Whether sent multicast is looped back to this host: IP_MULTICAST_LOOP, IPV6_MULTICAST_LOOP. Default false, as for
   * `Deno.listenDatagram`. */
  loopback?: boolean;
  /** Whether a socket on an IPv6 address excludes IPv4: IPV6_V6ONLY. Default false. */
  ipv6Only?: boolean;
  /** Size of the receive buffer in bytes: SO_RCVBUF. The system's default if left out; the system may limit it. */
  receiveBufferSize?: number;
  /** Size of the send buffer in bytes: SO_SNDBUF. The system's default if left out; the system may limit it. */
  sendBufferSize?: number;
  /** Whether each received datagram has its destination address, interface, TTL and traffic class: IP_PKTINFO, IP_RECVTTL,
   * IP_RECVTOS, and the same of IPv6. Default false. */
  packetInfo?: boolean;
  /** Whether each received datagram has the time of its arrival, SO_TIMESTAMPNS, which is `true` and `receive`; and whether
   * the kernel keeps the time at which each sent datagram leaves, for {@linkcode UdpSocket.receiveSentTimestamp},
   * SO_TIMESTAMPING, which is `transmit`. Default false. */
  timestamps?: boolean | { receive?: boolean; transmit?: boolean };
  /** Whether the kernel keeps the errors of datagrams that were sent, for {@linkcode UdpSocket.receiveError}: IP_RECVERR,
   * IPV6_RECVERR. Receives and sends do not fail with such errors then. At most 1,024 are kept, and the oldest are dropped.
   * Default false. */
  errors?: boolean;
  /** Whether the kernel may coalesce consecutive datagrams of one sender, which `receiveMany` splits again: UDP_GRO of
   * udp(7). `receive` and `receiveMessage` return one datagram at a time all the same. It has no effect on a system
   * without UDP_GRO. Default false. */
  receiveOffload?: boolean;
  /** Whether datagrams that exceed the MTU of the path are refused, with EMSGSIZE and the MTU in the error, instead of
   * fragmented: IP_MTU_DISCOVER, IP_DONTFRAG. With "probe" the MTU that the system knows of the path is ignored, and only
   * that of the interface counts. Default false. */
  dontFragment?: boolean | "probe";
  /** Interface to send and receive by, its name or its index: SO_BINDTODEVICE, SO_BINDTOIFINDEX; IP_BOUND_IF on macOS.
   * Default: all. */
  interface?: string | number;
  /** Which socket of a reuse-port group a datagram goes to: SO_ATTACH_REUSEPORT_CBPF of socket(7). It takes
   * `reusePort: true` and holds for the whole group, whichever socket of it brings it. By default the system chooses by a
   * hash of the addresses. */
  steer?: Steering;
  /** Function that is called with the new socket before bind. */
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
  timestamps: "any",
  errors: "boolean",
  receiveOffload: "boolean",
  dontFragment: "any",
  interface: "any",
  steer: "any",
  control: "function",
});

/** Opens a UDP socket. If a step fails, the socket is closed. */
export function listenUdp(given: UdpListenOptions): UdpSocket {
  const options = copyOptions(given, OPTIONS);
  const port = parsePort(options.port, 0);
  for (const name of ["receiveBufferSize", "sendBufferSize"] as const) {
    if (options[name] !== undefined) requireWithin(name, options[name], 0, 0x7fff_ffff, "bytes");
  }
  const hostname = options.hostname ?? "0.0.0.0";
  if (options.interface !== undefined) requireInterface(options.interface);
  if (options.steer !== undefined) options.steer = copySteering(options.steer, options.reusePort ?? false);
  requireNet(hostname, port);
  const isName = parseHost(hostname, port) === null;
  const [address] = resolveNow(hostname, port, isName && options.ipv6Only ? "inet6" : "any");
  if (isName) requireNotDenied(formatHost(address!), port);
  const { constants } = libc().system;
  const family = address!.family === "inet" ? constants.AF_INET : constants.AF_INET6;
  const descriptor = openDescriptor(family, constants.SOCK_DGRAM, 0);
  return closeUnless(descriptor, () => {
    prepareUdp(descriptor, address!, options);
    const { receive, transmit } = readTimestamps(options.timestamps);
    enableFeatures(descriptor.fd, address!.family, featuresAsked(options, receive));
    if (options.errors ?? false) enableErrors(descriptor.fd, address!.family);
    if (transmit) enableSentTimestamps(descriptor.fd);
    const sockaddr = encodeInet(address!);
    const addr: Deno.NetAddr = { transport: "udp", hostname: formatHost(address!), port };
    options.control?.(socketOf(descriptor), address!.family === "inet" ? "udp4" : "udp6", addr);
    unwrap(libc().c.bind(descriptor.fd, sockaddr, sockaddr.length), "bind", formatAddress(addr));
    if (options.steer !== undefined) setSteering(descriptor.fd, options.steer);
    return udpSocket(descriptor, options.receiveOffload ?? false);
  });
}

/** Sets the options that must precede bind(2). */
function prepareUdp({ fd }: Descriptor, address: InetAddress, options: UdpListenOptions): void {
  const group = isMulticast(address);
  const reuseAddress = options.reuseAddress ?? group;
  if (reuseAddress) {
    setOption(fd, sockopt.SO_REUSEADDR, true);
    if (libc().system.multicastNeedsReusePort) setOption(fd, sockopt.SO_REUSEPORT, true);
  }
  if (options.reusePort ?? false) {
    // Every member of a group receives every datagram: SO_REUSEPORT only shares the port.
    if (group) setOption(fd, sockopt.SO_REUSEPORT, true);
    else setReusePort(fd);
  }
  if (options.interface !== undefined) bindToInterface(fd, address.family === "inet6", options.interface);
  if (address.family === "inet6") setOption(fd, sockopt.IPV6_V6ONLY, options.ipv6Only ?? false);
  if (options.dontFragment !== undefined) {
    setDontFragment(fd, address.family, requireDontFragment(options.dontFragment));
  }
  if (options.broadcast ?? true) setOption(fd, sockopt.SO_BROADCAST, true);
  setLoopback(fd, address.family, options.loopback ?? false);
  if (options.receiveBufferSize !== undefined) setOption(fd, sockopt.SO_RCVBUF, options.receiveBufferSize);
  if (options.sendBufferSize !== undefined) setOption(fd, sockopt.SO_SNDBUF, options.sendBufferSize);
}

function requireDontFragment(value: unknown): boolean | "probe" {
  if (typeof value === "boolean" || value === "probe") return value;
  throw new TypeError(`Invalid dontFragment: ${quote(value)}, expected a boolean or "probe"`);
}

const TIMESTAMPS = optionsShape<{ receive?: boolean; transmit?: boolean }>(
  "timestamps",
  "a boolean or { receive, transmit }",
  { receive: "boolean", transmit: "boolean" },
  "timestamps",
);

function readTimestamps(given: UdpListenOptions["timestamps"]): { receive: boolean; transmit: boolean } {
  if (given === undefined || typeof given === "boolean") return { receive: given ?? false, transmit: false };
  const { receive = false, transmit = false } = copyOptions(given, TIMESTAMPS);
  return { receive, transmit };
}

function featuresAsked(options: UdpListenOptions, timestamps: boolean): UdpFeatures {
  const { packetInfo = false, receiveOffload = false } = options;
  return { packetInfo, timestamps, receiveOffload };
}
