import { requireInterfaces } from "../address/permissions.ts";
import { signalOf, type WaitOptions } from "../validate/options.ts";
import { type InterfaceChange, InterfaceMonitor, TakingChange } from "./monitor.ts";

/** Iterates over changes of this machine's network interfaces: first all interfaces, each as "added", then those that are
 * added or removed, or change their state, name or addresses: rtnetlink(7), or a routing socket on macOS and FreeBSD.
 *
 * Simultaneous changes of one interface are reported as one, with its current state. If the socket's buffer overruns, the
 * interfaces are listed again and compared, so that no change is lost.
 *
 * The iteration ends when `signal` is aborted or the loop is left. While `next()` waits, it keeps the process running.
 *
 * @throws {Deno.errors.NotCapable} without `--allow-sys=networkInterfaces`
 * @throws {TypeError} for a value that is not an AbortSignal
 *
 * @example
 * ```ts
 * import { watchInterfaces } from "@berkeley/sockets";
 *
 * const names: string[] = [];
 * for await (const { type, interface: { name } } of watchInterfaces({ signal: AbortSignal.timeout(50) })) {
 *   if (type === "added") names.push(name);
 * }
 * console.log(names.includes("lo")); // true
 * ```
 */
export function watchInterfaces(options?: WaitOptions): AsyncIterableIterator<InterfaceChange> {
  const signal = signalOf(options);
  requireInterfaces();
  return new InterfaceIterator(signal);
}

class InterfaceIterator implements AsyncIterableIterator<InterfaceChange, undefined, undefined> {
  readonly #signal: AbortSignal | undefined;
  /** Opened by the first `next`: an iterator that is never used holds nothing. */
  #monitor: InterfaceMonitor | null = null;
  #ended = false;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  async next(): Promise<IteratorResult<InterfaceChange, undefined>> {
    if (this.#ended || this.#signal?.aborted === true) {
      this.#end();
      return { value: undefined, done: true };
    }
    try {
      // Asked each time: the permission may have been revoked.
      requireInterfaces();
      const monitor = this.#monitor ??= this.#open();
      return { value: await monitor.descriptor.reads.run(new TakingChange(monitor)), done: false };
    } catch (error) {
      if (!this.#ended) {
        this.#end();
        throw error;
      }
      return { value: undefined, done: true };
    }
  }

  return(): Promise<IteratorResult<InterfaceChange, undefined>> {
    this.#end();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #open(): InterfaceMonitor {
    const monitor = new InterfaceMonitor();
    this.#signal?.addEventListener("abort", this.#end);
    return monitor;
  }

  readonly #end = (): void => {
    this.#ended = true;
    this.#signal?.removeEventListener("abort", this.#end);
    if (this.#monitor !== null && !this.#monitor.descriptor.closed) this.#monitor.descriptor.close();
  };
}
