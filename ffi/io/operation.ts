/** What an attempt returns that would have blocked: it is made again when the poller reports readiness. */
export const AGAIN = Symbol("EAGAIN");
export type Again = typeof AGAIN;

/** What an attempt returns that would have blocked on something that no poller reports. The operation itself has asked
 * for its next attempt: Backoff. */
export const RETRY_LATER = Symbol("retry later");
export type RetryLater = typeof RETRY_LATER;

/** Where operations wait. */
export interface Queue {
  /** Takes out an operation whose signal was aborted. */
  abort(operation: Operation<unknown>): void;
}

/** Something a socket is asked to do that may have to wait for its turn and for the kernel: an attempt that is repeated
 * until it returns neither AGAIN nor RETRY_LATER. It is its own place in the queue and its own abort listener, so that
 * waiting costs one object. */
export abstract class Operation<T> {
  /** The system call that an expired deadline names. */
  abstract readonly syscall: string;
  next: Operation<unknown> | null = null;
  previous: Operation<unknown> | null = null;
  signal: AbortSignal | undefined = undefined;
  resolve!: (value: T) => void;
  reject!: (reason: unknown) => void;
  /** The queue it waits in. */
  queue: Queue | null = null;

  /** The address to name in errors, where the operation is about one. */
  get address(): string | undefined {
    return undefined;
  }

  /** Makes the system call once, and throws what it failed with. */
  abstract attempt(): T | Again | RetryLater;

  /** Adds to an error what only the operation knows. */
  explain(error: Error): Error {
    return error;
  }

  /** The error for a close while it waits. */
  interrupted(): Error {
    return new Deno.errors.Interrupted("The operation was cut off: its socket was closed");
  }

  /** It is over, for whatever reason, whether it has waited or not. Called once for each `run`. */
  settled(): void {}

  /** The method of EventListener: the signal was aborted. */
  handleEvent(): void {
    this.queue!.abort(this as Operation<unknown>);
  }
}
