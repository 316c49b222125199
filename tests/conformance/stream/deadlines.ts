import { assert, assertEquals, assertThrows } from "@std/assert";
import { it } from "@std/testing/bdd";
import { assertSameBytes, assertTimedOut } from "../../support/assertions.ts";
import { pattern } from "../../support/bytes.ts";
import { after, isPending, PAST, pause, rejection } from "../../support/promises.ts";
import { FLOOD, type MakePair, narrow, over, readExactly, readToEnd } from "./pair.ts";

/** Deadlines as Go's net.Conn has them. */
export function registerDeadlines(makePair: MakePair): void {
  it(
    "ends a waiting read, not before its deadline, and can be read from afterwards",
    over(makePair, async (one, two) => {
      const deadline = after(30);
      one.setReadDeadline(deadline);
      assertTimedOut(await rejection(one.read(new Uint8Array(8))), "recvmsg");
      assert(Date.now() >= deadline.getTime());
      assertTimedOut(await rejection(one.read(new Uint8Array(8))), "recvmsg");
      one.setReadDeadline(null);
      await two.write(Uint8Array.of(7));
      assertEquals(await readExactly(one, 1), Uint8Array.of(7));
    }),
  );

  it(
    "writes nothing into the buffer of a read that timed out",
    over(makePair, async (one, two) => {
      const abandoned = new Uint8Array(8).fill(0xaa);
      one.setReadDeadline(after(5));
      assertTimedOut(await rejection(one.read(abandoned)));
      one.setReadDeadline(null);
      await two.write(Uint8Array.of(1, 2, 3));
      assertEquals(await readExactly(one, 3), Uint8Array.of(1, 2, 3));
      assertEquals(abandoned, new Uint8Array(8).fill(0xaa));
    }),
  );

  it(
    "ends a waiting write with the number of bytes that the peer receives",
    over(makePair, async (one, two) => {
      narrow(one, two);
      const p = pattern(FLOOD);
      const deadline = after(30);
      one.setWriteDeadline(deadline);
      const error = await rejection(one.write(p));
      assertTimedOut(error, "sendmsg");
      assert(Date.now() >= deadline.getTime());
      assert(error.bytesWritten! > 0 && error.bytesWritten! < FLOOD);
      const late = await rejection(one.write(Uint8Array.of(1)));
      assertTimedOut(late, "sendmsg");
      assertEquals(late.bytesWritten, 0);
      one.setWriteDeadline(null);
      const [received] = await Promise.all([
        readToEnd(two),
        one.write(Uint8Array.of(1, 2, 3)).then(() => one.closeWrite()),
      ]);
      assertSameBytes(received.subarray(0, -3), p.subarray(0, error.bytesWritten!));
      assertEquals(received.subarray(-3), Uint8Array.of(1, 2, 3));
    }),
  );

  it(
    "reports that no bytes were sent of a write that was never started",
    over(makePair, async (one, two) => {
      narrow(one, two);
      const buffers = [pattern(FLOOD), pattern(10)];
      one.setWriteDeadline(after(10));
      const [first, second] = await Promise.all(buffers.map((p) => rejection(one.write(p))));
      assertTimedOut(first);
      assertTimedOut(second);
      assertEquals(second.bytesWritten, 0);
      await one.closeWrite();
      assertEquals((await readToEnd(two)).length, first.bytesWritten);
    }),
  );

  it(
    "fails at once past the deadline, even with data ready, and loses none of it",
    over(makePair, async (one, two) => {
      await two.write(Uint8Array.of(1, 2, 3));
      await one.socket.readable();
      one.setDeadline(PAST);
      const p = new Uint8Array(8);
      assertTimedOut(await rejection(one.read(p)), "recvmsg");
      assertTimedOut(await rejection(one.write(Uint8Array.of(4))), "sendmsg");
      assertEquals(p, new Uint8Array(8));
      one.setDeadline(null);
      assertEquals(await readExactly(one, 3), Uint8Array.of(1, 2, 3));
      assertEquals(await one.write(Uint8Array.of(5)), 1);
      assertEquals(await readExactly(two, 1), Uint8Array.of(5));
    }),
  );

  it(
    "rejects waiting operations when the deadline is set to the present",
    over(makePair, async (one, two) => {
      narrow(one, two);
      const waiting = [one.read(new Uint8Array(8)), one.read(new Uint8Array(8)), one.write(pattern(FLOOD))];
      const errors = Promise.all(waiting.map(rejection));
      assert(await isPending(errors));
      one.setDeadline(new Date());
      for (const error of await errors) assertTimedOut(error);
    }),
  );

  it(
    "rejects waiting operations when the deadline expires",
    over(makePair, async (one, two) => {
      narrow(one, two);
      const deadline = after(30);
      one.setDeadline(deadline);
      const waiting = [one.read(new Uint8Array(8)), one.read(new Uint8Array(8)), one.write(pattern(FLOOD))];
      for (const error of await Promise.all(waiting.map(rejection))) assertTimedOut(error);
      assert(Date.now() >= deadline.getTime());
    }),
  );

  it(
    "ends reads and writes each by its own deadline",
    over(makePair, async (one, two) => {
      narrow(one, two);
      const writing = one.write(pattern(FLOOD));
      one.setReadDeadline(after(10));
      assertTimedOut(await rejection(one.read(new Uint8Array(8))), "recvmsg");
      assert(await isPending(writing));
      one.setWriteDeadline(after(10));
      assertTimedOut(await rejection(writing), "sendmsg");
      one.setReadDeadline(null);
      await two.write(Uint8Array.of(1));
      assertEquals(await one.read(new Uint8Array(8)), 1);
    }),
  );

  it(
    "applies a deadline brought forward to waiting operations",
    over(makePair, async (one) => {
      one.setReadDeadline(after(600_000));
      const error = rejection(one.read(new Uint8Array(8)));
      assert(await isPending(error));
      one.setReadDeadline(after(5));
      assertTimedOut(await error);
    }),
  );

  it(
    "applies a deadline put off or cleared to waiting operations",
    over(makePair, async (one, two) => {
      for (const later of [after(600_000), null]) {
        one.setReadDeadline(after(40));
        const reading = one.read(new Uint8Array(8));
        one.setReadDeadline(later);
        await pause(60);
        assert(await isPending(reading));
        await two.write(Uint8Array.of(1));
        assertEquals(await reading, 1);
      }
    }),
  );

  it(
    "can be further ahead than a timer can be set",
    over(makePair, async (one, two) => {
      one.setDeadline(new Date(8.64e15));
      const reading = one.read(new Uint8Array(8));
      assert(await isPending(reading));
      await two.write(Uint8Array.of(1));
      assertEquals(await reading, 1);
    }),
  );

  it(
    "is a valid Date, milliseconds from now or null",
    over(makePair, (one) => {
      for (const bad of [new Date(NaN), NaN, "tomorrow", undefined, 5n]) {
        assertThrows(() => one.setDeadline(bad as Date), TypeError, "Invalid deadline");
        assertThrows(() => one.setReadDeadline(bad as Date), TypeError, "Invalid deadline");
        assertThrows(() => one.setWriteDeadline(bad as Date), TypeError, "Invalid deadline");
      }
      return Promise.resolve();
    }),
  );
}
