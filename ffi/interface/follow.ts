import { isSocketError } from "../libc/socket_error.ts";
import { AwaitingChange, type InterfaceChange, InterfaceMonitor } from "./monitor.ts";

/** Milliseconds until a listing is tried again that failed, for want of descriptors or memory. */
const RETRY = 1_000;

type Listener = (change: InterfaceChange) => void;

/** Tells all its listeners of the changes of this machine's interfaces. One serves a thread, and it is closed while there
 * is no listener. It does not keep the process alive. */
class Follower {
  readonly #listeners = new Set<Listener>();
  #monitor: InterfaceMonitor | null = null;
  #waiting = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Adds a listener, after it was told of all the interfaces there are. What it throws then is thrown here, and it is not
   * added. */
  add(listener: Listener): void {
    const monitor = this.#monitor ?? this.#open();
    try {
      // What has changed meanwhile comes first, so that the list is as the machine is now.
      this.#tellPending(monitor);
      for (const one of monitor.known()) listener({ type: "added", interface: one });
      this.#listeners.add(listener);
    } finally {
      this.#closeIfUnused();
    }
    if (!this.#waiting) this.#wait(monitor);
  }

  delete(listener: Listener): void {
    if (this.#listeners.delete(listener)) this.#closeIfUnused();
  }

  #open(): InterfaceMonitor {
    this.#monitor = new InterfaceMonitor();
    this.#monitor.descriptor.unref();
    this.#waiting = false;
    return this.#monitor;
  }

  #closeIfUnused(): void {
    if (this.#listeners.size > 0 || this.#monitor === null) return;
    clearTimeout(this.#timer);
    this.#monitor.descriptor.close();
    this.#monitor = null;
  }

  /** Tells what changes until the monitor is closed. */
  async #wait(monitor: InterfaceMonitor): Promise<void> {
    this.#waiting = true;
    while (!monitor.descriptor.closed) {
      try {
        await monitor.descriptor.reads.run(new AwaitingChange(monitor));
        if (!monitor.descriptor.closed) this.#tellPending(monitor);
      } catch (error) {
        if (monitor.descriptor.closed) return;
        if (!isSocketError(error)) throw error;
        await this.#pause();
      }
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#timer = setTimeout(resolve, RETRY);
      Deno.unrefTimer(this.#timer);
    });
  }

  #tellPending(monitor: InterfaceMonitor): void {
    for (let change = monitor.take(); change !== null; change = monitor.take()) {
      this.#tell(change);
      if (monitor.descriptor.closed) return;
    }
  }

  #tell(change: InterfaceChange): void {
    for (const listener of [...this.#listeners]) listener(change);
  }
}

let follower: Follower | undefined;

/** Calls a function with all the interfaces there are, at once, each as "added", and then with what changes, until the
 * returned object is disposed of. */
export function followInterfaces(listener: Listener): Disposable {
  follower ??= new Follower();
  const followed = follower;
  followed.add(listener);
  return { [Symbol.dispose]: () => followed.delete(listener) };
}
