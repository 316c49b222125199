import { libc } from "../libc/libc.ts";
import { unwrap } from "../libc/socket_error.ts";
import { thisSystem } from "../libc/host.ts";
import { SeqpacketConn } from "./seqpacket.ts";
import { formatAddress } from "../address/address.ts";
import { Connecting } from "../io/connect.ts";
import { closeUnless, Descriptor, openDescriptor, setNonblockingCloseOnExec } from "../io/descriptor.ts";
import { deadlineTime } from "../io/deadline.ts";
import type { WaitOptions } from "../validate/options.ts";
import { requireUnaborted } from "../validate/options.ts";
import { requireUnix } from "../address/permissions.ts";
import { locate, targetOf } from "../address/unix_path.ts";
import { quote } from "../validate/quote.ts";
import { type Control, socketOf } from "../socket/socket.ts";
import { UnixConn } from "./unix.ts";
import { requirePath } from "./path.ts";

/** How a Unix socket is dialled.
 *
 * @example
 * ```ts
 * import { connect, listen, type UnixConnectOptions } from "@berkeley/sockets";
 *
 * const path = `\0berkeley-doc-${crypto.randomUUID()}`;
 * using listener = listen({ transport: "unix", path });
 * const options: UnixConnectOptions = { transport: "unix", path, deadline: new Date(Date.now() + 1_000) };
 * using conn = await connect(options);
 * console.log(conn.remoteAddr.path === listener.addr.path); // true
 * ```
 */
export interface UnixConnectOptions extends WaitOptions {
  /** What tells it from TCP. */
  transport: "unix";
  /** A file path of at most 107 bytes (103 on BSD and macOS), or "\0name" for an abstract name on Linux. */
  path: string;
  /** When to give up, as Go's Dialer.Deadline: Deno.errors.TimedOut whose `timeout` is true. Default never. */
  deadline?: Date | null;
  /** Called after the socket is made and before it is connected. */
  control?: Control;
}

/** How a connection that keeps message boundaries is dialled: as {@linkcode UnixConnectOptions}.
 *
 * @example
 * ```ts
 * import { connect, listen, type SeqpacketConnectOptions } from "@berkeley/sockets";
 *
 * const options: SeqpacketConnectOptions = { transport: "seqpacket", path: `\0berkeley-doc-${crypto.randomUUID()}` };
 * using listener = listen({ transport: "seqpacket", path: options.path });
 * using conn = await connect(options);
 * console.log(conn.remoteAddr.path === listener.addr.path); // true
 * ```
 */
export interface SeqpacketConnectOptions extends Omit<UnixConnectOptions, "transport"> {
  /** SOCK_SEQPACKET, Go's "unixpacket". */
  transport: "seqpacket";
}

export function connectUnix(options: UnixConnectOptions): Promise<UnixConn> {
  return dial(options, thisSystem().constants.SOCK_STREAM, (descriptor) => new UnixConn(descriptor));
}

export function connectSeqpacket(options: SeqpacketConnectOptions): Promise<SeqpacketConn> {
  return dial(options, thisSystem().constants.SOCK_SEQPACKET, (descriptor) => new SeqpacketConn(descriptor));
}

async function dial<T>(
  options: UnixConnectOptions | SeqpacketConnectOptions,
  type: number,
  make: (descriptor: Descriptor) => T,
): Promise<T> {
  const path = requirePath(options.path);
  const place = locate(path);
  requireUnix(place, "socket");
  requireUnaborted(options.signal);
  const descriptor = openDescriptor(libc().system.constants.AF_UNIX, type, 0);
  try {
    const addr = { transport: options.transport, path };
    options.control?.(socketOf(descriptor), options.transport, addr);
    using target = targetOf(place);
    descriptor.writes.setDeadline(deadlineTime(options.deadline ?? null));
    await descriptor.writes.run(new Connecting(descriptor, target.sockaddr, formatAddress(addr)), options);
    descriptor.writes.setDeadline(Infinity);
    return make(descriptor);
  } catch (error) {
    if (!descriptor.closed) descriptor.close();
    // The answer came at once; who dials again on each failure must not keep the event loop from turning.
    await new Promise<void>((resolve) => setImmediate(resolve));
    throw error;
  }
}

/** Makes two connected, unnamed sockets: socketpair(2).
 *
 * @throws {TypeError} for another type
 * @throws {SocketError} EMFILE without descriptors left; EPROTONOSUPPORT for "seqpacket" on macOS
 *
 * @example
 * ```ts
 * import { socketPair } from "@berkeley/sockets";
 *
 * const [one, two] = socketPair("stream");
 * await one.write(Uint8Array.of(1));
 * console.log(await two.read(new Uint8Array(8))); // 1
 * one.close();
 * two.close();
 * ```
 */
export function socketPair(type: "stream"): [UnixConn, UnixConn];
/** The same of sockets that keep message boundaries: SOCK_SEQPACKET. macOS has none. */
export function socketPair(type: "seqpacket"): [SeqpacketConn, SeqpacketConn];
export function socketPair(type: "stream" | "seqpacket"): [UnixConn, UnixConn] | [SeqpacketConn, SeqpacketConn] {
  const { constants } = libc().system;
  if (type === "stream") return pair(constants.SOCK_STREAM, (descriptor) => new UnixConn(descriptor));
  if (type === "seqpacket") return pair(constants.SOCK_SEQPACKET, (descriptor) => new SeqpacketConn(descriptor));
  throw new TypeError(`Unknown type: ${quote(type)}, expected "stream" or "seqpacket"`);
}

function pair<T>(type: number, make: (descriptor: Descriptor) => T): [T, T] {
  const { c, system: { constants } } = libc();
  const fds = new Int32Array(2);
  const flags = constants.SOCK_NONBLOCK | constants.SOCK_CLOEXEC;
  unwrap(c.socketpair(constants.AF_UNIX, type | flags, 0, fds), "socketpair");
  const one = new Descriptor(fds[0]!);
  const two = new Descriptor(fds[1]!);
  return closeUnless(one, () =>
    closeUnless(two, () => {
      if (flags === 0) [one, two].forEach(({ fd }) => setNonblockingCloseOnExec(fd));
      return [make(one), make(two)];
    }));
}
