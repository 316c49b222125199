import type { PeerCredentials, PeerCredentialsOptions } from "./credentials.ts";
import { libc } from "../libc/libc.ts";
import { controlSpace } from "../struct/cmsg.ts";
import { decodeCredentials } from "../struct/ucred.ts";
import { own, type OwnedFd } from "../io/owned_fd.ts";
import { CONTROL_SIZE, receivedDescriptors, type ReceivingMessage } from "../io/message.ts";
import type { Descriptor } from "../io/descriptor.ts";
import { copyOptions, optionsShape, type WaitOptions } from "../validate/options.ts";
import { optionNumber, writeOption } from "../option/option.ts";
import { quote } from "../validate/quote.ts";
import { MOST_FDS, type OutgoingUnixMessage } from "./outgoing_message.ts";

const DEFAULT_FDS = 16;

/** A received message: the result of {@linkcode DescriptorPassing.receiveMessage}.
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
  /** The data, in memory of its own. */
  data: Uint8Array<ArrayBuffer>;
  /** The received descriptors. Close those that are not used. */
  fds: OwnedFd[];
  /** With `credentials`: the credentials of the sender, verified by the system. Undefined for a message that was sent
   * before credentials were requested. */
  credentials?: PeerCredentials | undefined;
  /** Whether data or descriptors did not fit. Such descriptors are closed. */
  truncated: boolean;
}

/** Options of {@linkcode DescriptorPassing.receiveMessage}.
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
  /** Maximum length of the data in bytes. Default 65,536 on a stream, unlimited on a seqpacket connection. */
  maxLength?: number;
  /** Maximum number of descriptors, from 0 to 253. Further ones are closed, and the message is `truncated`. Default 16. */
  maxFds?: number;
  /** Whether to receive the sender's credentials: SO_PASSCRED, which then stays on for the connection. Default false. */
  credentials?: boolean;
}

/** Descriptor passing and peer credentials: the methods that {@linkcode UnixConn} and {@linkcode SeqpacketConn} share.
 * See unix(7).
 *
 * @example
 * ```ts
 * import { type DescriptorPassing, listenDatagram, socketPair } from "@berkeley/sockets";
 *
 * // Passes a socket to the peer if it runs as the same user.
 * async function passSocket(conn: DescriptorPassing, socket: { socket: { fd: number } }): Promise<void> {
 *   if (conn.peerCredentials().uid !== Deno.uid()) throw new Error("The peer runs as another user");
 *   await conn.sendMessage({ data: Uint8Array.of(1), fds: [socket.socket] });
 * }
 * const [one, two] = socketPair("stream");
 * using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
 * await passSocket(one, udp);
 * (await two.receiveMessage())?.fds[0]?.close();
 * one.close();
 * two.close();
 * ```
 */
export interface DescriptorPassing {
  /** Returns the credentials of the peer at the time of the connection: SO_PEERCRED on Linux, getpeereid(3) elsewhere.
   *
   * @param options `groups`, to ask for the supplementary groups, and `pidfd`, to ask for a descriptor of the process;
   * both need Linux, `pidfd` 6.5
   * @throws {TypeError} for an unknown option
   * @throws {Deno.errors.NotSupported} if the running system lacks SO_PEERGROUPS or SO_PEERPIDFD
   * @throws {SocketError} ESRCH if the process has ended, on kernels before 6.16
   */
  peerCredentials(options?: PeerCredentialsOptions): PeerCredentials;
  /** Sends data and descriptors as one message: sendmsg(2) with SCM_RIGHTS. Resolves to the length of the data in bytes.
   *
   * @throws {TypeError} for a value without a descriptor, and on a stream for descriptors without data
   * @throws {RangeError} for more than 253 descriptors
   * @throws {Deno.errors.BadResource} for a descriptor that is not open
   */
  sendMessage(message: OutgoingUnixMessage, options?: WaitOptions): Promise<number>;
  /** Receives one message with its descriptors: recvmsg(2). Resolves to null at the end.
   *
   * @throws {RangeError} for a negative `maxLength`, or a `maxFds` outside 0 to 253
   */
  receiveMessage(options?: ReceiveMessageOptions): Promise<UnixMessage | null>;
}

/** Checked options of one receive. */
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

/** Sets SO_PASSCRED: while it is on, every received message has its sender's credentials. */
export function passCredentials({ fd }: Descriptor, pass = true): void {
  const { level, name } = optionNumber("SO_PASSCRED");
  writeOption(fd, level, name, pass ? ON : OFF, "SO_PASSCRED");
}

/** Enables SO_PASSCRED on systems that have it, until the descriptor is detached. Returns whether it is on. */
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

/** Bytes for the control messages of `maxFds` descriptors, credentials, and the pidfd of SO_PASSPIDFD, which can be on for
 * a socket that was taken over or accepted. */
export function controlRoom(maxFds: number): number {
  const { constants, layout, installsUnaskedDescriptors } = libc().system;
  // These systems install descriptors that do not fit, without reporting them.
  if (installsUnaskedDescriptors) return CONTROL_SIZE;
  const pidfd = constants.SCM_PIDFD === 0 ? 0 : controlSpace(layout, 4);
  return controlSpace(layout, maxFds * 4) + controlSpace(layout, layout.ucred?.size ?? 0) + pidfd;
}

/** Reads the control messages of the message just received. All descriptors in them are then owned or closed: passed ones
 * beyond `maxFds`, and pidfds, are closed. */
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

/** Discards the credentials of a message sent before SO_PASSCRED was on, for which Linux reports the overflow user and no
 * process. */
function vouched(credentials: PeerCredentials): PeerCredentials | undefined {
  return credentials.pid === 0 && credentials.uid === 65_534 ? undefined : credentials;
}
