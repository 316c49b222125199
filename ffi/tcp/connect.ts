import { libc } from "../libc/libc.ts";
import { systemError, unwrap } from "../libc/socket_error.ts";
import type { InetAddress } from "../struct/sockaddr.ts";
import { raceAddresses } from "./happy_eyeballs.ts";
import { encodeInet, formatAddress, formatHost, parseHost, parsePort } from "../address/address.ts";
import { Cancellation } from "./cancellation.ts";
import { Connecting } from "../io/connect.ts";
import { type Descriptor, openDescriptor } from "../io/descriptor.ts";
import type { WaitOptions } from "../validate/options.ts";
import { setOption } from "../option/option.ts";
import { requireNet, requireNotDenied } from "../address/permissions.ts";
import { quote } from "../validate/quote.ts";
import { resolveHost } from "../address/resolve.ts";
import { type Control, socketOf } from "../socket/socket.ts";
import { sockopt } from "../option/sockopt.ts";
import { type Deadline, deadlineTime } from "../io/deadline.ts";
import { copyOptions, type Dial, optionsShape } from "../validate/options.ts";
import { copyKeepAlive, type KeepAlive, setKeepAlive } from "./keep_alive.ts";
import { type TcpConn, tcpConn } from "./tcp.ts";

/** How a TCP connection is dialled.
 *
 * @example
 * ```ts
 * import { connect, listen, type TcpConnectOptions } from "@berkeley/sockets";
 *
 * using listener = listen({ hostname: "127.0.0.1", port: 0 });
 * const options: TcpConnectOptions = {
 *   port: listener.addr.port,
 *   localAddress: { hostname: "127.0.0.1" },
 *   deadline: new Date(Date.now() + 1_000),
 * };
 * using conn = await connect(options);
 * console.log(conn.localAddr.hostname); // 127.0.0.1
 * ```
 */
export interface TcpConnectOptions extends WaitOptions {
  /** The port to connect to, 0 to 65535. */
  port: number;
  /** Default "127.0.0.1". All addresses of a name are tried. */
  hostname?: string;
  /** The default. */
  transport?: "tcp";
  /** Starts the next address, of the other family first, when one takes long: Happy Eyeballs, RFC 8305. Default true;
   * false tries them one after the other. */
  autoSelectFamily?: boolean;
  /** Milliseconds between attempts, 10 at least. Default 250. */
  autoSelectFamilyAttemptDelay?: number;
  /** When to give up, as Go's Dialer.Deadline: a Date, or milliseconds from now. Past it the dial rejects with
   * Deno.errors.TimedOut whose `timeout` is true. Default null, never. */
  deadline?: Deadline;
  /** Where to dial from: Go's Dialer.LocalAddr. */
  localAddress?: {
    /** A local IP address, of the family to dial. Default "0.0.0.0", the system's choice. */
    hostname?: string;
    /** A local port; any free one where left out. */
    port?: number;
  };
  /** SO_REUSEADDR for the local address. Default false. */
  reuseAddress?: boolean;
  /** SO_REUSEPORT for the local address. Default false. */
  reusePort?: boolean;
  /** Small writes are sent at once: TCP_NODELAY. Default true. */
  noDelay?: boolean;
  /** Whether and how an idle connection is probed. Default false. */
  keepAlive?: boolean | KeepAlive;
  /** Called after each socket is made and before it is bound or connected. */
  control?: Control;
}

type LocalAddress = NonNullable<TcpConnectOptions["localAddress"]>;

const LOCAL_ADDRESS = optionsShape<LocalAddress>("local addresses", "{ hostname, port }", {
  hostname: "any",
  port: "any",
});

const OPTIONS = optionsShape<TcpConnectOptions>("TCP connections", "{ hostname, port }", {
  port: "any",
  hostname: "any",
  transport: "any",
  signal: "signal",
  autoSelectFamily: "boolean",
  autoSelectFamilyAttemptDelay: "any",
  deadline: "any",
  localAddress: "any",
  reuseAddress: "boolean",
  reusePort: "boolean",
  noDelay: "boolean",
  keepAlive: "any",
  control: "function",
});

const DEFAULT_ATTEMPT_DELAY = 250;

/** What RFC 8305 allows at the least. */
const LEAST_ATTEMPT_DELAY = 10;

/** Copies what a dial is asked for, and checks it before anything is dialled.
 *
 * @throws {TypeError} for an unknown option, a value of another type and a port that is no whole number
 * @throws {RangeError} for a number beyond its bounds
 */
export function tcpDial(given: TcpConnectOptions): Dial<TcpConn> {
  const options = copyOptions(given, OPTIONS);
  const hostname = options.hostname ?? "127.0.0.1";
  const port = parsePort(options.port);
  const delay = attemptDelay(options);
  deadlineTime(options.deadline ?? null);
  const local = parseLocal(options.localAddress);
  if (options.keepAlive !== undefined) options.keepAlive = copyKeepAlive(options.keepAlive);
  return {
    signal: options.signal ?? undefined,
    run: (signal) => dialHost({ ...options, hostname, port, signal }, local, delay),
  };
}

type DialOptions = TcpConnectOptions & { hostname: string };

/** Dials, trying every address of the host. */
async function dialHost(options: DialOptions, local: InetAddress | null, delay: number): Promise<TcpConn> {
  const { hostname, port } = options;
  requireNet(hostname, port);
  using cancellation = new Cancellation("connect", options.signal, options.deadline);
  const addresses = await resolveHost(hostname, port, "any", { signal: cancellation.signal });
  if (parseHost(hostname, port) === null) {
    for (const address of addresses) requireNotDenied(formatHost(address), port);
  }
  const reachable = local === null ? addresses : addresses.filter(({ family }) => family === local.family);
  if (reachable.length === 0) throw differentFamilies(local!, hostname);
  return await raceAddresses(reachable, delay, cancellation.signal, (address, signal) => {
    return dial(address, local, options, signal);
  });
}

function differentFamilies(local: InetAddress, hostname: string): TypeError {
  const quoted = quote(formatHost(local));
  return new TypeError(
    `localAddress ${quoted} and ${quote(hostname)} are of different families: pass one of the same`,
  );
}

function attemptDelay(options: TcpConnectOptions): number {
  if (!(options.autoSelectFamily ?? true)) return Infinity;
  const delay = options.autoSelectFamilyAttemptDelay ?? DEFAULT_ATTEMPT_DELAY;
  if (typeof delay !== "number" || !(delay >= 0)) {
    throw new TypeError(`Invalid autoSelectFamilyAttemptDelay: ${quote(delay)}, expected milliseconds`);
  }
  return Math.max(delay, LEAST_ATTEMPT_DELAY);
}

function parseLocal(given: TcpConnectOptions["localAddress"]): InetAddress | null {
  if (given === undefined) return null;
  const local = copyOptions(given, LOCAL_ADDRESS);
  const port = parsePort(local.port, 0);
  const hostname = local.hostname ?? "0.0.0.0";
  const address = parseHost(hostname, port);
  if (address !== null) return address;
  throw new TypeError(`Invalid localAddress: ${quote(hostname)}, expected an IP address`);
}

/** One attempt at one address. However it fails, its descriptor is closed before the caller hears of it. */
async function dial(
  address: InetAddress,
  local: InetAddress | null,
  options: TcpConnectOptions,
  signal: AbortSignal,
): Promise<TcpConn> {
  const { constants } = libc().system;
  const v6 = address.family === "inet6";
  const text = formatAddress({ transport: "tcp", hostname: formatHost(address), port: address.port });
  const descriptor = openDescriptor(v6 ? constants.AF_INET6 : constants.AF_INET, constants.SOCK_STREAM, 0);
  try {
    prepare(descriptor, address, local, options);
    await descriptor.writes.run(new Connecting(descriptor, encodeInet(address), text), { signal });
    return refuseSelf(tcpConn(descriptor), local, text);
  } catch (error) {
    if (!descriptor.closed) descriptor.close();
    throw error;
  }
}

/** Every option, and the local address, before connect(2). */
function prepare(
  descriptor: Descriptor,
  address: InetAddress,
  local: InetAddress | null,
  options: TcpConnectOptions,
): void {
  const { fd } = descriptor;
  if (options.reuseAddress ?? false) setOption(fd, sockopt.SO_REUSEADDR, true);
  if (options.reusePort ?? false) setOption(fd, sockopt.SO_REUSEPORT, true);
  if (options.noDelay ?? true) setOption(fd, sockopt.TCP_NODELAY, true);
  if (options.keepAlive !== undefined) setKeepAlive(fd, options.keepAlive);
  const addr: Deno.NetAddr = { transport: "tcp", hostname: formatHost(address), port: address.port };
  options.control?.(socketOf(descriptor), address.family === "inet6" ? "tcp6" : "tcp4", addr);
  if (local === null) return;
  const hostname = formatHost(local);
  requireNet(hostname, local.port);
  const sockaddr = encodeInet(local);
  const text = formatAddress({ transport: "tcp", hostname, port: local.port });
  unwrap(libc().c.bind(fd, sockaddr, sockaddr.length), "bind", text);
}

/** A socket that dials a port of its own machine where nobody listens may be given that very port to dial from, and
 * meets itself. Nobody who did not ask for the port wants that. */
function refuseSelf(conn: TcpConn, local: InetAddress | null, text: string): TcpConn {
  const { localAddr, remoteAddr } = conn;
  const self = localAddr.port === remoteAddr.port && localAddr.hostname === remoteAddr.hostname;
  if (!self || (local !== null && local.port !== 0)) return conn;
  throw systemError(libc().system.errors.ECONNREFUSED!, "connect", text);
}
