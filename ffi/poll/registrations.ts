import type { Poller, Token } from "./poller.ts";
import { FIRST_SLOT } from "./poller.ts";

/** What readiness is reported to: once, after which it tries for itself. */
export interface Watcher {
  ready(readiness: number): void;
  /** The poller has failed; the registration is gone. */
  fail(error: unknown): void;
}

/** A descriptor's registration, from `add` to `delete`. A descriptor number comes back after close; this does not, so
 * that a late event cannot reach the next socket of that number. */
export class Registration implements Token {
  constructor(
    readonly slot: number,
    readonly generation: number,
    readonly watcher: Watcher,
    public interest: number,
  ) {}
}

/** The registrations of a poller, by the slot that its events name. A slot is used again, its generation is not. */
export class Registrations {
  #bySlot: (Registration | undefined)[] = [];
  #free: number[] = [];
  #lastSlot = FIRST_SLOT - 1;
  #lastGeneration = 0;

  /** A registration in a slot that is free; `set` puts it there, `release` gives the slot back. */
  prepare(watcher: Watcher, interest: number): Registration {
    const slot = this.#free.pop() ?? ++this.#lastSlot;
    this.#lastGeneration = (this.#lastGeneration + 1) >>> 0;
    return new Registration(slot, this.#lastGeneration, watcher, interest);
  }

  set(registration: Registration): void {
    this.#bySlot[registration.slot] = registration;
  }

  release({ slot }: Registration): void {
    this.#free.push(slot);
  }

  /** Whether it was there. */
  delete(registration: Registration): boolean {
    if (this.#bySlot[registration.slot] !== registration) return false;
    this.#bySlot[registration.slot] = undefined;
    this.#free.push(registration.slot);
    return true;
  }

  /** Passes on the first `count` events of the last poll or wait. Returns whether a registration had one. */
  dispatch(poller: Poller, count: number): boolean {
    let found = false;
    for (let index = 0; index < count; index++) {
      const registration = this.#bySlot[poller.slot(index)];
      if (registration === undefined || registration.generation !== poller.generation(index)) continue;
      found = true;
      registration.watcher.ready(poller.readiness(index));
    }
    return found;
  }

  /** Empties it, and returns what was there. */
  clear(): Registration[] {
    const registrations = this.#bySlot.filter((registration) => registration !== undefined);
    this.#bySlot = [];
    this.#free = [];
    this.#lastSlot = FIRST_SLOT - 1;
    return registrations;
  }
}
