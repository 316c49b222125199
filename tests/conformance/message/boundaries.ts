import { assert, assertEquals } from "@std/assert";
import { it } from "@std/testing/bdd";
import { assertSameBytes } from "../../support/assertions.ts";
import { pattern } from "../../support/bytes.ts";
import { isPending, rejection } from "../../support/promises.ts";
import { type MakeMessagePair, over, receive, receiveAll } from "./pair.ts";
import { isSocketError, type SeqpacketConn } from "../../../mod.ts";
import { noEmptyMessages } from "../../support/systems.ts";
import { itUnless } from "../../support/skipping.ts";

/** The length of an empty message, where there are such. */
const NOTHING: readonly number[] = noEmptyMessages === null ? [0] : [];

/** One message sent is one message received, whatever its length. */
export function registerBoundaries(makePair: MakeMessagePair): void {
  if (noEmptyMessages !== null) it.skip(`carries a message of 0 bytes (${noEmptyMessages})`, () => {});
  for (const length of [...NOTHING, 1, 2, 4095, 4096, 4097, 65_535, 65_536, 65_537, 150_000]) {
    it(
      `carries a message of ${length} bytes whole, in either direction`,
      over(makePair, async (one, two) => {
        for (const [from, to] of [[one, two], [two, one]] as const) {
          assertEquals(await from.send(pattern(length)), length);
          assertSameBytes(await receive(to), pattern(length));
        }
      }),
    );
  }

  it(
    "keeps the boundaries of messages that are sent before any is received",
    over(makePair, async (one, two) => {
      const lengths = [5, ...NOTHING, 1, 9000, ...NOTHING, ...NOTHING, 2, 4096, 7];
      for (const [index, length] of lengths.entries()) await one.send(pattern(length, index));
      await one.closeWrite();
      const arrived = await receiveAll(two);
      assertEquals(arrived.map(({ length }) => length), lengths);
      arrived.forEach((message, index) => assertSameBytes(message, pattern(message.length, index)));
    }),
  );

  itUnless(
    noEmptyMessages,
    "receives an empty message as empty data, and null only at the end",
    over(makePair, async (one, two) => {
      for (let round = 0; round < 3; round++) {
        await one.send(new Uint8Array(0));
        assertEquals(await two.receive(), new Uint8Array(0));
      }
      const waiting = two.receive();
      assert(await isPending(waiting));
      await one.send(new Uint8Array(0));
      assertEquals(await waiting, new Uint8Array(0));
      await one.sendMessage({ data: new Uint8Array(0) });
      assertEquals((await two.receiveMessage())?.data, new Uint8Array(0));
      await one.send(new Uint8Array(0));
      assertEquals((await two.receiveMessage({ maxLength: 8 }))?.data, new Uint8Array(0));
      await one.send(new Uint8Array(0));
      one.close();
      assertEquals(await two.receive(), new Uint8Array(0));
      assertEquals([await two.receive(), await two.receive()], [null, null]);
      assertEquals([await two.receiveMessage(), await two.receiveMessage({ maxLength: 8 })], [null, null]);
    }),
  );

  it(
    "receives a message whole without a maxLength, and reports it as complete",
    over(makePair, async (one, two) => {
      await one.sendMessage({ data: pattern(100_000) });
      const message = await two.receiveMessage();
      assert(message !== null);
      assertSameBytes(message.data, pattern(100_000));
      assertEquals([message.truncated, message.fds.length, message.credentials], [false, 0, undefined]);
    }),
  );

  it(
    "truncates a message at maxLength, reports it, and receives the next whole",
    over(makePair, async (one, two) => {
      for (const [length, truncated] of [[9, true], [8, false], [7, false], [70_000, true]] as const) {
        await one.send(pattern(length));
        await one.send(pattern(3));
        const message = await two.receiveMessage({ maxLength: 8 });
        assertEquals([message?.data, message?.truncated], [pattern(Math.min(length, 8)), truncated]);
        assertEquals(await two.receive(), pattern(3));
      }
    }),
  );

  itUnless(
    noEmptyMessages,
    "receives no bytes with a maxLength of 0, and reports whether there were some",
    over(makePair, async (one, two) => {
      await one.send(pattern(1));
      await one.send(pattern(0));
      one.close();
      const empty = { data: new Uint8Array(0), fds: [] };
      assertEquals(await two.receiveMessage({ maxLength: 0 }), { ...empty, truncated: true });
      assertEquals(await two.receiveMessage({ maxLength: 0 }), { ...empty, truncated: false });
      assertEquals(await two.receiveMessage({ maxLength: 0 }), null);
    }),
  );

  it(
    "fails a message longer than the send buffer, and sends the next",
    over(makePair, async (one, two) => {
      const error = await rejection(one.send(new Uint8Array(8 << 20)));
      assert(isSocketError(error));
      assertEquals([error.code, error.syscall], ["EMSGSIZE", "sendmsg"]);
      await one.send(pattern(3));
      assertEquals(await receive(two), pattern(3));
    }),
  );

  it(
    "echoes ten thousand messages of all lengths",
    over(makePair, async (one, two) => {
      const lengths = Array.from({ length: 10_000 }, (_, index) => (index * 37) % 1000)
        .map((length) => noEmptyMessages === null ? length : Math.max(length, 1));
      const echoing = (async () => {
        for (let data = await two.receive(); data !== null; data = await two.receive()) await two.send(data);
        await two.closeWrite();
      })();
      const sending = (async () => {
        for (const length of lengths) await one.send(pattern(length, length));
        await one.closeWrite();
      })();
      const [arrived] = await Promise.all([receiveAll(one), sending, echoing]);
      assertEquals(arrived.map(({ length }) => length), lengths);
      for (const message of arrived) assertSameBytes(message, pattern(message.length, message.length));
    }),
  );

  it(
    "plays ping-pong a thousand times with a counter",
    over(makePair, async (one, two) => {
      const rounds = 1000;
      const play = async (conn: SeqpacketConn): Promise<number> => {
        for (;;) {
          const count = new DataView((await receive(conn)).buffer).getUint32(0) + 1;
          if (count <= rounds) await conn.send(counter(count));
          if (count >= rounds) return count;
        }
      };
      await one.send(counter(0));
      assertEquals((await Promise.all([play(one), play(two)])).sort(), [rounds, rounds + 1]);
    }),
  );
}

function counter(count: number): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(4);
  new DataView(message.buffer).setUint32(0, count);
  return message;
}
