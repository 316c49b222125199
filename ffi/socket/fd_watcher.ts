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
   * @throws {Deno.errors.BadResource} if the watcher is closed
   * @throws {Deno.errors.Interrupted} if the watcher is closed meanwhile
   */
  readable(options?: WaitOptions): Promise<void> {
    return this.#descriptor.reads.run(new Readiness(this.#descriptor, "read"), options);
  }

  /** Waits until a write would not block, whether it would succeed or not: poll(2) with POLLOUT. Any number may wait. The
   * event loop is not blocked.
   *
   * @throws {Deno.errors.BadResource} if the watcher is closed
   * @throws {Deno.errors.Interrupted} if the watcher is closed meanwhile
   */
  writable(options?: WaitOptions): Promise<void> {
    return this.#descriptor.writes.run(new Readiness(this.#descriptor, "write"), options);
  }

  /** Lets waiting operations keep the process running. This is the default. */
  ref(): void {
    this.#descriptor.ref();
  }

  /** Lets the process end while operations wait. */
  unref(): void {
    this.#descriptor.unref();
  }

  /** Closes the watcher: close(2) of its duplicate. Waiting operations reject with Deno.errors.Interrupted. The watched
   * descriptor stays open.
   *
   * @throws {Deno.errors.BadResource} if the watcher is closed
   */
  close(): void {
    this.#descriptor.close();
  }

  /** Closes the watcher unless it is closed. */
  [Symbol.dispose](): void {
    if (!this.#descriptor.closed) this.close();
  }
}

/** Watches a descriptor of any kind that can be polled: one of inotify(7), timerfd_create(2), pidfd_open(2), eventfd(2), a
 * pipe, a terminal, a tun device, a C library's own socket. The descriptor is neither read nor changed.
 *
 * The watcher holds a duplicate, F_DUPFD_CLOEXEC of fcntl(2): closing the watched descriptor does not disturb it, and the
 * file behind both stays open until the watcher is closed too. A regular file is always ready, as poll(2) says. The event
 * loop is not blocked.
 *
 * @param fd a descriptor number, or a received descriptor
 * @throws {Deno.errors.BadResource} for a number that is not open
 * @throws {TypeError} for a value that is not a descriptor
 * @throws {SocketError} EMFILE if no descriptor is free
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
