import { SOCKADDR_STORAGE_SIZE } from "../struct/sockaddr.ts";
import type { Descriptor } from "./descriptor.ts";
import { receivingMessage, sendingMessage } from "./message.ts";
import { AGAIN, type Again, Operation } from "./operation.ts";
import type { EncodedAddress } from "../address/sockaddr_argument.ts";

/** What one recvmsg(2) gave: {@linkcode Socket.receive}.
 *
 * @example
 * ```ts
 * import { listenDatagram, type ReceivedMessage } from "@berkeley/sockets";
 *
 * using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
 * await udp.send(new Uint8Array(3), udp.addr);
 * const message: ReceivedMessage = await udp.socket.receive(new Uint8Array(64));
 * console.log(message.length, message.address.length); // 3 16
 * ```
 */
export interface ReceivedMessage {
  /** Bytes written into the buffer. */
  length: number;
  /** The sender's sockaddr; empty where there is none. */
  address: Uint8Array<ArrayBuffer>;
  /** MSG_TRUNC and its kin, as the system numbers them. */
  flags: number;
}

/** One recvmsg(2) with the sender's address. */
export class Receiving extends Operation<ReceivedMessage> {
  readonly syscall = "recvmsg";
  readonly #descriptor: Descriptor;
  readonly #p: Uint8Array;

  constructor(descriptor: Descriptor, p: Uint8Array) {
    super();
    this.#descriptor = descriptor;
    this.#p = p;
  }

  override attempt(): ReceivedMessage | Again {
    const message = receivingMessage();
    const length = message.receiveBytes(this.#descriptor.fd, this.#p, 0, SOCKADDR_STORAGE_SIZE);
    if (length === AGAIN) return AGAIN;
    return { length, address: message.name.slice(0, message.nameLength), flags: message.flags };
  }
}

/** One sendmsg(2), to an address or to the peer. */
export class Sending extends Operation<number> {
  readonly syscall = "sendmsg";
  readonly #descriptor: Descriptor;
  readonly #p: Uint8Array;
  readonly #to: EncodedAddress | null;

  constructor(descriptor: Descriptor, p: Uint8Array, to: EncodedAddress | null) {
    super();
    this.#descriptor = descriptor;
    this.#p = p;
    this.#to = to;
  }

  override attempt(): number | Again {
    return sendingMessage().send(this.#descriptor.fd, this.#p, this.#to?.sockaddr ?? null, 0, this.#to?.text);
  }
}
