/** struct pollfd: poll(2), <poll.h>. */

/** sizeof(struct pollfd). */
export const POLLFD_SIZE = 8;

/** Writes the struct pollfd at `index`; `revents` is zeroed. */
export function writePollfd(view: DataView, index: number, fd: number, events: number): void {
  const offset = index * POLLFD_SIZE;
  view.setInt32(offset, fd, true);
  view.setInt16(offset + 4, events, true);
  view.setInt16(offset + 6, 0, true);
}

/** `revents` of the struct pollfd at `index`. */
export function pollfdRevents(view: DataView, index: number): number {
  return view.getInt16(index * POLLFD_SIZE + 6, true);
}
