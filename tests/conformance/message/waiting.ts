import { assert, assertEquals, assertInstanceOf, assertStrictEquals, assertThrows } from "@std/assert";
import { it } from "@std/testing/bdd";
import { assertSameBytes, assertTimedOut } from "../../support/assertions.ts";
import { pattern } from "../../support/bytes.ts";
import { after, isPending, PAST, rejection } from "../../support/promises.ts";
import { flood, type MakeMessagePair, narrow, over, receive, receiveAll } from "./pair.ts";

/** Receives resolve, and messages go out, in the order they were asked for; deadlines and signals end what waits and lose nothing. */
export function registerWaiting(makePair: MakeMessagePair): void {
  it(
    "delivers one message to each waiting receive, in call order",
    over(makePair, async (one, two) => {
      const settled: number[] = [];
      const receives = Array.from({ length: 100 }, async (_, index) => {
        const message = await receive(two);
        settled.push(index);
        return message[0];
      });
      for (let index = 0; index < 100; index++) await one.send(Uint8Array.of(index));
      assertEquals(await Promise.all(receives), receives.map((_, index) => index));
      assertEquals(settled, receives.map((_, index) => index));
    }),
  );

  it(
    "delivers the end to every waiting receive",
    over(makePair, async (one, two) => {
      const receives = [1, 2, 3].map(() => two.receive());
      await one.send(pattern(2));
      await one.closeWrite();
      assertEquals(await Promise.all(receives), [pattern(2), null, null]);
    }),
  );

  it(
    "sends waiting messages whole and in order",
    over(makePair, async (one, two) => {
      narrow(one);
      const messages = flood();
      const settled: number[] = [];
      const sends = messages.map((message, index) => one.send(message).then((sent) => settled.push(index) && sent));
      assert(await isPending(Promise.all(sends)));
      for (const message of messages) assertSameBytes(await receive(two), message);
      assertEquals(await Promise.all(sends), messages.map(({ length }) => length));
      assertEquals(settled, messages.map((_, index) => index));
    }),
  );

  it(
    "receives while a send waits, and sends while a receive waits",
    over(makePair, async (one, two) => {
      narrow(one);
      const receiving = receive(one);
      const sending = Promise.all(flood().map((message) => one.send(message)));
      assert(await isPending(sending));
      await two.send(pattern(5));
      assertEquals(await receiving, pattern(5));
      for (const message of flood()) assertSameBytes(await receive(two), message);
      await sending;
    }),
  );

  it(
    "ends a receive at its deadline, not before, and serves the next",
    over(makePair, async (one, two) => {
      const deadline = after(20);
      two.setReadDeadline(deadline);
      assertTimedOut(await rejection(two.receive()), "recvmsg");
      assert(Date.now() >= deadline.getTime());
      assertTimedOut(await rejection(two.receiveMessage()), "recvmsg");
      two.setReadDeadline(null);
      await one.send(pattern(3));
      assertEquals(await receive(two), pattern(3));
    }),
  );

  it(
    "ends waiting sends at their deadline: sent messages arrive, others do not",
    over(makePair, async (one, two) => {
      narrow(one);
      one.setWriteDeadline(after(20));
      const outcomes = await Promise.allSettled(flood().map((message) => one.send(message)));
      const taken = outcomes.filter(({ status }) => status === "fulfilled").length;
      assert(taken > 0 && taken < outcomes.length);
      for (const outcome of outcomes.slice(taken)) assertTimedOut((outcome as PromiseRejectedResult).reason, "sendmsg");
      one.setWriteDeadline(null);
      const [received] = await Promise.all([receiveAll(two), one.send(pattern(3)).then(() => one.closeWrite())]);
      assertEquals(received.length, taken + 1);
      flood().slice(0, taken).forEach((message, index) => assertSameBytes(received[index]!, message));
      assertEquals(received.at(-1), pattern(3));
    }),
  );

  it(
    "fails at once past the deadline, even with a message there, and loses none",
    over(makePair, async (one, two) => {
      await one.send(pattern(3));
      two.setDeadline(PAST);
      assertTimedOut(await rejection(two.receive()), "recvmsg");
      assertTimedOut(await rejection(two.send(pattern(1))), "sendmsg");
      two.setDeadline(null);
      assertEquals(await receive(two), pattern(3));
      await two.send(pattern(1));
      assertEquals(await receive(one), pattern(1));
    }),
  );

  it(
    "accepts a valid Date, milliseconds from now or null for a deadline",
    over(makePair, (one) => {
      for (const bad of [new Date(NaN), NaN, "tomorrow", undefined, 5n]) {
        assertThrows(() => one.setDeadline(bad as Date), TypeError, "Invalid deadline");
      }
      return Promise.resolve();
    }),
  );

  it(
    "refuses a signal that was aborted before, and loses nothing",
    over(makePair, async (one, two) => {
      const reason = new Error("before");
      const signal = AbortSignal.abort(reason);
      await one.send(pattern(3));
      assertStrictEquals(await rejection(two.receive({ signal })), reason);
      assertStrictEquals(await rejection(two.receiveMessage({ signal })), reason);
      assertStrictEquals(await rejection(one.send(pattern(4), { signal })), reason);
      assertStrictEquals(await rejection(one.sendMessage({ data: pattern(4) }, { signal })), reason);
      one.close();
      assertEquals(await receiveAll(two), [pattern(3)]);
    }),
  );

  it(
    "aborts one waiting receive and keeps the others in order",
    over(makePair, async (one, two) => {
      for (const taken of [0, 1, 2]) {
        const abort = new AbortController();
        const receives = [0, 1, 2].map((index) => two.receive(index === taken ? { signal: abort.signal } : undefined));
        const aborted = rejection(receives[taken]!);
        abort.abort();
        assertInstanceOf(await aborted, DOMException);
        await one.send(pattern(1));
        await one.send(pattern(2));
        assertEquals(await Promise.all(receives.toSpliced(taken, 1)), [pattern(1), pattern(2)]);
      }
    }),
  );

  it(
    "sends nothing of a message that was aborted while it waited",
    over(makePair, async (one, two) => {
      narrow(one);
      const abort = new AbortController();
      const sends = Promise.allSettled(flood().map((message) => one.send(message)));
      const aborted = rejection(one.send(pattern(4), { signal: abort.signal }));
      assert(await isPending(aborted));
      const last = one.send(pattern(5));
      abort.abort("enough");
      assertEquals(await aborted, "enough");
      const [received] = await Promise.all([receiveAll(two), last.then(() => one.closeWrite()), sends]);
      assertEquals(received.map(({ length }) => length), [...flood().map(({ length }) => length), 5]);
    }),
  );
}
