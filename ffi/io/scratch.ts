/** Where datagrams of unknown length are received before they are copied out. One for all sockets of a thread, since
 * nothing runs between a receive and its copy. */
class Scratch {
  readonly bytes = new Uint8Array(65_536);
}

let scratch: Scratch | undefined;

export function scratchBytes(): Uint8Array<ArrayBuffer> {
  return (scratch ??= new Scratch()).bytes;
}
