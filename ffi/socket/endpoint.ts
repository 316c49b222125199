import { formatAddress, type UnixAddr } from "../address/address.ts";
import { inspectable } from "../validate/inspect.ts";
import { type Descriptor, requireDescriptor } from "../io/descriptor.ts";
import { type Deadline, type Deadlines, deadlineTime } from "../io/deadline.ts";
import type { WaitOptions } from "../validate/options.ts";
import { type Socket, socketOf } from "./socket.ts";

/** The base class of all sockets: one owned descriptor with deadlines, `ref` and `unref`.
 *
 * On a closed socket `ref`, `unref`, the deadline setters and dispose do nothing; every other method throws or rejects
 * with Deno.errors.BadResource. No method here blocks the event loop. Sockets of a Worker that is terminated stay open
 * until the process ends.
 *
 * @example
 * ```ts
 * import { type Endpoint, listen, listenDatagram } from "@berkeley/sockets";
 *
 * // Lets the program end while these still wait.
 * function inBackground(...endpoints: Endpoint[]): void {
 *   for (const endpoint of endpoints) endpoint.unref();
 * }
 *
 * using listener = listen({ hostname: "127.0.0.1", port: 0 });
 * using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
 * inBackground(listener, udp);
 * ```
 */
export abstract class Endpoint implements Deadlines, Disposable {
  readonly #descriptor: Descriptor;
  #socket: Socket | undefined;

  /** @ignore */
  protected constructor(descriptor: Descriptor) {
    requireDescriptor(descriptor);
    this.#descriptor = descriptor;
  }

  static {
    inspectable(Endpoint.prototype, (endpoint) => {
      const state = endpoint.#descriptor.closed ? "closed" : "open";
      return { name: endpoint.kind, members: { ...shownAddresses(endpoint), state } };
    });
  }

  /** The name of the object's class, the discriminant of unions of sockets. */
  abstract readonly kind: string;

  /** The underlying socket, for options and calls that have no method here. It has the same descriptor: closing one
   * closes both. */
  get socket(): Socket {
    return this.#socket ??= socketOf(this.#descriptor);
  }

  /** Sets the read and write deadlines.
   *
   * When a deadline expires, waiting operations reject with Deno.errors.TimedOut whose `timeout` is true. Operations
   * that are started later reject too, even with data ready, until the deadline is changed. No data is lost, and the
   * socket stays usable.
   *
   * @param deadline a Date, or milliseconds from now; null, the default of a new socket, is no deadline
   * @throws {TypeError} if the deadline is not a valid Date, a number or null
   */
  setDeadline(deadline: Deadline): void {
    const time = deadlineTime(deadline);
    this.#descriptor.setReadDeadline(time);
    this.#descriptor.writes.setDeadline(time);
  }

  /** Sets the deadline of reading, receiving and accepting; see {@linkcode Endpoint.setDeadline}.
   *
   * @param deadline a Date, or milliseconds from now; null is no deadline
   * @throws {TypeError} if the deadline is not a valid Date, a number or null
   */
  setReadDeadline(deadline: Deadline): void {
    this.#descriptor.setReadDeadline(deadlineTime(deadline));
  }

  /** Sets the deadline of writing and sending; see {@linkcode Endpoint.setDeadline}.
   *
   * @param deadline a Date, or milliseconds from now; null is no deadline
   * @throws {TypeError} if the deadline is not a valid Date, a number or null
   */
  setWriteDeadline(deadline: Deadline): void {
    this.#descriptor.writes.setDeadline(deadlineTime(deadline));
  }

  /** Lets waiting operations of this socket keep the process running. This is the default. */
  ref(): void {
    this.#descriptor.ref();
  }

  /** Lets the process end even while operations of this socket wait. */
  unref(): void {
    this.#descriptor.unref();
  }

  /** Closes the socket at once: close(2). Waiting operations reject with Deno.errors.Interrupted; waiting accepts reject
   * with Deno.errors.BadResource.
   *
   * @throws {Deno.errors.BadResource} if the socket is closed
   */
  close(): void {
    this.#descriptor.close();
  }

  /** Closes this object without closing the descriptor, and returns the descriptor's number. The caller owns it from
   * then on; `net.createServer` and `new net.Socket` of `node:net` accept it as `{ fd }`.
   *
   * Waiting operations reject as on close. With `receiveOffload`, datagrams that the kernel delivered together with one
   * that was received are dropped.
   *
   * @throws {Deno.errors.BadResource} if the socket is closed
   */
  detach(): number {
    return this.#descriptor.detach();
  }

  /** Closes the socket unless it is closed. */
  [Symbol.dispose](): void {
    if (!this.#descriptor.closed) this.close();
  }
}

/** The transport and the addresses of an endpoint, formatted for `console.log`. */
function shownAddresses(endpoint: object): Record<string, string> {
  const shown: Record<string, string> = {};
  for (const name of ["addr", "localAddr", "remoteAddr"] as const) {
    const addr = (endpoint as Partial<Record<typeof name, Deno.NetAddr | UnixAddr | null>>)[name];
    if (addr === undefined || addr === null) continue;
    shown.transport = addr.transport;
    shown[name] = formatAddress(addr);
  }
  return shown;
}

/** Whether an error ends an iteration because the socket was closed. */
export function isEnd(error: unknown): boolean {
  return error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted;
}

/** Iterates over the results of an operation until the socket is closed. After `return` the iterator consumes nothing:
 * its waiting operation is aborted. */
export class UntilClosed<T> implements AsyncIterableIterator<T, undefined, undefined> {
  readonly #take: (options: WaitOptions) => Promise<T>;
  readonly #returned: () => void;
  /** Aborts the waiting operation when the iterator returns. */
  readonly #stop = new AbortController();
  readonly #options: WaitOptions = { signal: this.#stop.signal };

  /** `returned` is called once if the iterator returns before the socket is closed. */
  constructor(take: (options: WaitOptions) => Promise<T>, returned: () => void = () => {}) {
    this.#take = take;
    this.#returned = returned;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#stop.signal.aborted) return Promise.resolve({ value: undefined, done: true });
    return this.#take(this.#options).then(
      (value) => ({ value, done: false }),
      (error) => {
        const stopped = this.#stop.signal.aborted;
        this.#stop.abort();
        if (!stopped && !isEnd(error)) throw error;
        return { value: undefined, done: true };
      },
    );
  }

  return(): Promise<IteratorResult<T, undefined>> {
    if (!this.#stop.signal.aborted) {
      this.#stop.abort();
      this.#returned();
    }
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
