/**
 * Pairs of connected ends, and what the tests of them share.
 *
 * @module
 */
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { isSocketError, type SocketError, sockopt, type StreamConn } from "../../../mod.ts";

/** Any connection that carries bytes. */
export type Stream = StreamConn<Deno.Addr>;

/** Two ends of one connection. */
export interface StreamPair {
  readonly one: Stream;
  readonly two: Stream;
  /** Takes down what is not the ends themselves. */
  stop(): void | Promise<void>;
}

/** Makes two ends of a new connection. */
export type MakePair = () => Promise<StreamPair>;

/** For suites that wait: not a measurement, a hang should end with a report. */
export const PATIENCE = { timeout: 60_000 } as const;

/** More than the buffers of both ends hold, once they are `narrow`. */
export const FLOOD = 4 << 20;

const NARROW = 32_768;

/** A moment that is over: Go's aLongTimeAgo. */
export const PAST: Date = new Date(1_000);

/** The body of a test over one pair, which is closed whatever happens. */
export function over(makePair: MakePair, body: (one: Stream, two: Stream) => Promise<void>): () => Promise<void> {
  return async () => {
    const { one, two, stop } = await makePair();
    try {
      await body(one, two);
    } finally {
      one[Symbol.dispose]();
      two[Symbol.dispose]();
      await stop();
    }
  };
}

/** A deadline some milliseconds ahead. */
export function after(milliseconds: number): Date {
  return new Date(Date.now() + milliseconds);
}

/** Resolves after some milliseconds, in which something may happen that should not. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Bytes that are the same at no two offsets within reach of a mistake. */
export function pattern(length: number, seed = 0): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++) bytes[index] = (index * 31 + (index >>> 8) * 17 + seed) & 0xff;
  return bytes;
}

/** Fails with the first difference instead of with megabytes. */
export function assertSameBytes(actual: Uint8Array, expected: Uint8Array): void {
  assertEquals(actual.length, expected.length);
  const index = actual.findIndex((byte, index) => byte !== expected[index]);
  assertEquals(index, -1, `byte ${index} of ${actual.length} differs`);
}

export function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** Reads so many bytes, in pieces of at most `step`. */
export async function readExactly(conn: Stream, length: number, step = length): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = await conn.read(bytes.subarray(at, Math.min(at + step, length)));
    assert(count !== null, `the end came after ${at} of ${length} bytes`);
    assert(count > 0);
    at += count;
  }
  return bytes;
}

/** Reads to the end. */
export async function readToEnd(conn: Stream): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  for (;;) {
    const p = new Uint8Array(65_536);
    const count = await conn.read(p);
    if (count === null) return joined(pieces);
    pieces.push(p.subarray(0, count));
  }
}

/** Gives both ends small buffers, so that a FLOOD has to wait for its reader. */
export function narrow(one: Stream, two: Stream): void {
  for (const { socket } of [one, two]) {
    socket.setOption(sockopt.SO_SNDBUF, NARROW);
    socket.setOption(sockopt.SO_RCVBUF, NARROW);
  }
}

/** Whether a promise has not settled after some turns of the event loop. */
export async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let pending = true;
  const settled = () => void (pending = false);
  promise.then(settled, settled);
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  return pending;
}

/** What a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`Expected a rejection, got ${Deno.inspect(value)}`);
}

/** Fails unless the error is that of an expired deadline. */
export function assertTimedOut(error: unknown, syscall?: "recvmsg" | "sendmsg"): asserts error is SocketError {
  assertInstanceOf(error, Deno.errors.TimedOut);
  assert(isSocketError(error));
  assertEquals([error.code, error.errno, error.timeout], ["ETIMEDOUT", 0, true]);
  if (syscall !== undefined) assertEquals(error.syscall, syscall);
}
