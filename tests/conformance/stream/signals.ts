/**
 * The abort listeners of a signal, counted: a signal that outlives many operations must not gather theirs.
 *
 * @module
 */

type Listener = EventListenerOrEventListenerObject;

/** A signal that knows its listeners. */
export class CountedSignal {
  readonly #abort = new AbortController();
  readonly #listeners = new Set<Listener>();
  #added = 0;

  constructor() {
    const { signal } = this;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (type: string, listener: Listener, options?: boolean | AddEventListenerOptions) => {
      this.#listeners.add(listener);
      this.#added++;
      add(type, listener, options);
    };
    signal.removeEventListener = (type: string, listener: Listener, options?: boolean | EventListenerOptions) => {
      this.#listeners.delete(listener);
      remove(type, listener, options);
    };
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Listeners it has now. */
  get count(): number {
    return this.#listeners.size;
  }

  /** Listeners it ever had. */
  get added(): number {
    return this.#added;
  }

  abort(reason?: unknown): void {
    this.#abort.abort(reason);
  }
}
