import { assert, assertEquals } from "@std/assert";
import { it } from "@std/testing/bdd";
import { assertSameBytes } from "../../support/assertions.ts";
import { pattern } from "../../support/bytes.ts";
import { isPending } from "../../support/promises.ts";
import { type MakePair, over, readExactly, readToEnd, type Stream } from "./pair.ts";

const MEBIBYTE = 1 << 20;

/** Writes it all in small pieces, then ends the direction. */
async function writeInPieces(conn: Stream, bytes: Uint8Array, piece: number): Promise<void> {
  for (let at = 0; at < bytes.length; at += piece) {
    const part = bytes.subarray(at, at + piece);
    assertEquals(await conn.write(part), part.length);
  }
  await conn.closeWrite();
}

/** Bytes arrive whole, in either direction and in both at once. */
export function registerTransfer(makePair: MakePair): void {
  it(
    "transfers 1 MiB in small writes in both directions at once",
    over(makePair, async (one, two) => {
      const [there, back] = [pattern(MEBIBYTE), pattern(MEBIBYTE, 99)];
      const [, , heardByTwo, heardByOne] = await Promise.all([
        writeInPieces(one, there, 1021),
        writeInPieces(two, back, 4093),
        readToEnd(two),
        readToEnd(one),
      ]);
      assertSameBytes(heardByTwo, there);
      assertSameBytes(heardByOne, back);
    }),
  );

  it(
    "echoes 1 MiB",
    over(makePair, async (one, two) => {
      const sent = pattern(MEBIBYTE, 7);
      const copying = (async () => {
        const p = new Uint8Array(3000);
        for (let count = await two.read(p); count !== null; count = await two.read(p)) {
          await two.write(p.subarray(0, count));
        }
        await two.closeWrite();
      })();
      const [echo] = await Promise.all([readToEnd(one), writeInPieces(one, sent, 1000), copying]);
      assertSameBytes(echo, sent);
    }),
  );

  it(
    "plays ping-pong a thousand times with a counter",
    over(makePair, async (one, two) => {
      const rounds = 1000;
      const player = async (conn: Stream, starts: boolean): Promise<number> => {
        const p = new Uint8Array(8);
        const view = new DataView(p.buffer);
        if (starts) await conn.write(p);
        for (;;) {
          p.set(await readExactly(conn, 8));
          const count = Number(view.getBigUint64(0)) + 1;
          view.setBigUint64(0, BigInt(count));
          if (count <= rounds) await conn.write(p);
          if (count >= rounds) return count;
        }
      };
      assertEquals((await Promise.all([player(one, true), player(two, false)])).sort(), [rounds, rounds + 1]);
    }),
  );

  it(
    "writes a buffer of 8 MiB whole while the other end reads",
    over(makePair, async (one, two) => {
      const sent = pattern(8 * MEBIBYTE);
      const [written, received] = await Promise.all([one.write(sent), readExactly(two, sent.length, 65_536)]);
      assertEquals(written, sent.length);
      assertSameBytes(received, sent);
    }),
  );

  it(
    "reads available bytes without waiting for a full buffer",
    over(makePair, async (one, two) => {
      await two.write(pattern(3));
      const p = new Uint8Array(64);
      assertEquals(await one.read(p), 3);
      assertEquals(p.slice(0, 4), Uint8Array.of(0, 31, 62, 0));
    }),
  );

  it(
    "fills a smaller view of a larger buffer and nothing around it",
    over(makePair, async (one, two) => {
      await two.write(Uint8Array.of(1, 2, 3, 4));
      const p = new Uint8Array(8);
      assertEquals(await one.read(p.subarray(2, 5)), 3);
      assertEquals(p, Uint8Array.of(0, 0, 1, 2, 3, 0, 0, 0));
    }),
  );

  it(
    "reads nothing into an empty buffer at once, with data there and without",
    over(makePair, async (one, two) => {
      assertEquals(await one.read(new Uint8Array(0)), 0);
      await two.write(Uint8Array.of(5));
      assertEquals(await one.read(new Uint8Array(0)), 0);
      assertEquals(await readExactly(one, 1), Uint8Array.of(5));
    }),
  );

  it(
    "writes no bytes for an empty buffer",
    over(makePair, async (one, two) => {
      assertEquals(await one.write(new Uint8Array(0)), 0);
      const reading = two.read(new Uint8Array(8));
      assert(await isPending(reading));
      await one.write(Uint8Array.of(1));
      assertEquals(await reading, 1);
    }),
  );

  it(
    "keeps returning the end",
    over(makePair, async (one, two) => {
      await two.write(Uint8Array.of(1));
      await two.closeWrite();
      assertEquals((await readToEnd(one)).length, 1);
      assertEquals([await one.read(new Uint8Array(1)), await one.read(new Uint8Array(1))], [null, null]);
    }),
  );
}
