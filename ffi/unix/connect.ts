import { libc } from "../libc/libc.ts";
import { unwrap } from "../libc/socket_error.ts";
import { copyOptions, type Dial, optionsShape } from "../validate/options.ts";
import { requireSeqpacket, type SeqpacketConn, seqpacketConn } from "./seqpacket.ts";
import { formatAddress, type UnixAddr } from "../address/address.ts";
import { Connecting } from "../io/connect.ts";
import { closeUnless, Descriptor, openDescriptor, setNonblockingCloseOnExec } from "../io/descriptor.ts";
import { type Deadline, deadlineTime } from "../io/deadline.ts";
import type { WaitOptions } from "../validate/options.ts";
import { requireUnaborted } from "../validate/options.ts";
import { requireUnix, type UnixPlace } from "../address/permissions.ts";
import { locate, targetOf } from "../address/unix_path.ts";
import { quote } from "../validate/quote.ts";
import { type Control, socketOf } from "../socket/socket.ts";
import { type UnixDatagram, unixDatagram } from "./datagram.ts";
import { type UnixConn, unixConn } from "./unix.ts";
import { requirePath } from "./path.ts";
import { makeReceiveRoom } from "./receive_room.ts";

/** Options of {@linkcode connect} for Unix stream sockets.
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
  /** Always "unix". */
  transport: "unix";
  /** A file path of at most 107 bytes (103 on BSD and macOS), or "\0name" for an abstract name on Linux. */
  path: string;
  /** Time by which the connection must be established, as Go's Dialer.Deadline: a Date, or milliseconds from now. When
   * it expires, the dial rejects with Deno.errors.TimedOut whose `timeout` is true. Default null, no deadline. */
  deadline?: Deadline;
  /** Function that is called with the new socket before connect. */
  control?: Control;
}

/** Options of {@linkcode connect} for seqpacket sockets; all but `transport` are those of {@linkcode UnixConnectOptions}.
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
  /** Always "seqpacket": SOCK_SEQPACKET, which Go calls "unixpacket". */
  transport: "seqpacket";
}

const KINDS = { transport: "any", path: "any", signal: "signal", deadline: "any", control: "function" } as const;

const UNIX = optionsShape<UnixConnectOptions>("Unix connections", '{ transport: "unix", path }', KINDS);
const SEQPACKET = optionsShape<SeqpacketConnectOptions>(
  "seqpacket connections",
  '{ transport: "seqpacket", path }',
  KINDS,
);

/** Copies and checks the options of a dial, without dialling.
 *
 * @throws {TypeError} for an unknown option, a value of another type or a path that no socket can have
 */
export function unixDial(given: UnixConnectOptions): Dial<UnixConn> {
  return prepared(copyOptions(given, UNIX), "unix", unixConn);
}

/** Copies and checks the options of a seqpacket dial, without dialling.
 *
 * @throws {TypeError} for an unknown option, a value of another type or a path that no socket can have
 */
export function seqpacketDial(given: SeqpacketConnectOptions): Dial<SeqpacketConn> {
  return prepared(copyOptions(given, SEQPACKET), "seqpacket", seqpacketConn);
}

type DialOptions = Omit<UnixConnectOptions, "transport">;

function prepared<C>(
  options: DialOptions,
  transport: "unix" | "seqpacket",
  make: (descriptor: Descriptor) => C,
): Dial<C> {
  const addr = { transport, path: requirePath(options.path) };
  const place = locate(addr.path);
  if (transport === "seqpacket") requireSeqpacket();
  deadlineTime(options.deadline ?? null);
  return {
    signal: options.signal ?? undefined,
    run: async (signal) => make(await dial({ ...options, signal }, addr, place)),
  };
}

async function dial(
  options: DialOptions,
  addr: UnixAddr & { path: string },
  place: UnixPlace,
): Promise<Descriptor> {
  requireUnix(place, "socket");
  requireUnaborted(options.signal);
  const { AF_UNIX, SOCK_STREAM, SOCK_SEQPACKET } = libc().system.constants;
  const descriptor = openDescriptor(AF_UNIX, addr.transport === "unix" ? SOCK_STREAM : SOCK_SEQPACKET, 0);
  try {
    options.control?.(socketOf(descriptor), addr.transport, addr);
    using target = targetOf(place);
    descriptor.writes.setDeadline(deadlineTime(options.deadline ?? null));
    const connecting = new Connecting(descriptor, target.sockaddr, formatAddress(addr));
    await descriptor.writes.run(connecting, { signal: options.signal });
    descriptor.writes.setDeadline(Infinity);
    return descriptor;
  } catch (error) {
    if (!descriptor.closed) descriptor.close();
    // connect(2) may fail at once. A caller that dials again after each failure must not block the event loop.
    await new Promise<void>((resolve) => setImmediate(resolve));
    throw error;
  }
}

/** Makes two connected, unnamed Unix stream sockets: socketpair(2). It does not block.
 *
 * @throws {TypeError} for an unknown type
 * @throws {SocketError} EMFILE if no descriptors are free
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
/** Makes two connected, unnamed Unix sockets that keep message boundaries (SOCK_SEQPACKET): socketpair(2). It does not
 * block.
 *
 * @throws {TypeError} for an unknown type
 * @throws {SocketError} EMFILE if no descriptors are free
 * @throws {Deno.errors.NotSupported} on macOS
 *
 * @example
 * ```ts
 * import { socketPair } from "@berkeley/sockets";
 *
 * const [one, two] = socketPair("seqpacket");
 * await one.send(Uint8Array.of(1, 2));
 * console.log((await two.receive())?.length); // 2
 * one.close();
 * two.close();
 * ```
 */
export function socketPair(type: "seqpacket"): [SeqpacketConn, SeqpacketConn];
/** Makes two connected, unnamed Unix datagram sockets (SOCK_DGRAM): socketpair(2). It does not block.
 *
 * @throws {TypeError} for an unknown type
 * @throws {SocketError} EMFILE if no descriptors are free
 *
 * @example
 * ```ts
 * import { socketPair } from "@berkeley/sockets";
 *
 * const [one, two] = socketPair("dgram");
 * await one.send(Uint8Array.of(1, 2));
 * console.log((await two.receive())[0].length); // 2
 * one.close();
 * two.close();
 * ```
 */
export function socketPair(type: "dgram"): [UnixDatagram, UnixDatagram];
export function socketPair(
  type: "stream" | "seqpacket" | "dgram",
): [UnixConn, UnixConn] | [SeqpacketConn, SeqpacketConn] | [UnixDatagram, UnixDatagram] {
  const { constants } = libc().system;
  if (type === "stream") return pair(constants.SOCK_STREAM, unixConn);
  if (type === "seqpacket") {
    requireSeqpacket();
    return pair(constants.SOCK_SEQPACKET, seqpacketConn);
  }
  if (type === "dgram") return pair(constants.SOCK_DGRAM, datagramSocket);
  throw new TypeError(`Unknown type: ${quote(type)}, expected "stream", "dgram" or "seqpacket"`);
}

function datagramSocket(descriptor: Descriptor): UnixDatagram {
  makeReceiveRoom(descriptor);
  return unixDatagram(descriptor);
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
