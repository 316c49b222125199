import { deadlineExceeded } from "./deadline.ts";
import { AGAIN, type Operation, type Queue } from "./operation.ts";
import type { WaitOptions } from "../validate/options.ts";
import { signalOf } from "../validate/options.ts";

/** Operations that one socket carries out before others get their turn. */
const SHARE = 128;

/** The longest a timer can be set for. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** What a lane needs of the descriptor it belongs to. */
export interface LaneOwner {
  /** The error for using it when it is closed, else null. */
  refusal(): Error | null;
  /** Asks to be told of readiness in this direction. */
  watch(interest: number): void;
  /** Asks for the next turn of the event loop. */
  soon(): void;
  waitBegins(): void;
  waitEnds(): void;
}

/** One direction of a socket: what waits to be read, or to be written, in the order it was asked for.
 *
 * Each operation is tried first and waits only when it would block. Readiness is remembered: after an attempt that
 * would have blocked no other is made before the poller has told of something new. */
export class Lane implements Queue {
  readonly #owner: LaneOwner;
  readonly #interest: number;
  #first: Operation<unknown> | null = null;
  #last: Operation<unknown> | null = null;
  /** Nothing was there at the last attempt, and no readiness has been told since. */
  #drained = false;
  /** The poller has said all it will ever say: only trying tells. */
  #ended = false;
  #streak = 0;
  #deadline = Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(owner: LaneOwner, interest: number) {
    this.#owner = owner;
    this.#interest = interest;
  }

  run<T>(operation: Operation<T>, options?: WaitOptions): Promise<T> {
    let signal: AbortSignal | undefined;
    try {
      signal = signalOf(options);
      if (signal?.aborted) return Promise.reject(signal.reason);
    } catch (error) {
      return Promise.reject(error);
    }
    const refusal = this.#owner.refusal();
    if (refusal !== null) return Promise.reject(refusal);
    if (this.#deadline <= (this.#deadline === Infinity ? 0 : Date.now())) {
      return Promise.reject(operation.explain(deadlineExceeded(operation.syscall)));
    }
    const tried = this.#first === null && (!this.#drained || operation.paced) && this.#streak < SHARE;
    if (tried) {
      // What fails counts too: a loop that tries again at once must not keep the event loop from what would help.
      this.#streak++;
      try {
        const result = operation.attempt();
        if (result !== AGAIN) return Promise.resolve(result);
      } catch (error) {
        return Promise.reject(error);
      }
      this.#blocked(operation);
    }
    return this.#wait(operation, signal, tried);
  }

  /** Apart from `run`, which would otherwise make a place for what this closure holds on every call. */
  #wait<T>(operation: Operation<T>, signal: AbortSignal | undefined, tried: boolean): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      operation.resolve = resolve;
      operation.reject = reject;
      this.#enqueue(operation, signal, tried);
    });
  }

  /** An attempt took less than it had room for, and on a byte stream that means that there is no more: epoll(7). After
   * the end was told, no readiness would come to end the wait. */
  drained(): void {
    this.#drained = !this.#ended;
  }

  /** The poller told of readiness, or the lane's turn has come. */
  ready(ended: boolean): void {
    this.#ended ||= ended;
    this.#drained = false;
    this.#streak = 0;
    for (let share = SHARE; this.#first !== null; share--) {
      if (share === 0) return this.#owner.soon();
      const operation = this.#first;
      let result: unknown;
      try {
        result = operation.attempt();
      } catch (error) {
        this.#remove(operation);
        operation.reject(error);
        continue;
      }
      if (result === AGAIN) {
        this.#blocked(operation);
        return this.#watch(operation);
      }
      this.#remove(operation);
      operation.resolve(result);
    }
  }

  /** Absolute, in milliseconds since the epoch; Infinity is none. One that has passed cuts off what waits. */
  setDeadline(deadline: number): void {
    this.#deadline = deadline;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#first !== null) this.#startTimer();
  }

  /** Rejects everything that waits, each with the error made for it. */
  cut(reason: (operation: Operation<unknown>) => unknown): void {
    while (this.#first !== null) {
      const operation = this.#first;
      this.#remove(operation);
      operation.reject(reason(operation));
    }
  }

  /** The signal of an operation that waits was aborted. */
  abort(operation: Operation<unknown>): void {
    const wasFirst = this.#first === operation;
    this.#remove(operation);
    operation.reject(operation.signal!.reason);
    // Who comes first now may have been waiting for its turn alone, and nobody has asked the poller for it.
    if (wasFirst && this.#first !== null) this.#owner.soon();
  }

  /** An attempt would have blocked. What asks for its next attempt itself waits for something else than readiness. */
  #blocked({ paced }: { readonly paced: boolean }): void {
    if (!paced) this.#drained = true;
  }

  #enqueue<T>(operation: Operation<T>, signal: AbortSignal | undefined, tried: boolean): void {
    const waiter = operation as Operation<unknown>;
    // First, since the first wait of all makes the poller, and that may fail.
    this.#owner.waitBegins();
    if (this.#first === null) {
      this.#first = waiter;
    } else {
      waiter.previous = this.#last;
      this.#last!.next = waiter;
    }
    this.#last = waiter;
    if (signal !== undefined) {
      waiter.signal = signal;
      waiter.queue = this;
      signal.addEventListener("abort", waiter);
    }
    if (this.#deadline !== Infinity && this.#timer === undefined) this.#startTimer();
    if (this.#first !== waiter) return;
    if (waiter.paced ? tried : this.#drained) this.#watch(waiter);
    else this.#owner.soon();
  }

  /** A system that cannot watch for the first in the queue cannot for the others either. */
  #watch(operation: Operation<unknown>): void {
    if (operation.paced) return;
    try {
      this.#owner.watch(this.#interest);
    } catch (error) {
      this.cut(() => error);
    }
  }

  #remove(operation: Operation<unknown>): void {
    if (operation.previous === null) this.#first = operation.next;
    else operation.previous.next = operation.next;
    if (operation.next === null) this.#last = operation.previous;
    else operation.next.previous = operation.previous;
    operation.next = operation.previous = null;
    operation.signal?.removeEventListener("abort", operation);
    operation.left();
    if (this.#first === null && this.#timer !== undefined) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
    this.#owner.waitEnds();
  }

  /** The timer never holds the process: what waits does, if it is to. */
  #startTimer(): void {
    if (this.#deadline === Infinity) return;
    const left = this.#deadline - Date.now();
    if (left <= 0) {
      this.#timer = undefined;
      this.cut((operation) => operation.explain(deadlineExceeded(operation.syscall)));
      return;
    }
    const timer = this.#timer = setTimeout(() => this.#startTimer(), Math.min(Math.ceil(left), LONGEST_TIMER));
    Deno.unrefTimer(timer);
  }
}
