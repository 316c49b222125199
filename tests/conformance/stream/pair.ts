/**
 * Pairs of connected ends, and what the tests of them share.
 *
 * @module
 */
import { assert } from "@std/assert";
import { sockopt, type StreamConn } from "../../../mod.ts";
import { joined } from "../../support/bytes.ts";

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

/** More than the buffers of both ends hold, once they are `narrow`. */
export const FLOOD = 4 << 20;

const NARROW = 32_768;

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
