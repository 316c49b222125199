import { libc } from "../libc/libc.ts";
import { receivingMessage } from "./message.ts";
import { AGAIN, type Again } from "./operation.ts";

/** Messages longer than this are not looked for: no system queues one. */
const LONGEST = 2 ** 30;

/** What a message's beginning is copied to, which is then received in full. */
class PeekBuffer {
  readonly byte: Uint8Array<ArrayBuffer> = new Uint8Array(1);
  readonly bytes: Uint8Array<ArrayBuffer> = new Uint8Array(4096);
}

let buffer: PeekBuffer | undefined;

/** The length of the next message, by recvmsg(2) with MSG_PEEK: what does not fit the buffer of a receive is lost. */
export function nextLength(fd: number): number | Again {
  const { constants: { MSG_PEEK, MSG_TRUNC }, peekReturnsWholeLength } = libc().system;
  const message = receivingMessage();
  buffer ??= new PeekBuffer();
  // No room for control messages: peeking would open the descriptors among them, and receiving open them again.
  if (peekReturnsWholeLength) return message.receive(fd, buffer.byte, MSG_PEEK | MSG_TRUNC, 0, 0);
  // The larger buffers live only as long as this call.
  for (let bytes = buffer.bytes;; bytes = new Uint8Array(bytes.length * 2)) {
    const length = message.receive(fd, bytes, MSG_PEEK, 0, 0);
    if (length === AGAIN || !message.truncated || bytes.length >= LONGEST) return length;
  }
}
