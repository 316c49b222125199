import type { Libc } from "../libc/libc.ts";

/** Reads of the file in one search. About one in two finds the thread where it should be; on a machine whose processors
 * are all busy many in a row find it runnable. */
const MAX_READS = 4;

/** Milliseconds from a failed search to the next. */
const INTERVAL = 5;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Finds the epoll(7) descriptor that this thread's event loop waits on.
 *
 * While a read runs on a thread of the pool, the event loop has nothing to do and blocks in epoll_wait(2). What is read
 * is the file in which the kernel names that system call and its arguments, the first of which is the descriptor. So it
 * is found without a guess, also in a Worker, whose loop has one of its own. It is only ever polled: what is registered
 * there is the runtime's. */
export class EventLoopSearch {
  readonly #libc: Libc;
  /** Open for as long as the thread lives, as the poller's own descriptors are. */
  readonly #file: number;
  /** When to search next, by performance.now(); Infinity when it is over. */
  #next: number;

  constructor(libc: Libc) {
    const { c, system } = libc;
    const path = system.threadSyscallPath;
    this.#libc = libc;
    this.#file = path === null ? -1 : c.open(cString(path), system.constants.O_CLOEXEC);
    this.#next = this.#file === -1 ? Infinity : 0;
  }

  /** Whether there is nothing more to be found out. */
  get over(): boolean {
    return this.#next === Infinity;
  }

  /** Whether it is time to search, once more or at all. */
  get due(): boolean {
    return this.#next !== Infinity && performance.now() >= this.#next;
  }

  /** Searches once. Resolves to the descriptor, or to null. */
  async run(): Promise<number | null> {
    this.#next = performance.now() + INTERVAL;
    const { c } = this.#libc;
    const text = new Uint8Array(256);
    for (let read = 0; read < MAX_READS; read++) {
      const length = await c.pread_blocking(this.#file, text, BigInt(text.length), 0n);
      // "232 0x3 …", the number of the call and its arguments, or "running".
      const match = /^\d+ 0x([0-9a-f]+) /.exec(decoder.decode(text.subarray(0, Math.max(length, 0))));
      if (length > 0 && (match === null || !isEpoll(c, match[1]!))) continue;
      this.#next = Infinity;
      return match === null ? null : parseInt(match[1]!, 16);
    }
    return null;
  }
}

function isEpoll(c: Libc["c"], hexadecimal: string): boolean {
  const text = new Uint8Array(64);
  const path = `/proc/self/fd/${parseInt(hexadecimal, 16)}`;
  const length = c.readlink(cString(path), text, BigInt(text.length));
  return decoder.decode(text.subarray(0, Math.max(length, 0))) === "anon_inode:[eventpoll]";
}

function cString(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(`${text}\0`);
}
