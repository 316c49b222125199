import { libc } from "../libc/libc.ts";
import { isSocketError, systemError } from "../libc/socket_error.ts";
import { controlSpace, writeControlMessage } from "../struct/cmsg.ts";
import { requireBytes } from "../validate/bytes.ts";
import { type OptionsShape, requireKnown } from "../validate/options.ts";
import { quote } from "../validate/quote.ts";
import type { Descriptor } from "../io/descriptor.ts";
import { sendingMessage } from "../io/message.ts";
import type { Again } from "../io/operation.ts";
import type { Socket } from "../socket/socket.ts";

/** Maximum number of descriptors in one message: SCM_MAX_FD of Linux. Other systems allow no more. */
export const MOST_FDS = 253;

/** Something with a descriptor that can be passed: a descriptor number, or a socket or {@linkcode OwnedFd} of this module.
 * `openSync` of `node:fs` returns the number of a file, which a `Deno.FsFile` does not have.
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

/** A message to be sent by {@linkcode DescriptorPassing.sendMessage}.
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
  /** The data. With descriptors on a stream it must have at least one byte, or the system would drop the descriptors. */
  data: Uint8Array;
  /** Descriptors to pass, at most 253. The peer gets duplicates; the originals stay open. A descriptor given as a number
   * must stay open until the message has been sent. */
  fds?: readonly Passable[];
}

function descriptorNumber(item: Passable, index: number): number {
  const fd = typeof item === "object" && item !== null ? ("socket" in item ? item.socket?.fd : item.fd) : item;
  if (Number.isInteger(fd) && fd >= 0 && fd <= 0x7fff_ffff) return fd;
  throw new TypeError(`fds[${index}]: Not a descriptor: ${quote(item)}, expected a number or an object with one`);
}

const NOTHING = new Uint8Array(0);

/** Descriptors to be passed: SCM_RIGHTS. Their numbers are read at each attempt: while one waits, a socket may be closed
 * and its number reused. */
export class ScmRights {
  readonly #fds: readonly Passable[];

  constructor(fds: readonly Passable[] = []) {
    if (!Array.isArray(fds)) throw new TypeError(`Invalid fds: ${quote(fds)}, expected an array of descriptors`);
    this.#fds = Array.from(fds as readonly Passable[]);
    if (this.#fds.length > MOST_FDS) {
      throw new RangeError(`${this.#fds.length} descriptors in one message, expected at most ${MOST_FDS}`);
    }
    this.encode();
  }

  get count(): number {
    return this.#fds.length;
  }

  /** Encodes the control message; empty without descriptors. */
  encode(): Uint8Array {
    if (this.#fds.length === 0) return NOTHING;
    const { constants, layout } = libc().system;
    const numbers = new Uint8Array(Int32Array.from(this.#fds, descriptorNumber).buffer);
    const control = new Uint8Array(controlSpace(layout, numbers.length));
    writeControlMessage(layout, control, 0, constants.SOL_SOCKET, constants.SCM_RIGHTS, numbers);
    return control;
  }
}

/** What a message to be sent may have: a received one can be passed on. */
const MESSAGE: OptionsShape<OutgoingUnixMessage & { credentials: unknown; truncated: unknown; addr: unknown }> = {
  of: "messages",
  expected: "{ data, fds }",
  name: "message",
  kinds: { data: "any", fds: "any", credentials: "any", truncated: "any", addr: "any" },
};

/** Copies and checks a message to be sent. */
export function readOutgoing(message: OutgoingUnixMessage): { data: Uint8Array; rights: ScmRights } {
  if (message === null || typeof message !== "object") {
    throw new TypeError(`Not a message: ${quote(message)}, expected { data, fds }`);
  }
  requireKnown(message, MESSAGE);
  const { data, fds } = message;
  requireBytes(data);
  return { data, rights: new ScmRights(fds) };
}

/** Sends data with control messages, which are copied to the memory of the message header. */
export function sendWithControl(descriptor: Descriptor, data: Uint8Array, control: Uint8Array): number | Again {
  const message = sendingMessage();
  message.control.set(control);
  try {
    return message.send(descriptor.fd, data, null, control.length);
  } catch (error) {
    if (control.length === 0 || !isSocketError(error) || error.code !== "EBADF") throw error;
    throw systemError(error.errno, error.syscall, error.address, "a descriptor to be passed is not open");
  }
}
