import type { Descriptor } from "./descriptor.ts";
import { RETRY_LATER, type RetryLater } from "./operation.ts";

/** Milliseconds between two attempts, doubling. */
const FIRST_PAUSE = 1;
const LONGEST_PAUSE = 50;

/** Schedules the next attempt of an operation that has had its share of this turn of the event loop. */
export function retryNextTurn(descriptor: Descriptor): RetryLater {
  descriptor.schedule();
  return RETRY_LATER;
}

/** Attempts an operation again by a timer, where no poller reports that there is room: a Unix socket's full backlog, and
 * the full queue of a Unix datagram socket that one is not connected to. */
export class Backoff {
  readonly #descriptor: Descriptor;
  #pause = FIRST_PAUSE;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(descriptor: Descriptor) {
    this.#descriptor = descriptor;
  }

  /** Schedules the next attempt. */
  later(): RetryLater {
    clearTimeout(this.#timer);
    const timer = this.#timer = setTimeout(() => this.#descriptor.schedule(), this.#pause);
    if (!this.#descriptor.referenced) Deno.unrefTimer(timer);
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
    return RETRY_LATER;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
