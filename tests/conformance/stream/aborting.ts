import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { it } from "@std/testing/bdd";
import { assertSameBytes, assertTimedOut } from "../../support/assertions.ts";
import { pattern } from "../../support/bytes.ts";
import { after, isPending, rejection } from "../../support/promises.ts";
import { FLOOD, type MakePair, narrow, over, readExactly, readToEnd } from "./pair.ts";
import { CountedSignal } from "./signals.ts";

/** An abort ends one operation, with the signal's reason, and takes nothing with it. */
export function registerAborting(makePair: MakePair): void {
  it(
    "refuses a signal that was aborted before, with data ready, and loses none of it",
    over(makePair, async (one, two) => {
      const reason = new Error("before");
      const signal = AbortSignal.abort(reason);
      await two.write(Uint8Array.of(1, 2, 3));
      await one.socket.readable();
      const p = new Uint8Array(8);
      assertStrictEquals(await rejection(one.read(p, { signal })), reason);
      assertStrictEquals(await rejection(one.write(p, { signal })), reason);
      assertEquals(p, new Uint8Array(8));
      assertEquals(await readExactly(one, 3), Uint8Array.of(1, 2, 3));
      await one.closeWrite();
      assertEquals((await readToEnd(two)).length, 0);
    }),
  );

  it(
    "rejects a waiting read with the same reason object, and does not write to its buffer",
    over(makePair, async (one, two) => {
      const reason = { any: "value" };
      const abort = new AbortController();
      const p = new Uint8Array(8).fill(0xaa);
      const reading = rejection(one.read(p, { signal: abort.signal }));
      assert(await isPending(reading));
      abort.abort(reason);
      assertStrictEquals(await reading, reason);
      await two.write(Uint8Array.of(1, 2, 3));
      assertEquals(await readExactly(one, 3), Uint8Array.of(1, 2, 3));
      assertEquals(p, new Uint8Array(8).fill(0xaa));
    }),
  );

  it(
    "aborts one waiting read and keeps the others in order",
    over(makePair, async (one, two) => {
      for (const taken of [0, 1, 2]) {
        const abort = new AbortController();
        const buffers = [new Uint8Array(1), new Uint8Array(1), new Uint8Array(1)];
        const reads = buffers.map((p, index) => one.read(p, index === taken ? { signal: abort.signal } : undefined));
        const aborted = rejection(reads[taken]!);
        abort.abort();
        assertInstanceOf(await aborted, DOMException);
        await two.write(Uint8Array.of(1, 2));
        await Promise.all(reads.toSpliced(taken, 1));
        assertEquals(buffers.toSpliced(taken, 1).map(([byte]) => byte), [1, 2]);
      }
    }),
  );

  it(
    "aborts a waiting write; the next one follows the bytes that were sent",
    over(makePair, async (one, two) => {
      narrow(one, two);
      const abort = new AbortController();
      const first = rejection(one.write(pattern(FLOOD), { signal: abort.signal }));
      const second = one.write(Uint8Array.of(1, 2, 3));
      assert(await isPending(first));
      abort.abort();
      assertStrictEquals(await first, abort.signal.reason);
      const [received] = await Promise.all([readToEnd(two), second.then(() => one.closeWrite())]);
      assertSameBytes(received.subarray(0, -3), pattern(FLOOD).subarray(0, received.length - 3));
      assertEquals(received.subarray(-3), Uint8Array.of(1, 2, 3));
    }),
  );

  it(
    "sends nothing of a write that was aborted before its turn",
    over(makePair, async (one, two) => {
      narrow(one, two);
      const abort = new AbortController();
      const first = one.write(pattern(FLOOD));
      const second = rejection(one.write(Uint8Array.of(1, 2, 3), { signal: abort.signal }));
      abort.abort();
      assertInstanceOf(await second, DOMException);
      const [received] = await Promise.all([readToEnd(two), first.then(() => one.closeWrite())]);
      assertSameBytes(received, pattern(FLOOD));
    }),
  );

  it(
    "works with AbortSignal.timeout and AbortSignal.any",
    over(makePair, async (one) => {
      const timeout = await rejection(one.read(new Uint8Array(8), { signal: AbortSignal.timeout(5) }));
      assertEquals((timeout as Error).name, "TimeoutError");
      const abort = new AbortController();
      const signal = AbortSignal.any([abort.signal, new AbortController().signal]);
      const reading = rejection(one.read(new Uint8Array(8), { signal }));
      abort.abort("either");
      assertEquals(await reading, "either");
    }),
  );

  it(
    "has no effect after the operation has ended",
    over(makePair, async (one, two) => {
      const abort = new AbortController();
      const reading = one.read(new Uint8Array(8), { signal: abort.signal });
      await two.write(Uint8Array.of(1));
      assertEquals(await reading, 1);
      abort.abort();
      await two.write(Uint8Array.of(2));
      assertEquals(await readExactly(one, 1), Uint8Array.of(2));
    }),
  );

  it(
    "has one listener for each waiting operation, none for others, and leaves none behind",
    over(makePair, async (one, two) => {
      narrow(one, two);
      const counted = new CountedSignal();
      const { signal } = counted;
      await two.write(Uint8Array.of(1), { signal });
      assertEquals(await one.read(new Uint8Array(8), { signal }), 1);
      assertEquals(counted.added, 0);

      const reads = [1, 2, 3].map(() => one.read(new Uint8Array(1), { signal }));
      const writing = one.write(pattern(FLOOD), { signal });
      assertEquals(counted.count, 4);
      await two.write(Uint8Array.of(1, 2, 3));
      await Promise.all(reads);
      assertEquals(counted.count, 1);
      await Promise.all([readExactly(two, FLOOD), writing]);
      assertEquals([counted.count, counted.added], [0, 4]);
    }),
  );

  it(
    "leaves no listener behind after a deadline, a close or the abort",
    over(makePair, async (one) => {
      const counted = new CountedSignal();
      const { signal } = counted;
      one.setReadDeadline(after(5));
      assertTimedOut(await rejection(one.read(new Uint8Array(8), { signal })));
      assertEquals(counted.count, 0);
      one.setReadDeadline(null);
      const other = new CountedSignal();
      const aborted = rejection(one.read(new Uint8Array(8), { signal: other.signal }));
      const closed = rejection(one.read(new Uint8Array(8), { signal }));
      assertEquals([other.count, counted.count], [1, 1]);
      other.abort();
      await aborted;
      assertEquals([other.count, counted.count], [0, 1]);
      one.close();
      assertInstanceOf(await closed, Deno.errors.Interrupted);
      assertEquals(counted.count, 0);
    }),
  );
}
