import { assert, assertEquals } from "@std/assert";
import { it } from "@std/testing/bdd";
import { assertRefused, assertSameBytes, assertTimedOut } from "../../support/assertions.ts";
import { bytes, joined, pattern, text } from "../../support/bytes.ts";
import { isPending, PAST, rejection } from "../../support/promises.ts";
import type { SocketError } from "../../../mod.ts";
import { FLOOD, type MakePair, narrow, over, readExactly, readToEnd } from "./pair.ts";

/** Several buffers by one write. */
export function registerParts(makePair: MakePair): void {
  it(
    "writes several buffers in order, empty ones too",
    over(makePair, async (one, two) => {
      const parts = [bytes("one "), new Uint8Array(0), bytes("two "), bytes("three")];
      assertEquals(await one.write(parts), 13);
      assertEquals(text(await readExactly(two, 13)), "one two three");
      assertEquals([await one.write([]), await one.write([new Uint8Array(0)])], [0, 0]);
    }),
  );

  it(
    "writes more buffers than one call takes",
    over(makePair, async (one, two) => {
      const parts = Array.from({ length: 5000 }, (_, index) => pattern(index % 5, index));
      const whole = joined(parts);
      const [written, read] = await Promise.all([one.write(parts), readExactly(two, whole.length)]);
      assertEquals(written, whole.length);
      assertSameBytes(read, whole);
    }),
  );

  it(
    "writes more than fits, whole and between the writes before and after it",
    over(makePair, async (one, two) => {
      narrow(one, two);
      const parts = [pattern(100_001, 1), pattern(1, 2), pattern(FLOOD, 3), pattern(77, 4)];
      const writes = Promise.all([one.write(bytes("before")), one.write(parts), one.write(bytes("after"))]);
      assert(await isPending(writes));
      const whole = joined([bytes("before"), ...parts, bytes("after")]);
      assertSameBytes(await readExactly(two, whole.length), whole);
      assertEquals(await writes, [6, whole.length - 11, 5]);
    }),
  );

  it(
    "takes the list as it was when it was asked",
    over(makePair, async (one, two) => {
      narrow(one, two);
      const parts = [pattern(FLOOD, 1), bytes("x")];
      const writing = one.write(parts);
      assert(await isPending(writing));
      parts.push(bytes("not asked for"));
      parts[1] = bytes("y");
      const read = await readExactly(two, FLOOD + 1);
      assertEquals([await writing, read[FLOOD]], [FLOOD + 1, "x".charCodeAt(0)]);
    }),
  );

  it(
    "refuses a list with anything else in it, and writes nothing of it",
    over(makePair, async (one, two) => {
      const detached = new Uint8Array(2);
      detached.buffer.transfer();
      for (const odd of ["x", null, undefined, 1, [bytes("x")], detached, new Uint8Array(new SharedArrayBuffer(1))]) {
        assertRefused(await rejection(one.write([bytes("a"), odd as Uint8Array])), "Buffer 1 of 2");
      }
      await one.write([bytes("b")]);
      assertEquals(text(await readExactly(two, 1)), "b");
    }),
  );

  it(
    "fails where a buffer is transferred or shrinks while it waits, and says how much went out",
    over(makePair, async (one, two) => {
      narrow(one, two);
      const resizable = new Uint8Array(new ArrayBuffer(100, { maxByteLength: 100 }));
      const lost = pattern(100);
      const failing = rejection(one.write([pattern(FLOOD), resizable, lost]));
      assert(await isPending(failing));
      resizable.buffer.resize(10);
      const rest = readToEnd(two);
      const error = await failing as TypeError & { bytesWritten: number };
      assertRefused(error, "Buffer 1");
      one.close();
      assertEquals([(await rest).length, one.bytesWritten], [error.bytesWritten, error.bytesWritten]);
    }),
  );

  it(
    "stops for deadlines and signals, and says how much went out",
    over(makePair, async (one, two) => {
      narrow(one, two);
      const parts = [pattern(FLOOD, 1), pattern(10, 2)];
      const late = rejection(one.write(parts));
      assert(await isPending(late));
      one.setWriteDeadline(PAST);
      const error = await late as SocketError;
      assertTimedOut(error, "sendmsg");
      assertEquals(error.bytesWritten, one.bytesWritten);
      one.setWriteDeadline(null);
      const stop = new AbortController();
      const aborted = rejection(one.write(parts, { signal: stop.signal }));
      stop.abort("enough");
      assertEquals(await aborted, "enough");
      const rest = readToEnd(two);
      one.close();
      assertEquals((await rest).length, one.bytesWritten);
    }),
  );
}
