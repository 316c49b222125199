import { captureCallers } from "../libc/caller_stack.ts";
import { deadlineExceeded } from "./deadline.ts";
import { signalOf, type WaitOptions } from "../validate/options.ts";

/** The longest a timer can be set for. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** What a side wait belongs to, for the errors that end it. */
export interface SideWait {
  readonly syscall: string;
  /** The address that the operation is about. */
  readonly address: string;
  /** Adds to an error what only the operation knows. */
  explain?(error: Error): Error;
}

interface Running {
  readonly wait: SideWait;
  readonly controller: AbortController;
}

function explained({ explain }: SideWait, error: Error): Error {
  return explain === undefined ? error : explain(error);
}

/** What operations of one direction of a socket wait for besides the descriptor itself, such as the lookup of a name.
 * Abort, the direction's deadline and close end these waits as they end the others, at once; they have no place in the
 * order of the queue. */
export class SideWaits {
  readonly #running = new Set<Running>();
  #deadline: number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `deadline` is in milliseconds since the epoch, Infinity for none. */
  constructor(deadline: number) {
    this.#deadline = deadline;
  }

  /** Runs a step under a signal that ends it. The step has to settle as soon as that is aborted. */
  async run<T>(
    wait: SideWait,
    options: WaitOptions | undefined,
    step: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const signal = signalOf(options);
    signal?.throwIfAborted();
    const running: Running = { wait, controller: new AbortController() };
    const abort = () => running.controller.abort(signal!.reason);
    signal?.addEventListener("abort", abort);
    this.#running.add(running);
    try {
      this.#expire();
      return await step(running.controller.signal);
    } catch (error) {
      // An abort's reason is the caller's own object.
      if (error instanceof Error && error !== signal?.reason) captureCallers(error, this.run);
      throw error;
    } finally {
      this.#running.delete(running);
      if (this.#running.size === 0) clearTimeout(this.#timer);
      signal?.removeEventListener("abort", abort);
    }
  }

  setDeadline(deadline: number): void {
    this.#deadline = deadline;
    this.#expire();
  }

  /** Ends everything that is under way, because the socket was closed. */
  interrupt(): void {
    this.#end(() => new Deno.errors.Interrupted("The operation was cut off: its socket was closed"));
  }

  #end(reason: (wait: SideWait) => Error): void {
    for (const { wait, controller } of [...this.#running]) controller.abort(explained(wait, reason(wait)));
  }

  /** Ends what is under way if the deadline has passed, else sets the timer for it. */
  #expire(): void {
    clearTimeout(this.#timer);
    if (this.#deadline === Infinity || this.#running.size === 0) return;
    const left = this.#deadline - Date.now();
    if (left <= 0) return this.#end(({ syscall, address }) => deadlineExceeded(syscall, address));
    this.#timer = setTimeout(() => this.#expire(), Math.min(Math.ceil(left), LONGEST_TIMER));
    Deno.unrefTimer(this.#timer);
  }
}
