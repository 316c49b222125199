import { libc } from "../libc/libc.ts";
import { requireEveryHost } from "../address/permissions.ts";
import { controlMayChooseDestination } from "../option/routing.ts";
import { controlSpace, writeControlMessage } from "../struct/cmsg.ts";
import { lengthOf, requireBytes } from "../validate/bytes.ts";
import { requireInt } from "../validate/number.ts";
import { quote } from "../validate/quote.ts";
import { receivedDescriptors, type ReceivingMessage } from "./message.ts";
import { own, type OwnedFd } from "./owned_fd.ts";

/** One control message, the ancillary data of {@linkcode Socket.receive} and {@linkcode Socket.send}: cmsg(3).
 *
 * @example
 * ```ts
 * import { type ControlMessage, Socket, sockopt } from "@berkeley/sockets";
 *
 * using socket = Socket.open("inet", "dgram");
 * socket.bind({ transport: "udp", hostname: "127.0.0.1", port: 0 });
 * if (sockopt.IP_RECVTTL.supported) socket.setOption(sockopt.IP_RECVTTL, true);
 * await socket.send(new Uint8Array(1), socket.localAddr);
 * const { control } = await socket.receive(new Uint8Array(1), { controlLength: 64 });
 * const first: ControlMessage | undefined = control[0];
 * console.log(first?.data); // Uint8Array(4) [ 64, 0, 0, 0 ] on Linux
 * ```
 */
export interface ControlMessage {
  /** The protocol it belongs to, such as SOL_SOCKET, as the system's headers number it. */
  level: number;
  /** Its type, such as SCM_RIGHTS, as the system's headers number it. */
  type: number;
  /** Its data, without padding. */
  data: Uint8Array;
}

/** Room for the control messages of one call: what Linux lets a socket take at most by default. */
export const MOST_CONTROL = 65_536;

/** Encodes control messages one after the other, each member read once; null for none. Those that may choose the
 * destination need `--allow-net` for every host. */
export function encodeControl(messages: readonly ControlMessage[] | undefined): Uint8Array<ArrayBuffer> | null {
  if (messages === undefined) return null;
  if (!Array.isArray(messages)) throw new TypeError(`Invalid control: ${quote(messages)}, expected an array`);
  const copies = Array.from(messages as readonly unknown[], copyMessage);
  if (copies.length === 0) return null;
  const { layout } = libc().system;
  const size = copies.reduce((sum, { data }) => sum + controlSpace(layout, data.length), 0);
  if (size > MOST_CONTROL) throw new RangeError(`Control messages of ${size} bytes, expected ${MOST_CONTROL} at most`);
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const { level, type, data } of copies) offset = writeControlMessage(layout, bytes, offset, level, type, data);
  return bytes;
}

function copyMessage(message: unknown, index: number): ControlMessage {
  if (message === null || typeof message !== "object") {
    throw new TypeError(`Invalid control message ${index}: ${quote(message)}, expected { level, type, data }`);
  }
  const { level, type, data } = message as ControlMessage;
  requireBytes(data);
  if (lengthOf(data) > MOST_CONTROL) {
    throw new RangeError(`Control message ${index} has ${lengthOf(data)} bytes, expected ${MOST_CONTROL} at most`);
  }
  const copy = {
    level: requireInt(`level of control message ${index}`, level) | 0,
    type: requireInt(`type of control message ${index}`, type) | 0,
    data: new Uint8Array(data),
  };
  if (controlMayChooseDestination(copy.level, copy.type)) {
    requireEveryHost(`control messages of level ${copy.level} and type ${copy.type}`);
  }
  return copy;
}

/** Reads the control messages of the message just received, and takes the descriptors among them into ownership, in
 * their order. Messages beyond `room`, which a system may write all the same, are left out and their descriptors
 * closed. */
export function readControlMessages(
  message: ReceivingMessage,
  room: number,
): { control: ControlMessage[]; fds: OwnedFd[] } {
  const { cursor } = message;
  const { all } = receivedDescriptors(message);
  const control: ControlMessage[] = [];
  let kept = 0;
  cursor.begin(0, message.controlLength);
  while (cursor.next()) {
    if (cursor.end > room) break;
    control.push({ level: cursor.level, type: cursor.type, data: cursor.data.slice() });
    kept += descriptorsIn(message);
  }
  return { control, fds: own(all, kept) };
}

/** How many of the received descriptors are in the cursor's message. */
function descriptorsIn({ cursor, libc: { system: { constants } } }: ReceivingMessage): number {
  const { SOL_SOCKET, SCM_RIGHTS, SCM_PIDFD } = constants;
  const carries = cursor.type === SCM_RIGHTS || (SCM_PIDFD !== 0 && cursor.type === SCM_PIDFD);
  if (cursor.level !== SOL_SOCKET || !carries) return 0;
  let count = 0;
  for (let at = cursor.start; at + 4 <= cursor.end; at += 4) if (cursor.view.getInt32(at, true) >= 0) count++;
  return count;
}
