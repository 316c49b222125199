import { libc } from "../libc/libc.ts";
import { systemError, unwrap } from "../libc/socket_error.ts";
import type { InetAddress } from "../struct/sockaddr.ts";
import { raceAddresses } from "./happy_eyeballs.ts";
import { encodeInet, formatAddress, formatHost, parseHost, parsePeerPort, parsePort } from "../address/address.ts";
import { Cancellation } from "./cancellation.ts";
import { Connecting } from "../io/connect.ts";
import type { Descriptor } from "../io/descriptor.ts";
import type { WaitOptions } from "../validate/options.ts";
import { requireNet, requireNotDenied } from "../address/permissions.ts";
import { quote } from "../validate/quote.ts";
import { peerName } from "../address/sockname.ts";
import { resolveHost } from "../address/resolve.ts";
import { type Control, socketOf } from "../socket/socket.ts";
import { type Deadline, deadlineTime } from "../io/deadline.ts";
import { reactor } from "../poll/reactor.ts";
import { copyOptions, type Dial, optionsShape } from "../validate/options.ts";
import { checkDialSettings, leavePortOpen, setDialOptions } from "./dial_options.ts";
import { copyKeepAlive, type KeepAlive } from "./keep_alive.ts";
import { openTcp } from "./multipath.ts";
import { type TcpConn, tcpConn } from "./tcp.ts";

/** Options of {@linkcode connect} for TCP.
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
  /** Port to connect to, from 0 to 65535. */
  port: number;
  /** IP address or host name to connect to; all addresses of a name are tried. Default "127.0.0.1". */
  hostname?: string;
  /** Default "tcp". */
  transport?: "tcp";
  /** Whether the next address, of alternating families, is tried while the previous attempt is still under way: Happy
   * Eyeballs, RFC 8305. With false, each attempt ends before the next one begins. Default true. */
  autoSelectFamily?: boolean;
  /** Time until the next address is tried, in milliseconds, at least 10. Default 250. */
  autoSelectFamilyAttemptDelay?: number;
  /** Time by which the connection must be established, as Go's Dialer.Deadline: a Date, or milliseconds from now. When
   * it expires, the dial rejects with Deno.errors.TimedOut whose `timeout` is true. Default null, no deadline. */
  deadline?: Deadline;
  /** Local address of the connection, as Go's Dialer.LocalAddr. The system chooses what is left out. */
  localAddress?: {
    /** Local IP address, of the family of the destination. Default: the system chooses the address. */
    hostname?: string;
    /** Local port, from 0 to 65535. Default 0: the system chooses a free port. */
    port?: number;
  };
  /** Whether the local address can be bound while earlier connections are in TIME_WAIT: SO_REUSEADDR. Default false. */
  reuseAddress?: boolean;
  /** Whether other sockets with the same option share the local address: SO_REUSEPORT. Default false. */
  reusePort?: boolean;
  /** Whether small writes are sent at once: TCP_NODELAY. Default true. */
  noDelay?: boolean;
  /** Keep-alive probes; true uses the system's settings. Default false. */
  keepAlive?: boolean | KeepAlive;
  /** Interface to dial by, its name or its index: SO_BINDTODEVICE, SO_BINDTOIFINDEX; IP_BOUND_IF on macOS. Default: the
   * system's routes decide. */
  interface?: string | number;
  /** How long sent data may stay unacknowledged before the connection is dropped, in milliseconds: TCP_USER_TIMEOUT of
   * tcp(7). 0 and the default are the system's own limit. */
  userTimeout?: number;
  /** Whether the first data may go with the SYN: TCP_FASTOPEN_CONNECT. Once the system has a cookie of the peer, `connect`
   * resolves at once, and the first write makes the connection: it is the first write that fails if the connection is
   * refused. Without a write no connection is made, so a peer that speaks first stays silent. Default false. */
  fastOpen?: boolean;
  /** Whether the connection may use several paths, MPTCP: plain TCP where the system, the peer or another of these options
   * does without. Default false. */
  multipath?: boolean;
  /** TOS or traffic class of the packets sent, 0 to 255: IP_TOS, IPV6_TCLASS. Default 0. */
  trafficClass?: number;
  /** Function that is called with each new socket before bind and connect; there is one socket for each attempt. */
  control?: Control;
}

type LocalAddress = NonNullable<TcpConnectOptions["localAddress"]>;

const LOCAL_ADDRESS = optionsShape<LocalAddress>(
  "local addresses",
  "{ hostname, port }",
  { hostname: "any", port: "any" },
  "localAddress",
);

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
  interface: "any",
  userTimeout: "any",
  fastOpen: "boolean",
  multipath: "boolean",
  trafficClass: "any",
  control: "function",
});

const DEFAULT_ATTEMPT_DELAY = 250;

/** The minimum delay that RFC 8305 allows, in milliseconds. */
const LEAST_ATTEMPT_DELAY = 10;

/** Copies and checks the options of a dial, without dialling.
 *
 * @throws {TypeError} for an unknown option, a value of another type or a port that is not a whole number
 * @throws {RangeError} for a number outside its range
 */
export function tcpDial(given: TcpConnectOptions): Dial<TcpConn> {
  const options = copyOptions(given, OPTIONS);
  const hostname = options.hostname ?? "127.0.0.1";
  const port = parsePeerPort(options.port);
  const delay = attemptDelay(options);
  deadlineTime(options.deadline ?? null);
  const local = parseLocal(options.localAddress);
  if (options.keepAlive !== undefined) options.keepAlive = copyKeepAlive(options.keepAlive);
  checkDialSettings(options);
  return {
    signal: options.signal ?? undefined,
    run: (signal) => dialHost({ ...options, hostname, port, signal }, local, delay),
  };
}

type DialOptions = TcpConnectOptions & { hostname: string };

/** Dials, trying every address of the host. */
async function dialHost(options: DialOptions, local: LocalChoice | null, delay: number): Promise<TcpConn> {
  const { hostname, port } = options;
  requireNet(hostname, port);
  const isName = parseHost(hostname, port) === null;
  const text = formatAddress({ transport: "tcp", hostname, port });
  using cancellation = new Cancellation("connect", text, options.signal, options.deadline);
  const addresses = await resolveHost(hostname, port, "any", { signal: cancellation.signal });
  if (isName) {
    for (const address of addresses) requireNotDenied(formatHost(address), port);
  }
  const source = local?.address ?? null;
  const reachable = source === null ? addresses : addresses.filter(({ family }) => family === source.family);
  if (reachable.length === 0) throw differentFamilies(source!, hostname);
  // A local port can be bound once at a time: the next address is tried when the one before has failed.
  const stagger = local !== null && local.port !== 0 ? Infinity : delay;
  const deadline = stagger === Infinity ? deadlineTime(options.deadline ?? null) : Infinity;
  return await raceAddresses(reachable, stagger, cancellation.signal, (address, signal, left) => {
    return dial(address, local === null ? null : localFor(local, address), options, signal, shareOf(deadline, left));
  });
}

/** The shortest share of the time in milliseconds that an address gets, if so much is left: as in Go's net. */
const LEAST_SHARE = 2_000;

/** Until when one of so many addresses that are tried one after the other may take: its share of the time left. */
function shareOf(deadline: number, left: number): number {
  const now = Date.now();
  const end = now + Math.max((deadline - now) / left, LEAST_SHARE);
  // The deadline of the whole dial ends the last one.
  return end < deadline ? end : Infinity;
}

function differentFamilies(local: InetAddress, hostname: string): TypeError {
  const quoted = quote(formatHost(local));
  return new TypeError(
    `localAddress ${quoted} and ${quote(hostname)} are of different families; pass a localAddress of the same family`,
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

/** Where to dial from: at least one of the two is chosen. */
interface LocalChoice {
  /** Null leaves the address to the system, in the family of each destination. */
  readonly address: InetAddress | null;
  /** 0 leaves the port to the system. */
  readonly port: number;
}

function parseLocal(given: TcpConnectOptions["localAddress"]): LocalChoice | null {
  if (given === undefined) return null;
  const { hostname, port: wanted } = copyOptions(given, LOCAL_ADDRESS);
  const port = parsePort(wanted, 0, "localAddress.port");
  if (hostname === undefined || hostname === null) return port === 0 ? null : { address: null, port };
  const address = typeof hostname === "string" ? parseHost(hostname, port) : null;
  if (address !== null) return { address, port };
  throw new TypeError(`Invalid localAddress.hostname: ${quote(hostname)}, expected an IP address`);
}

/** The local address for a destination. */
function localFor({ address, port }: LocalChoice, { family }: InetAddress): InetAddress {
  if (address !== null) return address;
  return { family, address: new Uint8Array(family === "inet" ? 4 : 16), port, scopeId: 0 };
}

/** Makes one attempt at one address. If it fails, the descriptor is closed before the promise rejects. */
async function dial(
  address: InetAddress,
  local: InetAddress | null,
  options: TcpConnectOptions,
  signal: AbortSignal,
  deadline: number,
): Promise<TcpConn> {
  const addr: Deno.NetAddr = { transport: "tcp", hostname: formatHost(address), port: address.port };
  const text = formatAddress(addr);
  const v6 = address.family === "inet6";
  const descriptor = openTcp(v6, options.multipath ?? false, ({ fd }) => setDialOptions(fd, address, options));
  try {
    options.control?.(socketOf(descriptor), v6 ? "tcp6" : "tcp4", addr);
    if (local !== null) bindLocal(descriptor, local);
    descriptor.writes.setDeadline(deadline);
    await descriptor.writes.run(new Connecting(descriptor, encodeInet(address), text), { signal });
    descriptor.writes.setDeadline(Infinity);
    // With TCP Fast Open there is no peer yet: the connection is made by the first write.
    const deferred = (options.fastOpen ?? false) && peerName(descriptor.fd) === null;
    return refuseSelf(tcpConn(descriptor, deferred ? addr : undefined), local, text);
  } catch (error) {
    if (!descriptor.closed) descriptor.close();
    // A thread in poll(2) keeps the socket, and with it the port that the next attempt binds.
    if (local !== null && local.port !== 0) await reactor().keeping;
    throw error;
  }
}

/** Binds the local address before connect(2). */
function bindLocal({ fd }: Descriptor, local: InetAddress): void {
  const hostname = formatHost(local);
  requireNet(hostname, local.port);
  if (local.port === 0) leavePortOpen(fd);
  const sockaddr = encodeInet(local);
  const text = formatAddress({ transport: "tcp", hostname, port: local.port });
  unwrap(libc().c.bind(fd, sockaddr, sockaddr.length), "bind", text);
}

/** Rejects a connection of a socket to itself. The system may choose the destination port as the local port if nothing
 * listens there, and TCP then connects the socket to itself. */
function refuseSelf(conn: TcpConn, local: InetAddress | null, text: string): TcpConn {
  const { localAddr, remoteAddr } = conn;
  const self = localAddr.port === remoteAddr.port && localAddr.hostname === remoteAddr.hostname;
  if (!self || (local !== null && local.port !== 0)) return conn;
  throw systemError(libc().system.errors.ECONNREFUSED!, "connect", text);
}
