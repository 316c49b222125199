import type { PeerCredentials } from "./credentials.ts";
import { libc } from "../libc/libc.ts";
import { controlSpace, writeControlMessage } from "../struct/cmsg.ts";
import { decodeCredentials } from "../struct/ucred.ts";
import { own, type OwnedFd } from "../io/owned_fd.ts";
import { requireBytes } from "../validate/bytes.ts";
import { CONTROL_SIZE, receivedDescriptors, type ReceivingMessage, sendingMessage } from "../io/message.ts";
import type { Descriptor } from "../io/descriptor.ts";
import type { Again } from "../io/operation.ts";
import { copyOptions, optionsShape, type WaitOptions } from "../validate/options.ts";
import { optionNumber, writeOption } from "../option/option.ts";
import { quote } from "../validate/quote.ts";
import type { Socket } from "../socket/socket.ts";

/** SCM_MAX_FD: what Linux lets one message carry, and nobody else more. */
const MOST_FDS = 253;
const DEFAULT_FDS = 16;

/** What came with one message: {@linkcode DescriptorPassing.receiveMessage} gives it.
 *
 * @example
 * ```ts
 * import { socketPair, type UnixMessage } from "@berkeley/sockets";
 *
 * const [one, two] = socketPair("stream");
 * await one.sendMessage({ data: new TextEncoder().encode("take this"), fds: [one] });
 * const message: UnixMessage | null = await two.receiveMessage();
 * for (const fd of message!.fds) fd.close();
 * console.log(message!.data.length, message!.truncated); // 9 false
 * one.close();
 * two.close();
 * ```
 */
export interface UnixMessage {
  /** The bytes, in memory of their own. */
  data: Uint8Array<ArrayBuffer>;
  /** Descriptors that came with them, owned by whoever holds the message. */
  fds: OwnedFd[];
  /** With `credentials`: who sent it, as the system vouches. Undefined where it was sent before anybody asked. */
  credentials?: PeerCredentials | undefined;
  /** The data or the descriptors did not all fit; descriptors that did not fit are closed, never leaked. */
  truncated: boolean;
}

/** Something with a descriptor to pass: a number, or any object of this module.
 *
 * @example
 * ```ts
 * import { listenDatagram, type Passable } from "@berkeley/sockets";
 *
 * using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
 * const fds: Passable[] = [0, udp, udp.socket];
 * console.log(fds.length); // 3
 * ```
 */
export type Passable = number | { readonly fd: number } | { readonly socket: Socket };

/** What is sent as one message: {@linkcode DescriptorPassing.sendMessage} takes it.
 *
 * @example
 * ```ts
 * import { listen, type OutgoingUnixMessage, socketPair } from "@berkeley/sockets";
 *
 * using listener = listen({ hostname: "127.0.0.1", port: 0 });
 * const [one, two] = socketPair("seqpacket");
 * const message: OutgoingUnixMessage = { data: new TextEncoder().encode("listener"), fds: [listener] };
 * console.log(await one.sendMessage(message)); // 8
 * one.close();
 * two.close();
 * ```
 */
export interface OutgoingUnixMessage {
  /** The bytes. On a stream at least one where descriptors go with them: the system would drop those. */
  data: Uint8Array;
  /** Descriptors the peer gets copies of, 253 at most; ours stay open. A bare number has to stay so until the message
   * has gone out. */
  fds?: readonly Passable[];
}

/** How a message is received.
 *
 * @example
 * ```ts
 * import { type ReceiveMessageOptions, socketPair } from "@berkeley/sockets";
 *
 * const [one, two] = socketPair("seqpacket");
 * const options: ReceiveMessageOptions = { maxLength: 4, maxFds: 0, credentials: true };
 * await one.send(new Uint8Array(8));
 * const message = await two.receiveMessage(options);
 * console.log(message!.data.length, message!.truncated); // 4 true
 * one.close();
 * two.close();
 * ```
 */
export interface ReceiveMessageOptions extends WaitOptions {
  /** Bytes taken at the most. Default 65,536 on a stream, and a whole message of whatever length on a seqpacket
   * connection. */
  maxLength?: number;
  /** Descriptors taken at the most, 0 to 253. Default 16; what arrives beyond it is closed and the message is
   * `truncated`. */
  maxFds?: number;
  /** Ask for the sender's credentials: SO_PASSCRED. It stays on for the connection. Default false. */
  credentials?: boolean;
}

/** What passes descriptors and tells who is at the other end: connections of Unix sockets.
 *
 * @example
 * ```ts
 * import { type DescriptorPassing, listenDatagram, socketPair } from "@berkeley/sockets";
 *
 * // Sends a socket to whoever is at the other end, if that is the same user.
 * async function handOver(conn: DescriptorPassing, socket: { socket: { fd: number } }): Promise<void> {
 *   if (conn.peerCredentials().uid !== Deno.uid()) throw new Error("Somebody else is there");
 *   await conn.sendMessage({ data: Uint8Array.of(1), fds: [socket.socket] });
 * }
 * const [one, two] = socketPair("stream");
 * using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
 * await handOver(one, udp);
 * (await two.receiveMessage())?.fds[0]?.close();
 * one.close();
 * two.close();
 * ```
 */
export interface DescriptorPassing {
  /** Credentials of the peer as they were when the connection was made: SO_PEERCRED, or getpeereid(3). */
  peerCredentials(): PeerCredentials;
  /** Sends bytes and descriptors as one message: SCM_RIGHTS. The peer gets copies, ours stay open. Resolves to the
   * bytes of data.
   *
   * @throws {TypeError} for what is no descriptor, and on a stream for descriptors without data
   * @throws {RangeError} for more than 253 descriptors
   * @throws {Deno.errors.BadResource} for a number that is not open
   */
  sendMessage(message: OutgoingUnixMessage, options?: WaitOptions): Promise<number>;
  /** Takes one message with its descriptors, null at the end: recvmsg(2).
   *
   * @throws {RangeError} for a `maxLength` below 0 or a `maxFds` beyond 0 to 253
   */
  receiveMessage(options?: ReceiveMessageOptions): Promise<UnixMessage | null>;
}

function descriptorNumber(item: Passable): number {
  const fd = typeof item === "object" && item !== null ? ("socket" in item ? item.socket?.fd : item.fd) : item;
  if (Number.isInteger(fd) && fd >= 0 && fd <= 0x7fff_ffff) return fd;
  throw new TypeError(`Not a descriptor: ${quote(item)}, expected a number or an object with one`);
}

const NOTHING = new Uint8Array(0);

/** Descriptors to be passed: SCM_RIGHTS. Their numbers are asked for at each attempt: while one waits, a socket may be
 * closed, and its number another's. */
export class ScmRights {
  readonly #fds: readonly Passable[];

  constructor(fds: readonly Passable[] = []) {
    if (!Array.isArray(fds)) throw new TypeError(`Invalid fds: ${quote(fds)}, expected an array of descriptors`);
    if (fds.length > MOST_FDS) {
      throw new RangeError(`${fds.length} descriptors in one message, expected ${MOST_FDS} at most`);
    }
    this.#fds = [...fds];
    this.encode();
  }

  get count(): number {
    return this.#fds.length;
  }

  /** The control message; empty without any. */
  encode(): Uint8Array {
    if (this.#fds.length === 0) return NOTHING;
    const { constants, layout } = libc().system;
    const numbers = new Uint8Array(Int32Array.from(this.#fds, descriptorNumber).buffer);
    const control = new Uint8Array(controlSpace(layout, numbers.length));
    writeControlMessage(layout, control, 0, constants.SOL_SOCKET, constants.SCM_RIGHTS, numbers);
    return control;
  }
}

/** Copies what is to be sent as one message, and refuses what cannot be. */
export function readOutgoing(message: OutgoingUnixMessage): { data: Uint8Array; rights: ScmRights } {
  if (message === null || typeof message !== "object") {
    throw new TypeError(`Not a message: ${quote(message)}, expected { data, fds }`);
  }
  const { data, fds } = message;
  requireBytes(data);
  return { data, rights: new ScmRights(fds) };
}

/** Sends bytes with control messages. The control messages are copied to where the kernel is told they are. */
export function sendWithControl(descriptor: Descriptor, data: Uint8Array, control: Uint8Array): number | Again {
  const message = sendingMessage();
  message.control.set(control);
  return message.send(descriptor.fd, data, null, control.length);
}

/** How much of one message is wanted. */
export interface Wanted {
  readonly maxLength: number;
  readonly maxFds: number;
  readonly credentials: boolean;
  readonly signal?: AbortSignal | undefined;
}

const RECEIVE_MESSAGE = optionsShape<ReceiveMessageOptions>(
  "receiveMessage of Unix sockets",
  "{ maxLength, maxFds, credentials, signal }",
  { signal: "signal", maxLength: "any", maxFds: "any", credentials: "boolean" },
);

export function wanted(descriptor: Descriptor, given: ReceiveMessageOptions, longest = 65_536): Wanted {
  const options = copyOptions(given, RECEIVE_MESSAGE);
  const { maxLength = longest, maxFds = DEFAULT_FDS, credentials = false, signal } = options;
  if (maxLength !== longest && !(Number.isInteger(maxLength) && maxLength >= 0 && maxLength <= 0x7fff_ffff)) {
    throw new RangeError(`Invalid maxLength: ${quote(maxLength)}, expected 0 bytes or more`);
  }
  if (!Number.isInteger(maxFds) || maxFds < 0 || maxFds > MOST_FDS) {
    throw new RangeError(`Invalid maxFds: ${quote(maxFds)}, expected 0 to ${MOST_FDS}`);
  }
  if (credentials) passCredentials(descriptor);
  return { maxLength, maxFds, credentials, signal };
}

const ON = Uint8Array.of(1, 0, 0, 0);
const OFF = new Uint8Array(4);

/** Sets SO_PASSCRED: while it is on, every message carries its sender's credentials. */
export function passCredentials({ fd }: Descriptor, pass = true): void {
  const { level, name } = optionNumber("SO_PASSCRED");
  writeOption(fd, level, name, pass ? ON : OFF, "SO_PASSCRED");
}

/** Switches SO_PASSCRED on where the system has it, until the descriptor is given away: the sender of every message is
 * then known. Returns whether it did. */
export function enablePassCred(descriptor: Descriptor): boolean {
  if (libc().system.options.SO_PASSCRED === null) return false;
  passCredentials(descriptor);
  const { beforeClose } = descriptor;
  descriptor.beforeClose = (closing) => {
    beforeClose?.(closing);
    if (!closing) passCredentials(descriptor, false);
  };
  return true;
}

/** Room for so many descriptors, for credentials, and for the pidfd that SO_PASSPIDFD adds: a socket may have that on
 * when it is taken over or accepted. */
export function controlRoom(maxFds: number): number {
  const { constants, layout, installsUnaskedDescriptors } = libc().system;
  // What would not fit would be opened all the same, and nothing would say so.
  if (installsUnaskedDescriptors) return CONTROL_SIZE;
  const pidfd = constants.SCM_PIDFD === 0 ? 0 : controlSpace(layout, 4);
  return controlSpace(layout, maxFds * 4) + controlSpace(layout, layout.ucred?.size ?? 0) + pidfd;
}

/** Reads the control messages of the message just received. Every descriptor in them is owned or closed when this
 * returns: passed ones beyond `maxFds`, and pidfds, are closed. */
export function readControl(message: ReceivingMessage, { maxFds, credentials }: Wanted): Omit<UnixMessage, "data"> {
  const { c, system: { constants } } = libc();
  const { passed, all } = receivedDescriptors(message);
  for (const fd of all) if (!passed.includes(fd)) c.close(fd);
  const fds = own(passed, maxFds);
  const lost = (message.flags & (constants.MSG_TRUNC | constants.MSG_CTRUNC)) !== 0;
  const sender = credentials ? readSender(message) : undefined;
  return { fds, truncated: lost || passed.length > maxFds, ...(sender === undefined ? {} : { credentials: sender }) };
}

function readSender(message: ReceivingMessage): PeerCredentials | undefined {
  const { constants, layout } = libc().system;
  if (layout.ucred === null) return undefined;
  const { cursor } = message;
  cursor.begin(0, message.controlLength);
  while (cursor.next()) {
    if (cursor.level !== constants.SOL_SOCKET || cursor.type !== constants.SCM_CREDENTIALS) continue;
    if (cursor.end - cursor.start >= layout.ucred.size) return vouched(decodeCredentials(layout, cursor.data));
  }
  return undefined;
}

/** Linux names the overflow user, without a process, for a message that was sent before SO_PASSCRED was on. */
function vouched(credentials: PeerCredentials): PeerCredentials | undefined {
  return credentials.pid === 0 && credentials.uid === 65_534 ? undefined : credentials;
}
