/**
 * Connected descriptors without anything of the module around them, and the pollers that run here.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { libc } from "../../ffi/libc/libc.ts";
import { setNonblockingCloseOnExec } from "../../ffi/io/descriptor.ts";
import { unwrap } from "../../ffi/libc/socket_error.ts";
import { Epoll } from "../../ffi/poll/epoll.ts";
import { Kqueue } from "../../ffi/poll/kqueue.ts";
import { Poll } from "../../ffi/poll/poll.ts";
import { FIRST_SLOT, LOOP_SLOT, MAX_WAIT, type Poller, type Token, WAKE_SLOT } from "../../ffi/poll/poller.ts";

/** Two connected Unix sockets that do not block. */
export class Pair implements Disposable {
  readonly left: number;
  readonly right: number;
  #open: number[];

  constructor() {
    const { AF_UNIX, SOCK_STREAM, SOCK_NONBLOCK, SOCK_CLOEXEC } = libc().system.constants;
    const fds = new Int32Array(2);
    unwrap(libc().c.socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), "socketpair");
    [this.left, this.right] = [fds[0]!, fds[1]!];
    this.#open = [this.left, this.right];
    if (SOCK_NONBLOCK === 0) this.#open.forEach(setNonblockingCloseOnExec);
  }

  /** Closes one end. */
  close(fd: number): void {
    this.#open = this.#open.filter((one) => one !== fd);
    unwrap(libc().c.close(fd), "close");
  }

  [Symbol.dispose](): void {
    for (const fd of this.#open) this.close(fd);
  }
}

/** Writes one byte; false where it would block. */
export function writeByte(fd: number): boolean {
  return libc().c.write(fd, Uint8Array.of(1), 1n) === 1;
}

/** Writes until it would block. */
export function fill(fd: number): void {
  const bytes = new Uint8Array(65_536);
  while (libc().c.write(fd, bytes, BigInt(bytes.length)) > 0);
}

/** Reads until it would block, and returns how many bytes came. */
export function drain(fd: number): number {
  const bytes = new Uint8Array(65_536);
  let total = 0;
  for (;;) {
    const length = libc().c.read(fd, bytes, BigInt(bytes.length));
    if (length <= 0) return total;
    total += length;
  }
}

/** The backends of this system, each made when first asked for, since none of them is ever closed. */
export const backends: Readonly<Record<string, () => Poller>> = libc().system.backend === "kqueue"
  ? { Kqueue: once(() => new Kqueue(libc())) }
  : { Epoll: once(() => new Epoll(libc())), Poll: once(() => new Poll(libc())) };

/** Makes them all, before descriptors are counted. */
export function openPollers(): void {
  for (const open of Object.values(backends)) open();
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => made ??= make();
}

/** A token that was never used before. */
export function newToken(): Token {
  lastSlot++;
  return { slot: lastSlot, generation: 2 ** 32 - lastSlot };
}

let lastSlot = FIRST_SLOT;

/** What was reported: readiness by slot, without the poller's own wake-ups. */
export type Reported = Map<number, number>;

function reported(poller: Poller, count: number): Reported {
  const events: Reported = new Map();
  for (let index = 0; index < count; index++) {
    const slot = poller.slot(index);
    if (slot === WAKE_SLOT) continue;
    if (slot !== LOOP_SLOT) assertEquals(poller.generation(index), 2 ** 32 - slot);
    events.set(slot, (events.get(slot) ?? 0) | poller.readiness(index));
  }
  return events;
}

/** What one poll reports. */
export function poll(poller: Poller, milliseconds = 0): Reported {
  return reported(poller, poller.poll(milliseconds));
}

/** What the next wait reports that reports anything. */
export async function wait(poller: Poller): Promise<Reported> {
  for (;;) {
    const events = reported(poller, await poller.wait(MAX_WAIT));
    if (events.size > 0) return events;
  }
}
