import { assert, assertEquals } from "@std/assert";
import { it } from "@std/testing/bdd";
import { assertRefused, assertSameBytes } from "../../support/assertions.ts";
import { pattern } from "../../support/bytes.ts";
import { isPending, rejection } from "../../support/promises.ts";
import { FLOOD, type MakePair, narrow, over, readExactly, readToEnd } from "./pair.ts";

/** Memory is the caller's: what is no longer there is not touched, and nothing is accepted that another thread may change. */
export function registerBuffers(makePair: MakePair): void {
  it(
    "refuses a buffer whose memory was transferred away",
    over(makePair, async (one, two) => {
      const p = new Uint8Array(8);
      p.buffer.transfer();
      assertRefused(await rejection(one.read(p)), "detached");
      assertRefused(await rejection(one.write(p)), "detached");
      await two.write(Uint8Array.of(1));
      assertEquals(await one.read(new Uint8Array(8)), 1);
    }),
  );

  it(
    "refuses memory that is shared with other threads",
    over(makePair, async (one) => {
      const p = new Uint8Array(new SharedArrayBuffer(8));
      assertRefused(await rejection(one.read(p)), "shared");
      assertRefused(await rejection(one.write(p)), "shared");
    }),
  );

  it(
    "refuses values that are not bytes, and quotes them",
    over(makePair, async (one) => {
      const wrong = { Array: [1, 2], ArrayBuffer: new ArrayBuffer(8), DataView: new DataView(new ArrayBuffer(8)) };
      for (const [name, p] of Object.entries({ ...wrong, hello: "hello", null: null, undefined })) {
        assertRefused(await rejection(one.read(p as unknown as Uint8Array)), name);
        assertRefused(await rejection(one.write(p as unknown as Uint8Array)), name);
      }
    }),
  );

  it(
    "fails a read whose buffer is transferred while it waits, and keeps the data for the next",
    over(makePair, async (one, two) => {
      const p = new Uint8Array(8);
      const reading = rejection(one.read(p));
      assert(await isPending(reading));
      p.buffer.transfer();
      const next = readExactly(one, 3);
      await two.write(Uint8Array.of(1, 2, 3));
      assertRefused(await reading, "detached");
      assertEquals(await next, Uint8Array.of(1, 2, 3));
    }),
  );

  it(
    "fails a write whose buffer is transferred while it waits, with the number of bytes sent",
    over(makePair, async (one, two) => {
      narrow(one, two);
      const p = pattern(FLOOD);
      const writing = rejection(one.write(p));
      assert(await isPending(writing));
      p.buffer.transfer();
      const ended = writing.then(() => one.closeWrite());
      const received = await readToEnd(two);
      await ended;
      const error = await writing;
      assertRefused(error, "detached");
      assertEquals((error as { bytesWritten?: number }).bytesWritten, received.length);
    }),
  );

  it(
    "fails a write whose buffer shrinks while it waits",
    over(makePair, async (one, two) => {
      narrow(one, two);
      const buffer = new ArrayBuffer(FLOOD, { maxByteLength: FLOOD });
      const writing = rejection(one.write(new Uint8Array(buffer)));
      assert(await isPending(writing));
      buffer.resize(10);
      const ended = writing.then(() => one.closeWrite());
      const received = await readToEnd(two);
      await ended;
      assertRefused(await writing, "shrank");
      assertEquals((await writing as { bytesWritten?: number }).bytesWritten, received.length);
    }),
  );

  it(
    "writes no more than the original bytes of a buffer that grows while it waits",
    over(makePair, async (one, two) => {
      narrow(one, two);
      const buffer = new ArrayBuffer(FLOOD, { maxByteLength: 2 * FLOOD });
      const p = new Uint8Array(buffer);
      p.set(pattern(FLOOD));
      const writing = one.write(p);
      assert(await isPending(writing));
      buffer.resize(2 * FLOOD);
      const [received] = await Promise.all([readToEnd(two), writing.then(() => one.closeWrite())]);
      assertEquals(await writing, FLOOD);
      assertSameBytes(received, pattern(FLOOD));
    }),
  );

  it(
    "writes no more than the original bytes of a buffer that grows while it waits for its turn",
    over(makePair, async (one, two) => {
      narrow(one, two);
      const before = one.write(pattern(FLOOD));
      const p = new Uint8Array(new ArrayBuffer(3, { maxByteLength: 5 }));
      p.set([1, 2, 3]);
      const writing = one.write(p);
      assert(await isPending(writing));
      p.buffer.resize(5);
      const [received] = await Promise.all([readToEnd(two), writing.then(() => one.closeWrite())]);
      assertEquals([await before, await writing], [FLOOD, 3]);
      assertEquals(received.subarray(FLOOD), Uint8Array.of(1, 2, 3));
    }),
  );

  it(
    "reads into and writes from memory that WebAssembly owns and grows",
    over(makePair, async (one, two) => {
      const memory = new WebAssembly.Memory({ initial: 1, maximum: 4 });
      await two.write(pattern(100));
      const inside = new Uint8Array(memory.buffer, 1000, 100);
      assertEquals(await one.read(inside), 100);
      assertSameBytes(inside, pattern(100));
      memory.grow(1);
      assertRefused(await rejection(one.write(inside)), "detached");
      await one.write(new Uint8Array(memory.buffer, 1000, 100));
      assertSameBytes(await readExactly(two, 100), pattern(100));
    }),
  );
}
