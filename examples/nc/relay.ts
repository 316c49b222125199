/**
 * Moves bytes between standard input, a channel and standard output.
 *
 * @module
 */
import type { Channel } from "./channel.ts";

/** Bytes that went out and came in. */
export interface Counters {
  sent: number;
  received: number;
}

/** Standard input. What was read for a connection that has ended meanwhile goes to the next. */
export class Input {
  readonly #reader = Deno.stdin.readable.getReader();
  #pending: Promise<ReadableStreamReadResult<Uint8Array<ArrayBuffer>>> | null = null;

  /** The next bytes, null at the end. They stay until they are taken. */
  async next(): Promise<Uint8Array<ArrayBuffer> | null> {
    const { value, done } = await (this.#pending ??= this.#reader.read());
    return done ? null : value;
  }

  take(): void {
    this.#pending = null;
  }
}

/** How a relay goes. */
export interface RelayOptions {
  /** Milliseconds without any traffic after which it ends, or Infinity. */
  idle: number;
  /** Whether the end of the input is passed on to the peer. */
  shutdown: boolean;
  signal: AbortSignal;
  counters: Counters;
}

/** Aborts when nothing has happened for a time. */
class Idle implements Disposable {
  readonly #controller = new AbortController();
  readonly #milliseconds: number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds;
    this.touch();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  touch(): void {
    clearTimeout(this.#timer);
    if (this.#milliseconds !== Infinity) this.#timer = setTimeout(() => this.#controller.abort(), this.#milliseconds);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

/** Relays until the peer ends, nothing has come or gone for the idle time, or the signal is aborted. With datagrams and
 * `shutdown`, the end of the input ends it too. */
export async function relay(channel: Channel, input: Input, options: RelayOptions): Promise<void> {
  using idle = new Idle(options.idle);
  const over = new AbortController();
  const signal = AbortSignal.any([options.signal, idle.signal, over.signal]);
  const receiving = (async () => {
    for (let data = await channel.receive({ signal }); data !== null; data = await channel.receive({ signal })) {
      idle.touch();
      options.counters.received += data.length;
      await writeOut(data);
    }
  })();
  const ended = Promise.withResolvers<never>();
  signal.addEventListener("abort", () => ended.reject(signal.reason));
  // Not to be reported once nothing waits for it.
  ended.promise.catch(() => {});
  const sending = (async () => {
    for (;;) {
      const data = await Promise.race([input.next(), ended.promise]);
      if (data === null) break;
      await channel.send(data, { signal });
      input.take();
      idle.touch();
      options.counters.sent += data.length;
    }
    if (options.shutdown) await channel.closeWrite();
    // The peer still has to answer, or to end.
    if (channel.hasEnd || !options.shutdown) await receiving;
  })();
  try {
    await Promise.race([receiving, sending]);
  } catch (error) {
    if (!options.signal.aborted && !idle.signal.aborted) throw error;
  } finally {
    over.abort();
    await Promise.allSettled([receiving, sending]);
  }
}

async function writeOut(data: Uint8Array): Promise<void> {
  for (let written = 0; written < data.length;) written += await Deno.stdout.write(data.subarray(written));
}
