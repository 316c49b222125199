import { libc } from "../libc/libc.ts";
import { isSocketError } from "../libc/socket_error.ts";
import { Descriptor, fcntl, requireDescriptor } from "../io/descriptor.ts";
import { OwnedFd } from "../io/owned_fd.ts";
import { Readiness } from "../io/readiness.ts";
import { inspectable } from "../validate/inspect.ts";
import type { WaitOptions } from "../validate/options.ts";
import { quote } from "../validate/quote.ts";

let make: (descriptor: Descriptor, watched: number) => FdWatcher;

/** Waits for readiness of a descriptor that stays its owner's: {@linkcode watch}.
 *
 * @example
 * ```ts
 * import { type FdWatcher, socketPair, watch } from "@berkeley/sockets";
 *
 * const [one, two] = socketPair("stream");
 * using watcher: FdWatcher = watch(one.socket.fd);
 * await two.write(new Uint8Array(3));
 * await watcher.readable();
 * one.close();
 * two.close();
 * ```
 */
export class FdWatcher implements Disposable {
  readonly #descriptor: Descriptor;
  readonly #watched: number;

  private constructor(descriptor: Descriptor, watched: number) {
    requireDescriptor(descriptor, "watch makes FdWatchers");
    this.#descriptor = descriptor;
    this.#watched = watched;
  }

  static {
    make = (descriptor, watched) => new FdWatcher(descriptor, watched);
    inspectable(FdWatcher.prototype, (watcher) => {
      const state = watcher.#descriptor.closed ? "closed" : "open";
      return { name: "FdWatcher", members: { fd: watcher.#watched, state } };
    });
  }

  /** Waits until a read would not block, whether it would find data, the end or an error: poll(2) with POLLIN. Any number
   * may wait. The event loop is not blocked.
   *
   * @throws {Deno.errors.BadResource} when closed
   * @throws {Deno.errors.Interrupted} if it is closed meanwhile
   */
  readable(options?: WaitOptions): Promise<void> {
    return this.#descriptor.reads.run(new Readiness(this.#descriptor, "read"), options);
  }

  /** Waits until a write would not block, whether it would succeed or not: poll(2) with POLLOUT. Any number may wait. The
   * event loop is not blocked.
   *
   * @throws {Deno.errors.BadResource} when closed
   * @throws {Deno.errors.Interrupted} if it is closed meanwhile
   */
  writable(options?: WaitOptions): Promise<void> {
    return this.#descriptor.writes.run(new Readiness(this.#descriptor, "write"), options);
  }

  /** What waits here keeps the process alive: the default. */
  ref(): void {
    this.#descriptor.ref();
  }

  /** What waits here does not keep the process alive. */
  unref(): void {
    this.#descriptor.unref();
  }

  /** Ends watching. What waits rejects. The descriptor that is watched stays open.
   *
   * @throws {Deno.errors.BadResource} the second time
   */
  close(): void {
    this.#descriptor.close();
  }

  /** Ends watching, unless it has ended. */
  [Symbol.dispose](): void {
    if (!this.#descriptor.closed) this.close();
  }
}

/** Watches a descriptor of any kind that can be polled: one of inotify(7), timerfd_create(2), pidfd_open(2), eventfd(2), a
 * pipe, a terminal, a tun device, a C library's own socket. It is neither read nor changed, and stays its owner's.
 *
 * What is watched is a duplicate, F_DUPFD_CLOEXEC of fcntl(2): when the owner closes its number, what that number led to
 * stays open until the watcher is closed too, and the number may be used again without harm. A regular file is always
 * ready, as poll(2) says.
 *
 * @param fd the number, or a received descriptor
 * @throws {Deno.errors.BadResource} for a number that is not open
 * @throws {TypeError} for what is no descriptor
 * @throws {SocketError} EMFILE without a descriptor left
 *
 * @example
 * ```ts
 * import { watch } from "@berkeley/sockets";
 *
 * const libc = Deno.dlopen("libc.so.6", { eventfd: { parameters: ["u32", "i32"], result: "i32" } });
 * const fd = libc.symbols.eventfd(1, 0);
 * using watcher = watch(fd);
 * await watcher.readable(); // its counter is not 0
 * libc.close();
 * ```
 */
export function watch(fd: number | OwnedFd): FdWatcher {
  const watched: unknown = fd instanceof OwnedFd ? fd.fd : fd;
  if (typeof watched !== "number" || !Number.isInteger(watched) || watched < 0 || watched > 0x7fff_ffff) {
    throw new TypeError(`Invalid descriptor: ${quote(watched)}, expected a number from 0 up or an OwnedFd`);
  }
  return make(new Descriptor(duplicate(watched + 0), "Watcher has been closed"), watched);
}

/** Numbers below are those of standard input, output and error, which others may expect to be closed. */
const LEAST = 3;

function duplicate(fd: number): number {
  try {
    return fcntl(fd, libc().system.constants.F_DUPFD_CLOEXEC, LEAST);
  } catch (error) {
    if (isSocketError(error)) error.message += `: descriptor ${fd}`;
    throw error;
  }
}
