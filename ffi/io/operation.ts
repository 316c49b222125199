/** What an attempt returns that would have blocked. */
export const AGAIN = Symbol("EAGAIN");
export type Again = typeof AGAIN;

/** Where operations wait. */
export interface Queue {
  /** Takes out an operation whose signal was aborted. */
  abort(operation: Operation<unknown>): void;
}

/** Something a socket is asked to do, which may have to wait for its turn and for the kernel: an attempt that is made
 * again until it does not answer AGAIN. It is its own place in the queue and its own abort listener, so that waiting
 * costs one object. */
export abstract class Operation<T> {
  /** The system call to name when a deadline cuts it short. */
  abstract readonly syscall: string;
  next: Operation<unknown> | null = null;
  previous: Operation<unknown> | null = null;
  signal: AbortSignal | undefined;
  resolve!: (value: T) => void;
  reject!: (reason: unknown) => void;
  /** The queue it waits in. */
  queue: Queue | null = null;

  /** Whether the operation itself asks for its next attempt: there are waits that no poller can tell the end of. */
  get paced(): boolean {
    return false;
  }

  /** Makes the system call once, and throws what it failed with. */
  abstract attempt(): T | Again;

  /** Adds to an error what only the operation knows. */
  explain(error: Error): Error {
    return error;
  }

  /** The error for a close that cuts the operation off. */
  interrupted(): Error {
    return new Deno.errors.Interrupted("The operation was cut off: its socket was closed");
  }

  /** It no longer waits, for whatever reason. */
  left(): void {}

  /** EventListener's method: the signal calls it. */
  handleEvent(): void {
    this.queue!.abort(this as Operation<unknown>);
  }
}
