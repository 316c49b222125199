import { type Deadline, deadlineExceeded, deadlineTime } from "../io/deadline.ts";
import { requireUnaborted } from "../validate/options.ts";

/** One signal that combines the caller's signal, a deadline and `cancel`, for an operation of several steps. Dispose
 * removes the listener and the timer. */
export class Cancellation implements Disposable {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | undefined;
  readonly #timer: ReturnType<typeof setTimeout> | undefined;

  /** `syscall` and `address` are named in the error for an expired deadline. */
  constructor(syscall: string, address: string, signal: AbortSignal | undefined, deadline?: Deadline) {
    requireUnaborted(signal);
    const time = deadlineTime(deadline ?? null);
    if (time !== Infinity) {
      const left = time - Date.now();
      if (left <= 0) throw deadlineExceeded(syscall, address);
      this.#timer = setTimeout(() => this.cancel(deadlineExceeded(syscall, address)), Math.min(left, 0x7fff_ffff));
    }
    this.#outer = signal;
    signal?.addEventListener("abort", this.#forward);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  cancel(reason: unknown): void {
    this.#controller.abort(reason);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener("abort", this.#forward);
  }

  readonly #forward = (): void => this.cancel(this.#outer!.reason);
}
