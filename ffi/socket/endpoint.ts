import type { Descriptor } from "./descriptor.ts";
import { quote } from "./quote.ts";
import { type Socket, socketOf } from "./socket.ts";

/** Absolute read and write deadlines, as Go's net.Conn has them. */
export interface Deadlines {
  /** Both deadlines at once. A past Date fails at once what waits and what comes, `null` clears. */
  setDeadline(deadline: Date | null): void;
  /** For what receives, reads or accepts. */
  setReadDeadline(deadline: Date | null): void;
  /** For what sends or writes. */
  setWriteDeadline(deadline: Date | null): void;
}

/** A deadline in milliseconds since the epoch, Infinity for none. */
export function deadlineTime(deadline: Date | null): number {
  if (deadline === null) return Infinity;
  const time = deadline instanceof Date ? deadline.getTime() : NaN;
  if (Number.isNaN(time)) throw new TypeError(`Invalid deadline: ${quote(deadline)}, expected a Date or null`);
  return time;
}

/** What all sockets that people hold have in common: one owned descriptor with its deadlines and its hold on the process.
 *
 * Every method but `close`, `detach` and dispose leaves a closed socket alone or throws Deno.errors.BadResource. */
export abstract class Endpoint implements Deadlines, Disposable {
  /** @ignore */
  protected readonly descriptor: Descriptor;
  #socket: Socket | undefined;

  /** @ignore */
  constructor(descriptor: Descriptor) {
    this.descriptor = descriptor;
  }

  /** The socket under this one: its options and whatever has no method here. It is the same descriptor, so closing one closes both. */
  get socket(): Socket {
    return this.#socket ??= socketOf(this.descriptor);
  }

  /** Sets both deadlines. What waits beyond rejects with Deno.errors.TimedOut whose `timeout` is true, and so does what is asked for
   * after it, even with data ready; nothing is lost and the socket stays usable. `null` clears.
   *
   * @throws {TypeError} for anything but a valid Date or null
   */
  setDeadline(deadline: Date | null): void {
    const time = deadlineTime(deadline);
    this.descriptor.reads.setDeadline(time);
    this.descriptor.writes.setDeadline(time);
  }

  /** Sets the deadline of what receives, reads or accepts, as {@linkcode Endpoint.setDeadline} does. */
  setReadDeadline(deadline: Date | null): void {
    this.descriptor.reads.setDeadline(deadlineTime(deadline));
  }

  /** Sets the deadline of what sends or writes, as {@linkcode Endpoint.setDeadline} does. */
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

  /** close(2), at once; what waits is rejected. Throws Deno.errors.BadResource the second time. */
  close(): void {
    this.descriptor.close();
  }

  /** Gives the descriptor's number away, open and in the system's own state; this object is closed. The number is the caller's to close.
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
