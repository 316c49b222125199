import { libc } from "../libc/libc.ts";
import { reactor } from "../poll/reactor.ts";

/** Where SO_LINGER is read before a close. */
class LingerOption {
  readonly value = new Int32Array(2);
  readonly length = new Uint32Array(1);
}

let linger: LingerOption | undefined;

/** Whether close(2) would wait for what is still to be sent, on a non-blocking socket too: socket(7), SO_LINGER. Such a
 * close is left to a thread, as the others would stop the event loop. */
export function lingers(fd: number): boolean {
  const { c, system: { constants, options } } = libc();
  const { value, length } = linger ??= new LingerOption();
  length[0] = value.byteLength;
  const result = c.getsockopt(fd, constants.SOL_SOCKET, options.SO_LINGER!.name, value, length);
  return result === 0 && value[0] !== 0 && value[1]! > 0;
}

/** Closes on a thread of its own. A thread in poll(2) keeps what it was given open, and the last to let go of a socket
 * waits for it: as nothing would be ready until that thread had returned, the close comes after it. */
export function closeLingering(fd: number): void {
  const { c } = libc();
  const { keeping } = reactor();
  if (keeping === null) c.close_blocking(fd);
  else keeping.then(() => c.close_blocking(fd));
}
