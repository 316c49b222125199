import { assert, assertEquals, assertInstanceOf, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { it } from "@std/testing/bdd";
import { assertSameBytes } from "../../support/assertions.ts";
import { joined, pattern } from "../../support/bytes.ts";
import { isPending, rejection } from "../../support/promises.ts";
import { settled } from "../../support/turns.ts";
import { FLOOD, type MakePair, narrow, over, readExactly, readToEnd, type Stream } from "./pair.ts";

function assertClosed(conn: Stream): void {
  assertThrows(() => conn.socket.fd, Deno.errors.BadResource);
}

function assertOpen(conn: Stream): void {
  assert(conn.socket.fd >= 0);
}

/** `readable` and `writable`: back-pressure, and a connection that closes when both are done. */
export function registerWebStreams(makePair: MakePair): void {
  it(
    "pipes 4 MiB to a peer that echoes with pipeTo, and both are closed then",
    over(makePair, async (one, two) => {
      narrow(one, two);
      const echoing = two.readable.pipeTo(two.writable);
      const chunks = Array.from({ length: 64 }, (_, index) => pattern(65_536, index));
      const sending = ReadableStream.from(chunks).pipeTo(one.writable);
      const arrived = await Array.fromAsync(one.readable);
      await Promise.all([echoing, sending]);
      assertSameBytes(joined(arrived), joined(chunks));
      assertClosed(one);
      assertClosed(two);
    }),
  );

  it(
    "writes no faster than the peer reads",
    over(makePair, async (one, two) => {
      narrow(one, two);
      const writer = one.writable.getWriter();
      let gone = 0;
      const writes = Array.from({ length: 8 }, () => writer.write(pattern(FLOOD / 4)).then(() => gone++));
      assert(await isPending(Promise.all(writes)));
      assertEquals(gone, 0);
      assert(writer.desiredSize! <= 0);
      await readExactly(two, FLOOD / 2, 65_536);
      assert(await isPending(Promise.all(writes)));
      assert(gone < 8);
      await Promise.all([readExactly(two, FLOOD * 1.5, 65_536), ...writes]);
      await writer.close();
      assertEquals(await two.read(new Uint8Array(1)), null);
    }),
  );

  it(
    "reads from the system only on demand",
    over(makePair, async (one, two) => {
      narrow(one, two);
      const reader = one.readable.getReader();
      const writing = two.write(pattern(FLOOD));
      assert(!(await reader.read()).done);
      assert(await isPending(writing));
      reader.releaseLock();
      const [rest] = await Promise.all([Array.fromAsync(one.readable), writing.then(() => two.close())]);
      assert(joined(rest).length > FLOOD / 2);
    }),
  );

  it(
    "reads into the reader's own buffer",
    over(makePair, async (one, two) => {
      const reader = one.readable.getReader({ mode: "byob" });
      await two.write(Uint8Array.of(1, 2, 3));
      const { value } = await reader.read(new Uint8Array(2));
      assertEquals(value, Uint8Array.of(1, 2));
      await two.write(Uint8Array.of(4));
      await two.closeWrite();
      assertEquals((await reader.read(new Uint8Array(8), { min: 2 })).value, Uint8Array.of(3, 4));
      assert((await reader.read(new Uint8Array(8))).done);
      assertClosed(one);
    }),
  );

  it(
    "is the same stream on each access",
    over(makePair, (one) => {
      assertStrictEquals(one.readable, one.readable);
      assertStrictEquals(one.writable, one.writable);
      return Promise.resolve();
    }),
  );

  it(
    "closes the connection when readable is cancelled, also while it waits",
    over(makePair, async (one, two) => {
      const reader = one.readable.getReader();
      const reading = reader.read();
      assert(await isPending(reading));
      await reader.cancel();
      assert((await reading).done);
      assertClosed(one);
      assertEquals(await two.read(new Uint8Array(8)), null);
    }),
  );

  it(
    "closes the connection when readable is cancelled, also while writable is in use",
    over(makePair, async (one, two) => {
      const writer = one.writable.getWriter();
      await writer.write(Uint8Array.of(3));
      const reader = one.readable.getReader();
      const reading = reader.read();
      assert(await isPending(reading));
      await reader.cancel();
      assertClosed(one);
      await assertRejects(() => writer.write(Uint8Array.of(4)));
      assertEquals(await readToEnd(two), Uint8Array.of(3));
    }),
  );

  it(
    "finishes a write that is under way when readable ends, and closes then",
    over(makePair, async (one, two) => {
      const large = new Uint8Array(4 << 20).fill(7);
      const writing = one.write(large);
      await two.closeWrite();
      const reader = one.readable.getReader();
      assert((await reader.read()).done);
      assertOpen(one);
      const received = await readToEnd(two);
      assertEquals(received.length, large.length);
      assertEquals(await writing, large.length);
      await settled();
      assertClosed(one);
    }),
  );

  it(
    "shuts down the write side when writable closes, and stays open until readable has ended",
    over(makePair, async (one, two) => {
      const { readable } = one;
      const writer = one.writable.getWriter();
      await writer.write(Uint8Array.of(1));
      await writer.close();
      assertOpen(one);
      assertEquals(await readToEnd(two), Uint8Array.of(1));
      await two.write(Uint8Array.of(2));
      two.close();
      assertEquals(joined(await Array.fromAsync(readable)), Uint8Array.of(2));
      assertClosed(one);
    }),
  );

  it(
    "ends a write that waits when writable is aborted, and closes the connection",
    over(makePair, async (one, two) => {
      narrow(one, two);
      const writer = one.writable.getWriter();
      const reason = new Error("enough");
      const writing = rejection(writer.write(pattern(FLOOD)));
      assert(await isPending(writing));
      await writer.abort(reason);
      await writing;
      assertClosed(one);
      assertStrictEquals(await rejection(writer.closed), reason);
    }),
  );

  it(
    "fails waiting operations of both streams when the connection is closed",
    over(makePair, async (one, two) => {
      narrow(one, two);
      const reading = rejection(one.readable.getReader().read());
      const writing = rejection(one.writable.getWriter().write(pattern(FLOOD)));
      assert(await isPending(Promise.race([reading, writing])));
      one.close();
      assertInstanceOf(await reading, Deno.errors.Interrupted);
      assertInstanceOf(await writing, Deno.errors.Interrupted);
    }),
  );

  it(
    "closes an echoing end when it can no longer write",
    over(makePair, async (one, two) => {
      const echoing = rejection(two.readable.pipeTo(two.writable));
      await two.closeWrite();
      await one.write(Uint8Array.of(1));
      assertInstanceOf(await echoing, Deno.errors.BrokenPipe);
      assertClosed(two);
    }),
  );

  it(
    "fails a chunk that is not bytes, and closes the connection",
    over(makePair, async (one, two) => {
      const writer = one.writable.getWriter();
      assertInstanceOf(await rejection(writer.write("text" as unknown as Uint8Array)), TypeError);
      assertClosed(one);
      assertEquals(await two.read(new Uint8Array(8)), null);
    }),
  );
}
