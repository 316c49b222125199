/**
 * Sockets of this process in another network namespace: setns(2) for as long as it takes to open one. A socket stays in the
 * namespace it was opened in, so that one test can hold both ends of a cable.
 *
 * @module
 */
// <sched.h>, <fcntl.h>.
const CLONE_NEWNET = 0x4000_0000;
const O_CLOEXEC = 0o2000000;

/** This thread's own network, and the way to others. */
class Thread implements Disposable {
  readonly #library = Deno.dlopen("libc.so.6", {
    open: { parameters: ["buffer", "i32"], result: "i32" },
    setns: { parameters: ["i32", "i32"], result: "i32" },
    close: { parameters: ["i32"], result: "i32" },
  });
  readonly #home = this.#open("/proc/thread-self/ns/net");

  /** Goes into the namespace that a file stands for. */
  enter(path: string): void {
    const fd = this.#open(path);
    try {
      this.#set(fd, path);
    } finally {
      this.#library.symbols.close(fd);
    }
  }

  [Symbol.dispose](): void {
    this.#set(this.#home, "where it came from");
    this.#library.symbols.close(this.#home);
    this.#library.close();
  }

  #open(path: string): number {
    const fd = this.#library.symbols.open(new TextEncoder().encode(`${path}\0`), O_CLOEXEC);
    if (fd === -1) throw new Error(`No namespace at ${path}`);
    return fd;
  }

  #set(fd: number, where: string): void {
    if (this.#library.symbols.setns(fd, CLONE_NEWNET) === -1) throw new Error(`No way into the namespace ${where}`);
  }
}

/** Runs `open` on this thread inside a namespace, by the name that `ip netns` has for it. It cannot wait: another turn of the event loop
 * is another place. */
export function inside<T>(namespace: string, open: () => T): T {
  using thread = new Thread();
  thread.enter(`/run/netns/${namespace}`);
  return open();
}
