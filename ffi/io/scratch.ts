/** Where datagrams of unknown length are received before they are copied out: 64 KiB, the longest that IP carries. One
 * serves all sockets of a thread, since nothing runs between a receive and its copy. It is never handed out, so it
 * cannot be transferred. */
class Scratch {
  readonly bytes: Uint8Array<ArrayBuffer> = new Uint8Array(65_536);
}

let scratch: Scratch | undefined;

export function scratchBytes(): Uint8Array<ArrayBuffer> {
  return (scratch ??= new Scratch()).bytes;
}
