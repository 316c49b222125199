import { assert, assertEquals, assertInstanceOf, assertStrictEquals, assertThrows } from "@std/assert";
import { it } from "@std/testing/bdd";
import { fromFd, isSocketError } from "../../../mod.ts";
import { assertSameBytes } from "../../support/assertions.ts";
import { pattern } from "../../support/bytes.ts";
import { isPending, rejection } from "../../support/promises.ts";
import { FLOOD, type MakePair, narrow, over, readExactly, readToEnd, type Stream } from "./pair.ts";

/** What every method that waits, or may wait, does on a closed connection. */
async function assertUnusable(conn: Stream): Promise<void> {
  for (
    const promise of [
      conn.read(new Uint8Array(8)),
      conn.read(new Uint8Array(0)),
      conn.write(new Uint8Array(8)),
      conn.write(new Uint8Array(0)),
      conn.closeRead(),
      conn.closeWrite(),
      conn.socket.readable(),
    ]
  ) assertInstanceOf(await rejection(promise), Deno.errors.BadResource);
  assertThrows(() => conn.socket.fd, Deno.errors.BadResource);
  assertThrows(() => conn.close(), Deno.errors.BadResource);
  assertThrows(() => conn.detach(), Deno.errors.BadResource);
  conn[Symbol.dispose]();
}

/** Closing wholly and by halves, from this end and the other. */
export function registerClosing(makePair: MakePair): void {
  it(
    "rejects every waiting read with Interrupted, and the peer reads the end",
    over(makePair, async (one, two) => {
      const reads = Promise.all([1, 2, 3].map(() => rejection(one.read(new Uint8Array(8)))));
      const other = two.read(new Uint8Array(8));
      assert(await isPending(reads));
      one.close();
      for (const error of await reads) assertInstanceOf(error, Deno.errors.Interrupted);
      assertEquals(await other, null);
    }),
  );

  it(
    "rejects every waiting write; sent bytes arrive, and then the end",
    over(makePair, async (one, two) => {
      narrow(one, two);
      const writes = Promise.all([pattern(FLOOD), pattern(8)].map((p) => rejection(one.write(p))));
      assert(await isPending(writes));
      one.close();
      const [first, second] = await writes;
      assertInstanceOf(first, Deno.errors.Interrupted);
      assertInstanceOf(second, Deno.errors.Interrupted);
      const { bytesWritten } = first as { bytesWritten?: number };
      assertEquals((second as { bytesWritten?: number }).bytesWritten, 0);
      assertSameBytes(await readToEnd(two), pattern(FLOOD).subarray(0, bytesWritten));
    }),
  );

  it(
    "ends a read that waits when the peer closes",
    over(makePair, async (one, two) => {
      const reading = one.read(new Uint8Array(8));
      assert(await isPending(reading));
      two.close();
      assertEquals(await reading, null);
    }),
  );

  it(
    "fails a waiting write when the peer closes, with the number of bytes sent",
    over(makePair, async (one, two) => {
      narrow(one, two);
      const writing = rejection(one.write(pattern(FLOOD)));
      assert(await isPending(writing));
      two.close();
      const error = await writing;
      assert(isSocketError(error), String(error));
      assert(["EPIPE", "ECONNRESET"].includes(error.code), error.code);
      assert(error.bytesWritten! > 0 && error.bytesWritten! < FLOOD);
    }),
  );

  it(
    "fails writes with BrokenPipe or ConnectionReset once the peer has closed",
    over(makePair, async (one, two) => {
      two.close();
      assertEquals(await one.read(new Uint8Array(8)), null);
      // The first may be sent before the reset of the peer arrives.
      let error: unknown;
      for (let attempt = 0; attempt < 10_000 && error === undefined; attempt++) {
        error = await one.write(pattern(100)).then(() => undefined, (error) => error);
      }
      assert(error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset, String(error));
    }),
  );

  it(
    "is unusable once closed",
    over(makePair, async (one, two) => {
      one.close();
      await assertUnusable(one);
      await assertUnusable(one);
      assertEquals(await two.read(new Uint8Array(8)), null);
    }),
  );

  it(
    "keeps its addresses once closed",
    over(makePair, (one) => {
      const { localAddr, remoteAddr } = one;
      one.close();
      assertEquals([one.localAddr, one.remoteAddr], [localAddr, remoteAddr]);
      return Promise.resolve();
    }),
  );

  it(
    "closes at the end of a block with `using`, also when it was closed before",
    over(makePair, async (one, two) => {
      {
        using inner = one;
        assertStrictEquals(inner, one);
      }
      assertEquals(await two.read(new Uint8Array(8)), null);
      {
        using inner = two;
        inner.close();
      }
      await assertUnusable(two);
    }),
  );

  it(
    "shuts down one direction with closeWrite, and the other goes on",
    over(makePair, async (one, two) => {
      await one.write(Uint8Array.of(1, 2));
      await one.closeWrite();
      assertEquals(await readToEnd(two), Uint8Array.of(1, 2));
      const error = await rejection(one.write(Uint8Array.of(3)));
      assertInstanceOf(error, Deno.errors.BrokenPipe);
      assertEquals((error as { bytesWritten?: number }).bytesWritten, 0);
      await two.write(pattern(100_000));
      assertSameBytes(await readExactly(one, 100_000), pattern(100_000));
      await two.closeWrite();
      assertEquals(await one.read(new Uint8Array(8)), null);
    }),
  );

  it(
    "shuts down behind the writes that wait, by closeWrite and by the end of `writable`",
    over(makePair, async (one, two) => {
      narrow(one, two);
      const flood = pattern(FLOOD);
      const ended = Promise.all([one.write(flood), one.closeWrite()]);
      assertSameBytes(await readToEnd(two), flood);
      assertEquals((await ended)[0], FLOOD);
      // `readable` is in use, so that closing `writable` shuts down and does not close.
      const reader = two.readable.getReader();
      const other = Promise.all([two.write(flood), two.writable.close()]);
      assertSameBytes(await readToEnd(one), flood);
      assertEquals((await other)[0], FLOOD);
      await reader.cancel();
    }),
  );

  it(
    "shuts down at once, by closeWrite, after a write that was aborted in a full buffer",
    over(makePair, async (one, two) => {
      narrow(one, two);
      const controller = new AbortController();
      const writing = rejection(one.write(new Uint8Array(FLOOD), { signal: controller.signal }));
      assert(await isPending(writing));
      controller.abort();
      await writing;
      await one.closeWrite();
      assertEquals((await readToEnd(two)).length, one.bytesWritten);
    }),
  );

  it(
    "ends waiting and later reads after closeRead",
    over(makePair, async (one) => {
      const reads = Promise.all([one.read(new Uint8Array(8)), one.read(new Uint8Array(8))]);
      assert(await isPending(reads));
      await one.closeRead();
      assertEquals(await reads, [null, null]);
      assertEquals(await one.read(new Uint8Array(8)), null);
    }),
  );

  it(
    "can close a direction twice",
    over(makePair, async (one, two) => {
      await one.closeWrite();
      await one.closeWrite();
      await one.closeRead();
      await one.closeRead();
      assertEquals(await two.read(new Uint8Array(8)), null);
    }),
  );

  it(
    "detaches its descriptor with all queued data",
    over(makePair, async (one, two) => {
      const reading = rejection(one.read(new Uint8Array(8)));
      const fd = one.detach();
      assertInstanceOf(await reading, Deno.errors.Interrupted);
      await assertUnusable(one);
      await two.write(Uint8Array.of(1, 2, 3));
      using again = fromFd(fd);
      assert(again instanceof one.constructor);
      const conn = again as unknown as Stream;
      assertEquals([conn.localAddr, conn.remoteAddr], [one.localAddr, one.remoteAddr]);
      assertEquals(await readExactly(conn, 3), Uint8Array.of(1, 2, 3));
    }),
  );
}
