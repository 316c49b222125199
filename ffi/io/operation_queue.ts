import { captureCallers, rejectWithCallers } from "../libc/caller_stack.ts";
import { deadlineExceeded } from "./deadline.ts";
import { AGAIN, type Again, type Operation, type Queue, RETRY_LATER, type RetryLater } from "./operation.ts";
import { type SideWait, SideWaits } from "./side_waits.ts";
import type { WaitOptions } from "../validate/options.ts";
import { signalOf } from "../validate/options.ts";

/** Operations carried out for one socket before others get their turn. */
const BUDGET = 128;

/** The longest a timer can be set for, in milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** What a queue needs of the descriptor it belongs to. */
export interface QueueOwner {
  /** The error for using it when it is closed, else null. */
  refusal(): Error | null;
  /** Asks to be told of readiness in this direction. */
  watch(interest: number): void;
  /** Asks for the next turn of the event loop. */
  schedule(): void;
  /** Whether one more operation may be carried out in this turn of the event loop. */
  spend(): boolean;
  addWaiter(): void;
  removeWaiter(): void;
}

/** The operations of one direction of a socket that wait, in the order they were asked for.
 *
 * Each is attempted first and waits only when it would block. Readiness is remembered: after an attempt that would have
 * blocked none is made before the poller has reported something new. */
export class OperationQueue implements Queue {
  readonly #owner: QueueOwner;
  readonly #interest: number;
  #first: Operation<unknown> | null = null;
  #last: Operation<unknown> | null = null;
  /** False after an attempt that would have blocked, until readiness is reported. */
  #ready = true;
  /** After a hang-up no further edge follows: only an attempt tells. */
  #hungUp = false;
  #deadline = Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #aside: SideWaits | null = null;

  constructor(owner: QueueOwner, interest: number) {
    this.#owner = owner;
    this.#interest = interest;
  }

  /** Whether nothing waits. */
  get idle(): boolean {
    return this.#first === null;
  }

  /** Attempts an operation, or lets it wait. */
  run<T>(operation: Operation<T>, options?: WaitOptions): Promise<T> {
    let signal: AbortSignal | undefined;
    let result: T | Again | RetryLater = AGAIN;
    try {
      signal = signalOf(options);
      this.#require(operation, signal);
      // What fails is counted too: a loop that tries again at once must not keep the event loop from what would help.
      const attempted = this.#first === null && this.#ready && this.#owner.spend();
      if (attempted) {
        result = operation.attempt();
        if (result === AGAIN) this.#ready = false;
      }
    } catch (error) {
      operation.settled();
      // An abort's reason is the caller's own object.
      if (error instanceof Error && error !== signal?.reason) captureCallers(error, this.run);
      return Promise.reject(error);
    }
    if (result === AGAIN || result === RETRY_LATER) return this.#wait(operation, signal, result === RETRY_LATER);
    operation.settled();
    return Promise.resolve(result);
  }

  /** Throws where an operation is not even to be attempted. */
  #require<T>(operation: Operation<T>, signal: AbortSignal | undefined): void {
    if (signal !== undefined && signal.aborted) throw signal.reason;
    const refusal = this.#owner.refusal();
    if (refusal !== null) throw refusal;
    if (this.#deadline !== Infinity && this.#deadline <= Date.now()) {
      throw operation.explain(deadlineExceeded(operation.syscall, operation.address));
    }
  }

  /** Apart from `run`, which would otherwise make room for what this closure captures on every call. */
  #wait<T>(operation: Operation<T>, signal: AbortSignal | undefined, retries: boolean): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      operation.resolve = resolve;
      operation.reject = reject;
      this.#enqueue(operation as Operation<unknown>, signal, retries);
    });
  }

  /** Runs a step of an operation that waits for something else than the descriptor, such as the lookup of a name. The
   * signal, the deadline and close end it at once, by the signal that the step is given. */
  async runAside<T>(
    wait: SideWait,
    options: WaitOptions | undefined,
    step: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const refusal = this.#owner.refusal();
    if (refusal !== null) throw refusal;
    this.#aside ??= new SideWaits(this.#deadline);
    return await this.#aside.run(wait, options, step);
  }

  /** An attempt took less than it had room for, which on a byte stream means that there is no more: epoll(7). After a
   * hang-up no readiness would come to end the wait. */
  clearReadiness(): void {
    this.#ready = this.#hungUp;
  }

  /** The poller has reported readiness, or the queue's turn has come. */
  ready(hungUp: boolean): void {
    if (hungUp) this.#hungUp = true;
    this.#ready = true;
    for (let budget = BUDGET; this.#first !== null; budget--) {
      if (budget === 0) return this.#owner.schedule();
      const operation = this.#first;
      let result: unknown;
      try {
        result = operation.attempt();
      } catch (error) {
        this.#remove(operation);
        operation.resolve(rejectWithCallers(error));
        continue;
      }
      if (result === RETRY_LATER) return;
      if (result === AGAIN) {
        this.#ready = false;
        return this.#watch();
      }
      this.#remove(operation);
      operation.resolve(result);
    }
  }

  /** Absolute, in milliseconds since the epoch; Infinity is none. One that has passed rejects what waits. */
  setDeadline(deadline: number): void {
    this.#deadline = deadline;
    this.#aside?.setDeadline(deadline);
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#first !== null) this.#startTimer();
  }

  /** Rejects all that wait, each with the error made for it. */
  cancelAll(reason: (operation: Operation<unknown>) => unknown): void {
    while (this.#first !== null) {
      const operation = this.#first;
      const error = reason(operation);
      this.#remove(operation);
      operation.resolve(rejectWithCallers(error));
    }
  }

  /** Rejects all that wait, because the socket was closed. */
  interrupt(): void {
    this.cancelAll((operation) => operation.explain(operation.interrupted()));
    this.#aside?.interrupt();
  }

  /** The signal of an operation that waits was aborted. */
  abort(operation: Operation<unknown>): void {
    const wasFirst = this.#first === operation;
    const { signal } = operation;
    this.#remove(operation);
    operation.reject(signal!.reason);
    // The new head of the queue may be unregistered: schedule it.
    if (wasFirst && this.#first !== null) this.#owner.schedule();
  }

  #enqueue(operation: Operation<unknown>, signal: AbortSignal | undefined, retries: boolean): void {
    // First, since the first wait of all opens the poller, and that may fail.
    this.#owner.addWaiter();
    if (this.#first === null) {
      this.#first = operation;
    } else {
      operation.previous = this.#last;
      this.#last!.next = operation;
    }
    this.#last = operation;
    if (signal !== undefined) {
      operation.signal = signal;
      operation.queue = this;
      signal.addEventListener("abort", operation);
    }
    if (this.#deadline !== Infinity && this.#timer === undefined) this.#startTimer();
    if (this.#first !== operation || retries) return;
    if (this.#ready) this.#owner.schedule();
    else this.#watch();
  }

  /** A system that cannot watch for the first in the queue cannot for the others either. */
  #watch(): void {
    try {
      this.#owner.watch(this.#interest);
    } catch (error) {
      this.cancelAll(() => error);
    }
  }

  #remove(operation: Operation<unknown>): void {
    if (operation.previous === null) this.#first = operation.next;
    else operation.previous.next = operation.next;
    if (operation.next === null) this.#last = operation.previous;
    else operation.next.previous = operation.previous;
    operation.next = operation.previous = null;
    if (operation.signal !== undefined) {
      operation.signal.removeEventListener("abort", operation);
      operation.signal = undefined;
    }
    operation.settled();
    if (this.#first === null && this.#timer !== undefined) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
    this.#owner.removeWaiter();
  }

  /** The timer never holds the process: what waits does, if it is to. */
  #startTimer(): void {
    if (this.#deadline === Infinity) return;
    const left = this.#deadline - Date.now();
    if (left <= 0) {
      this.#timer = undefined;
      this.cancelAll((operation) => operation.explain(deadlineExceeded(operation.syscall, operation.address)));
      return;
    }
    const timer = this.#timer = setTimeout(() => this.#startTimer(), Math.min(Math.ceil(left), LONGEST_TIMER));
    Deno.unrefTimer(timer);
  }
}
