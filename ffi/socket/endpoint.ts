import type { Descriptor } from "../io/descriptor.ts";
import { type Deadlines, deadlineTime } from "../io/deadline.ts";
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
  /** @ignore */
  protected readonly descriptor: Descriptor;
  #socket: Socket | undefined;

  /** @ignore */
  constructor(descriptor: Descriptor) {
    this.descriptor = descriptor;
  }

  /** The socket under this one: its options and whatever has no method here. It is the same descriptor, so closing one
   * closes both. */
  get socket(): Socket {
    return this.#socket ??= socketOf(this.descriptor);
  }

  /** Sets both deadlines. What waits beyond rejects with Deno.errors.TimedOut whose `timeout` is true, and so does what
   * is asked for after it, even with data ready; nothing is lost and the socket stays usable. `null` clears.
   *
   * @throws {TypeError} for anything but a valid Date or null
   */
  setDeadline(deadline: Date | null): void {
    const time = deadlineTime(deadline);
    this.descriptor.reads.setDeadline(time);
    this.descriptor.writes.setDeadline(time);
  }

  /** Sets the deadline of what receives, reads or accepts, as {@linkcode Endpoint.setDeadline} does.
   *
   * @throws {TypeError} for anything but a valid Date or null
   */
  setReadDeadline(deadline: Date | null): void {
    this.descriptor.reads.setDeadline(deadlineTime(deadline));
  }

  /** Sets the deadline of what sends or writes, as {@linkcode Endpoint.setDeadline} does.
   *
   * @throws {TypeError} for anything but a valid Date or null
   */
  setWriteDeadline(deadline: Date | null): void {
    this.descriptor.writes.setDeadline(deadlineTime(deadline));
  }

  /** What waits here keeps the process alive: the default. */
  ref(): void {
    this.descriptor.hold(true);
  }

  /** What waits here does not keep the process alive. */
  unref(): void {
    this.descriptor.hold(false);
  }

  /** Closes the socket at once: close(2). What waits rejects with Deno.errors.Interrupted, accepts with
   * Deno.errors.BadResource.
   *
   * @throws {Deno.errors.BadResource} the second time
   */
  close(): void {
    this.descriptor.close();
  }

  /** Gives the descriptor's number away, open and in the system's own state; this object is closed. The number is the
   * caller's to close, and `net.createServer` and `new net.Socket` of `node:net` take it as `{ fd }`. What waits is
   * rejected as on close. A UDP socket with `receiveOffload` drops the datagrams that the kernel gave together with one
   * that was received, and that were not.
   *
   * @throws {Deno.errors.BadResource} when closed
   */
  detach(): number {
    return this.descriptor.detach();
  }

  /** Closes unless it is closed already. */
  [Symbol.dispose](): void {
    if (!this.descriptor.closed) this.close();
  }
}

/** Whether an error is the end of an iteration: the socket was closed. */
export function isEnd(error: unknown): boolean {
  return error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted;
}

/** Iterates over what a socket gives, until it is closed. */
export class UntilClosed<T> implements AsyncIterableIterator<T, undefined, undefined> {
  readonly #take: () => Promise<T>;
  #done = false;

  constructor(take: () => Promise<T>) {
    this.#take = take;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#done) return Promise.resolve({ value: undefined, done: true });
    return this.#take().then(
      (value) => ({ value, done: false }),
      (error) => {
        this.#done = true;
        if (!isEnd(error)) throw error;
        return { value: undefined, done: true };
      },
    );
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.#done = true;
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
