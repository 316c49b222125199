import { formatAddress, type UnixAddr } from "../address/address.ts";
import { inspectable } from "../validate/inspect.ts";
import { Descriptor } from "../io/descriptor.ts";
import { type Deadline, type Deadlines, deadlineTime } from "../io/deadline.ts";
import type { WaitOptions } from "../validate/options.ts";
import { type Socket, socketOf } from "./socket.ts";

/** What all sockets that people hold have in common: one owned descriptor with its deadlines and its hold on the
 * process.
 *
 * On a closed socket `ref`, `unref`, the deadlines and dispose do nothing, and every other method throws or rejects
 * with Deno.errors.BadResource. What a Worker has open when it is terminated stays open until the process ends: nothing
 * runs in it any more that could close it.
 *
 * @example
 * ```ts
 * import { type Endpoint, listen, listenDatagram } from "@berkeley/sockets";
 *
 * // Lets the program end though these still wait.
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
    // The type is no wall for JavaScript, and a descriptor's number must not come from outside.
    if (!(descriptor instanceof Descriptor)) {
      throw new TypeError("Illegal constructor: listen, connect, listenDatagram, socketPair and fromFd make sockets");
    }
    this.#descriptor = descriptor;
  }

  static {
    inspectable(Endpoint.prototype, (endpoint) => {
      const state = endpoint.#descriptor.closed ? "closed" : "open";
      return { name: endpoint.kind, members: { ...shownAddresses(endpoint), state } };
    });
  }

  /** The name of the object's class, which tells the members of a union apart. */
  abstract readonly kind: string;

  /** The socket under this one: its options and whatever has no method here. It is the same descriptor, so closing one
   * closes both. */
  get socket(): Socket {
    return this.#socket ??= socketOf(this.#descriptor);
  }

  /** Sets both deadlines: a Date, or milliseconds from now. What waits beyond rejects with Deno.errors.TimedOut whose
   * `timeout` is true, and so does what is asked for after it, even with data ready; nothing is lost and the socket
   * stays usable. `null` clears.
   *
   * @throws {TypeError} for anything but a valid Date, a number or null
   */
  setDeadline(deadline: Deadline): void {
    const time = deadlineTime(deadline);
    this.#descriptor.reads.setDeadline(time);
    this.#descriptor.writes.setDeadline(time);
  }

  /** Sets the deadline of what receives, reads or accepts, as {@linkcode Endpoint.setDeadline} does.
   *
   * @throws {TypeError} for anything but a valid Date, a number or null
   */
  setReadDeadline(deadline: Deadline): void {
    this.#descriptor.reads.setDeadline(deadlineTime(deadline));
  }

  /** Sets the deadline of what sends or writes, as {@linkcode Endpoint.setDeadline} does.
   *
   * @throws {TypeError} for anything but a valid Date, a number or null
   */
  setWriteDeadline(deadline: Deadline): void {
    this.#descriptor.writes.setDeadline(deadlineTime(deadline));
  }

  /** What waits here keeps the process alive: the default. */
  ref(): void {
    this.#descriptor.ref();
  }

  /** What waits here does not keep the process alive. */
  unref(): void {
    this.#descriptor.unref();
  }

  /** Closes the socket at once: close(2). What waits rejects with Deno.errors.Interrupted, accepts with
   * Deno.errors.BadResource.
   *
   * @throws {Deno.errors.BadResource} the second time
   */
  close(): void {
    this.#descriptor.close();
  }

  /** Gives the descriptor's number away, open and in the system's own state; this object is closed. The number is the
   * caller's to close, and `net.createServer` and `new net.Socket` of `node:net` take it as `{ fd }`. What waits is
   * rejected as on close. A UDP socket with `receiveOffload` drops the datagrams that the kernel gave together with one
   * that was received, and that were not.
   *
   * @throws {Deno.errors.BadResource} when closed
   */
  detach(): number {
    return this.#descriptor.detach();
  }

  /** Closes unless it is closed already. */
  [Symbol.dispose](): void {
    if (!this.#descriptor.closed) this.close();
  }
}

/** The transport and the addresses that an object has, as an error would name them. */
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

/** Whether an error is the end of an iteration: the socket was closed. */
export function isEnd(error: unknown): boolean {
  return error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted;
}

/** Iterates over what a socket gives, until it is closed. An iteration that has returned takes nothing any more: what
 * comes next goes to whoever asks next. */
export class UntilClosed<T> implements AsyncIterableIterator<T, undefined, undefined> {
  readonly #take: (options: WaitOptions) => Promise<T>;
  readonly #returned: () => void;
  /** Takes a wait back when the iteration returns meanwhile. */
  readonly #stop = new AbortController();
  readonly #options: WaitOptions = { signal: this.#stop.signal };

  /** `returned` is called once, when the iteration is left before the socket was closed. */
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
