/**
 * Pairs of connected ends that keep message boundaries, and what the tests of them share.
 *
 * @module
 */
import { assert } from "@std/assert";
import { type SeqpacketConn, sockopt } from "../../../mod.ts";
import { pattern } from "../../support/bytes.ts";

/** Two ends of one connection. */
export interface MessagePair {
  readonly one: SeqpacketConn;
  readonly two: SeqpacketConn;
  /** Takes down what is not the ends themselves. */
  stop(): void | Promise<void>;
}

/** Makes two ends of a new connection. */
export type MakeMessagePair = () => Promise<MessagePair>;

const NARROW = 32_768;

/** A message of which a few fill a socket that is `narrow`. */
export const LARGE = 16_384;

/** The body of a test over one pair, which is closed whatever happens. */
export function over(
  makePair: MakeMessagePair,
  body: (one: SeqpacketConn, two: SeqpacketConn) => Promise<void>,
): () => Promise<void> {
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

/** Gives an end a small buffer, so that a few large messages have to wait for their reader. */
export function narrow(conn: SeqpacketConn): void {
  conn.socket.setOption(sockopt.SO_SNDBUF, NARROW);
}

/** More large messages, each of its own, than a narrow socket takes. */
export function flood(): Uint8Array<ArrayBuffer>[] {
  return Array.from({ length: 32 }, (_, index) => pattern(LARGE, index));
}

/** Receives one message, and fails at the end. */
export async function receive(conn: SeqpacketConn): Promise<Uint8Array<ArrayBuffer>> {
  const message = await conn.receive();
  assert(message !== null, "the end came instead of a message");
  return message;
}

/** Receives to the end. */
export async function receiveAll(conn: SeqpacketConn): Promise<Uint8Array<ArrayBuffer>[]> {
  const messages: Uint8Array<ArrayBuffer>[] = [];
  for (let message = await conn.receive(); message !== null; message = await conn.receive()) messages.push(message);
  return messages;
}
