import type { Descriptor } from "./descriptor.ts";
import { AGAIN, type Again } from "./operation.ts";

/** Milliseconds between two attempts, doubling. */
const FIRST_PAUSE = 1;
const LONGEST_PAUSE = 50;

/** Tries again by the clock, where the kernel tells nobody when there is room: a Unix socket's full backlog, and the
 * full queue of a Unix datagram socket that one is not connected to. */
export class Pace {
  readonly #descriptor: Descriptor;
  #pause = FIRST_PAUSE;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(descriptor: Descriptor) {
    this.#descriptor = descriptor;
  }

  later(): Again {
    clearTimeout(this.#timer);
    const timer = this.#timer = setTimeout(() => this.#descriptor.soon(), this.#pause);
    if (!this.#descriptor.holds) Deno.unrefTimer(timer);
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
    return AGAIN;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
