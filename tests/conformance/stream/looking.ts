import { assert, assertEquals, assertRejects } from "@std/assert";
import { it } from "@std/testing/bdd";
import { assertRefused, assertTimedOut } from "../../support/assertions.ts";
import { bytes, text } from "../../support/bytes.ts";
import { isPending, PAST, rejection } from "../../support/promises.ts";
import { type MakePair, over, readExactly } from "./pair.ts";

/** Looking at what is there without taking it, and counting what was taken and given. */
export function registerLooking(makePair: MakePair): void {
  it(
    "peeks at bytes that the next read gets, as often as it is asked",
    over(makePair, async (one, two) => {
      await two.write(bytes("hello"));
      const p = new Uint8Array(3);
      for (let time = 0; time < 3; time++) {
        assertEquals(await one.peek(p), 3);
        assertEquals(text(p), "hel");
      }
      assertEquals(text(await readExactly(one, 5)), "hello");
      assertEquals(await one.peek(new Uint8Array(0)), 0);
    }),
  );

  it(
    "peeks when there is something, in its turn among the reads",
    over(makePair, async (one, two) => {
      const first = readExactly(one, 2);
      const p = new Uint8Array(8);
      const peeked = one.peek(p);
      const second = readExactly(one, 2);
      assert(await isPending(peeked));
      await two.write(bytes("abcd"));
      assertEquals(text(await first), "ab");
      const length = (await peeked)!;
      assertEquals(text(p.subarray(0, length)), "cd".slice(0, length));
      assertEquals(text(await second), "cd");
    }),
  );

  it(
    "peeks at the end",
    over(makePair, async (one, two) => {
      await two.write(bytes("x"));
      await two.closeWrite();
      const p = new Uint8Array(4);
      assertEquals(await one.peek(p), 1);
      await readExactly(one, 1);
      assertEquals([await one.peek(p), await one.peek(p), await one.read(p)], [null, null, null]);
    }),
  );

  it(
    "stops peeking for deadlines, signals and close, and refuses what is no buffer",
    over(makePair, async (one, two) => {
      const p = new Uint8Array(4);
      one.setReadDeadline(PAST);
      assertTimedOut(await rejection(one.peek(p)), "recvmsg");
      one.setReadDeadline(null);
      const stop = new AbortController();
      const aborted = rejection(one.peek(p, { signal: stop.signal }));
      stop.abort("enough");
      assertEquals(await aborted, "enough");
      assertRefused(await rejection(one.peek("x" as unknown as Uint8Array)), "x");
      await two.write(bytes("kept"));
      assertEquals(text(await readExactly(one, 4)), "kept");
      const cut = rejection(one.peek(p));
      assert(await isPending(cut));
      one.close();
      assert(await cut instanceof Deno.errors.Interrupted);
      await assertRejects(() => one.peek(p), Deno.errors.BadResource);
    }),
  );

  it(
    "counts the bytes that were taken and given, by whatever route",
    over(makePair, async (one, two) => {
      assertEquals([one.bytesRead, one.bytesWritten, two.bytesRead], [0, 0, 0]);
      await one.write(bytes("12345"));
      await one.write([bytes("678"), bytes("90")]);
      await one.socket.send(bytes("ab"));
      assertEquals([one.bytesWritten, two.bytesRead], [12, 0]);
      await two.peek(new Uint8Array(4));
      assertEquals(two.bytesRead, 0);
      await readExactly(two, 4);
      await two.socket.receive(new Uint8Array(2));
      const reader = two.readable.getReader({ mode: "byob" });
      await reader.read(new Uint8Array(6), { min: 6 });
      reader.releaseLock();
      assertEquals([two.bytesRead, two.bytesWritten], [12, 0]);
      one.close();
      assertEquals(one.bytesWritten, 12);
    }),
  );
}
