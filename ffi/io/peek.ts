import { libc } from "../libc/libc.ts";
import { inward } from "./message.ts";
import { AGAIN, type Again } from "./operation.ts";

/** Where a message is looked at before memory of its size is made for it. */
class Peek {
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(4096);

  grow(): void {
    this.bytes = new Uint8Array(this.bytes.length * 2);
  }
}

let peek: Peek | undefined;

/** The length of the next message, which nothing else tells before it is too late: recvmsg(2) with MSG_PEEK. */
export function nextLength(fd: number): number | Again {
  const { MSG_PEEK, MSG_TRUNC } = libc().system.constants;
  const message = inward();
  peek ??= new Peek();
  for (;;) {
    const length = message.receive(fd, peek.bytes, MSG_PEEK | MSG_TRUNC, 0, 0);
    if (length === AGAIN) return AGAIN;
    // Linux tells the whole length; elsewhere the buffer grows until the message fits.
    if (!message.truncated || length > peek.bytes.length) return length;
    peek.grow();
  }
}
