import { libc } from "../libc/libc.ts";
import { unwrap } from "../libc/socket_error.ts";
import { encodeInet, formatAddress, formatHost, parseHost, parsePort } from "../address/address.ts";
import { backlogOf } from "../validate/backlog.ts";
import { closeUnless } from "../io/descriptor.ts";
import { setOption } from "../option/option.ts";
import { requireNet, requireNotDenied } from "../address/permissions.ts";
import { resolveNow } from "../address/resolve.ts";
import { setReusePort } from "../option/reuse_port.ts";
import { copySteering, setSteering, type Steering } from "../option/steering.ts";
import { bindToInterface, requireInterface } from "../socket/bind_interface.ts";
import { type Control, socketOf } from "../socket/socket.ts";
import { sockopt } from "../option/sockopt.ts";
import { copyOptions, optionsShape } from "../validate/options.ts";
import { requireWithin } from "../validate/number.ts";
import { copyKeepAlive, type KeepAlive, setKeepAlive } from "./keep_alive.ts";
import { openTcp } from "./multipath.ts";
import { type TcpListener, tcpListener } from "./tcp.ts";

/** Options of {@linkcode listen} for TCP.
 *
 * @example
 * ```ts
 * import { listen, type TcpListenOptions } from "@berkeley/sockets";
 *
 * const options: TcpListenOptions = { hostname: "127.0.0.1", port: 0, reusePort: true };
 * using one = listen(options);
 * using two = listen({ ...options, port: one.addr.port });
 * console.log(one.addr.port === two.addr.port); // true
 * ```
 */
export interface TcpListenOptions {
  /** Port to listen on, from 0 to 65535. Default 0: the system chooses a free port. */
  port?: number;
  /** IP address or host name to listen on. Default "0.0.0.0", as for `Deno.listen`. */
  hostname?: string;
  /** Default "tcp". */
  transport?: "tcp";
  /** Maximum number of connections that wait to be accepted. Default 511; the system may limit it. */
  tcpBacklog?: number;
  /** Whether the port can be bound while earlier connections to it are in TIME_WAIT: SO_REUSEADDR. Default true. */
  reuseAddress?: boolean;
  /** Whether several listeners share the port, with connections spread over them: SO_REUSEPORT. Default false.
   * Deno.errors.NotSupported on a system that does not spread connections. With port 0, each listener gets a port of its
   * own. */
  reusePort?: boolean;
  /** Whether a listener on an IPv6 address excludes IPv4: IPV6_V6ONLY. Default false. */
  ipv6Only?: boolean;
  /** Whether accepted connections send small writes at once: TCP_NODELAY. Default true, as for {@linkcode connect}. */
  noDelay?: boolean;
  /** Keep-alive probes of accepted connections; true uses the system's settings. Default false. */
  keepAlive?: boolean | KeepAlive;
  /** Interface to accept connections by, its name or its index: SO_BINDTODEVICE, SO_BINDTOIFINDEX; IP_BOUND_IF on macOS.
   * Default: all. */
  interface?: string | number;
  /** Number of connections whose SYN carried data and that may wait for the end of their handshake: TCP_FASTOPEN of
   * tcp(7). Linux has it switched off for servers by default (net.ipv4.tcp_fastopen). Default 0. */
  fastOpen?: number;
  /** How long a connection may wait for its first data before it can be accepted without, in seconds, rounded up to whole
   * retransmissions: TCP_DEFER_ACCEPT of tcp(7). Default 0, accepted at once. */
  deferAccept?: number;
  /** Whether peers may use several paths, MPTCP: plain TCP where the system or another of these options does without.
   * Default false. */
  multipath?: boolean;
  /** Which socket of a reuse-port group a connection goes to: SO_ATTACH_REUSEPORT_CBPF of socket(7). It takes
   * `reusePort: true` and holds for the whole group, whichever socket of it brings it. A byte is one of the data of the
   * SYN, which only TCP Fast Open sends: without, all connections go to socket 0. By default the system chooses by a hash
   * of the addresses. */
  steer?: Steering;
  /** Function that is called with the new socket before bind. */
  control?: Control;
}

const OPTIONS = optionsShape<TcpListenOptions>("TCP listeners", "{ hostname, port }", {
  port: "any",
  hostname: "any",
  transport: "any",
  tcpBacklog: "any",
  reuseAddress: "boolean",
  reusePort: "boolean",
  ipv6Only: "boolean",
  noDelay: "boolean",
  keepAlive: "any",
  interface: "any",
  fastOpen: "any",
  deferAccept: "any",
  multipath: "boolean",
  steer: "any",
  control: "function",
});

/** Opens a TCP listener. If a step fails, the socket is closed. */
export function listenTcp(given: TcpListenOptions): TcpListener {
  const options = copyOptions(given, OPTIONS);
  const port = parsePort(options.port, 0);
  const hostname = options.hostname ?? "0.0.0.0";
  const backlog = backlogOf("tcpBacklog", options.tcpBacklog);
  if (options.keepAlive !== undefined) options.keepAlive = copyKeepAlive(options.keepAlive);
  checkNumbers(options);
  if (options.steer !== undefined) options.steer = copySteering(options.steer, options.reusePort ?? false);
  requireNet(hostname, port);
  const isName = parseHost(hostname, port) === null;
  const address = resolveNow(hostname, port, isName && options.ipv6Only ? "inet6" : "any")[0]!;
  if (isName) requireNotDenied(formatHost(address), port);
  const { c } = libc();
  const v6 = address.family === "inet6";
  const descriptor = openTcp(v6, options.multipath ?? false, ({ fd }) => prepare(fd, v6, options));
  return closeUnless(descriptor, () => {
    const addr: Deno.NetAddr = { transport: "tcp", hostname: formatHost(address), port };
    options.control?.(socketOf(descriptor), v6 ? "tcp6" : "tcp4", addr);
    const sockaddr = encodeInet(address);
    unwrap(c.bind(descriptor.fd, sockaddr, sockaddr.length), "bind", formatAddress(addr));
    unwrap(c.listen(descriptor.fd, backlog), "listen", formatAddress(addr));
    if (options.steer !== undefined) setSteering(descriptor.fd, options.steer);
    return tcpListener(descriptor);
  });
}

/** Sets the options that must precede bind(2). Accepted connections inherit TCP_NODELAY and keep-alive. */
function prepare(fd: number, v6: boolean, options: TcpListenOptions): void {
  if (options.reuseAddress ?? true) setOption(fd, sockopt.SO_REUSEADDR, true);
  if (options.reusePort ?? false) setReusePort(fd);
  if (v6) setOption(fd, sockopt.IPV6_V6ONLY, options.ipv6Only ?? false);
  if (options.noDelay ?? true) setOption(fd, sockopt.TCP_NODELAY, true);
  if (options.keepAlive !== undefined) setKeepAlive(fd, options.keepAlive);
  if (options.interface !== undefined) bindToInterface(fd, v6, options.interface);
  if (options.fastOpen !== undefined) setOption(fd, sockopt.TCP_FASTOPEN, options.fastOpen);
  if (options.deferAccept !== undefined) setOption(fd, sockopt.TCP_DEFER_ACCEPT, options.deferAccept);
}

/** Checks what the kernel would cut or clamp unseen, before anything is opened. */
function checkNumbers(options: TcpListenOptions): void {
  const { fastOpen, deferAccept } = options;
  if (options.interface !== undefined) requireInterface(options.interface);
  if (fastOpen !== undefined) requireWithin("fastOpen", fastOpen, 0, 65_535, "connections");
  if (deferAccept !== undefined) requireWithin("deferAccept", deferAccept, 0, 32_767, "seconds");
}
