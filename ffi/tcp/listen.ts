import { libc } from "../libc/libc.ts";
import { unwrap } from "../libc/socket_error.ts";
import { encodeInet, formatAddress, formatHost, parseHost, parsePort } from "../address/address.ts";
import { backlogOf } from "../validate/backlog.ts";
import { closeUnless, openDescriptor } from "../io/descriptor.ts";
import { setOption } from "../option/option.ts";
import { requireNet, requireNotDenied } from "../address/permissions.ts";
import { resolveNow } from "../address/resolve.ts";
import { setReusePort } from "../option/reuse_port.ts";
import { type Control, socketOf } from "../socket/socket.ts";
import { sockopt } from "../option/sockopt.ts";
import { copyOptions, optionsShape } from "../validate/options.ts";
import { copyKeepAlive, type KeepAlive, setKeepAlive } from "./keep_alive.ts";
import { type TcpListener, tcpListener } from "./tcp.ts";

/** How a TCP listener is opened.
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
  /** 0, the default: any free port. */
  port?: number;
  /** Default "0.0.0.0", as Deno's. */
  hostname?: string;
  /** The default. */
  transport?: "tcp";
  /** Connections that may wait to be accepted. Default 511; clamped to what the system takes. */
  tcpBacklog?: number;
  /** SO_REUSEADDR: connections that linger on the port do not stand in the way. Default true. */
  reuseAddress?: boolean;
  /** SO_REUSEPORT: connections are spread over the listeners of one port. Default false, and never set unasked.
   * Deno.errors.NotSupported where the system would not balance. Beside port 0 each gets a port of its own. */
  reusePort?: boolean;
  /** A "::" listener that refuses IPv4. Default false. */
  ipv6Only?: boolean;
  /** TCP_NODELAY of accepted connections: small writes are sent at once. Default true, as for dialled ones. */
  noDelay?: boolean;
  /** Whether and how accepted connections are probed when idle. Default false. */
  keepAlive?: boolean | KeepAlive;
  /** Called after the socket is made and before it is bound. */
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
  control: "function",
});

/** Opens a TCP listener; what fails on the way leaves nothing open. */
export function listenTcp(given: TcpListenOptions): TcpListener {
  const options = copyOptions(given, OPTIONS);
  const port = parsePort(options.port, 0);
  const hostname = options.hostname ?? "0.0.0.0";
  const backlog = backlogOf("tcpBacklog", options.tcpBacklog);
  if (options.keepAlive !== undefined) options.keepAlive = copyKeepAlive(options.keepAlive);
  requireNet(hostname, port);
  const address = resolveNow(hostname, port)[0]!;
  if (parseHost(hostname, port) === null) requireNotDenied(formatHost(address), port);
  const { c, system: { constants } } = libc();
  const v6 = address.family === "inet6";
  const descriptor = openDescriptor(v6 ? constants.AF_INET6 : constants.AF_INET, constants.SOCK_STREAM, 0);
  return closeUnless(descriptor, () => {
    prepare(descriptor.fd, v6, options);
    const addr: Deno.NetAddr = { transport: "tcp", hostname: formatHost(address), port };
    options.control?.(socketOf(descriptor), v6 ? "tcp6" : "tcp4", addr);
    const sockaddr = encodeInet(address);
    unwrap(c.bind(descriptor.fd, sockaddr, sockaddr.length), "bind", formatAddress(addr));
    unwrap(c.listen(descriptor.fd, backlog), "listen", formatAddress(addr));
    return tcpListener(descriptor);
  });
}

/** Every option that has to stand before bind(2). A connection has TCP_NODELAY and keep-alive from its listener. */
function prepare(fd: number, v6: boolean, options: TcpListenOptions): void {
  if (options.reuseAddress ?? true) setOption(fd, sockopt.SO_REUSEADDR, true);
  if (options.reusePort ?? false) setReusePort(fd);
  if (v6) setOption(fd, sockopt.IPV6_V6ONLY, options.ipv6Only ?? false);
  if (options.noDelay ?? true) setOption(fd, sockopt.TCP_NODELAY, true);
  if (options.keepAlive !== undefined) setKeepAlive(fd, options.keepAlive);
}
