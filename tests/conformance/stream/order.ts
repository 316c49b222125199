import { assert, assertEquals } from "@std/assert";
import { it } from "@std/testing/bdd";
import { assertSameBytes } from "../../support/assertions.ts";
import { joined, pattern } from "../../support/bytes.ts";
import { isPending } from "../../support/promises.ts";
import { FLOOD, type MakePair, narrow, over, readExactly, readToEnd } from "./pair.ts";

/** Reads resolve, and writes go out, in the order in which they were asked for. */
export function registerOrder(makePair: MakePair): void {
  it(
    "delivers bytes to waiting reads in call order",
    over(makePair, async (one, two) => {
      const buffers = Array.from({ length: 100 }, () => new Uint8Array(2));
      const settled: number[] = [];
      const reads = buffers.map((p, index) => one.read(p).then((count) => settled.push(index) && count));
      await two.write(pattern(200));
      assertEquals(await Promise.all(reads), buffers.map(() => 2));
      assertEquals(settled, buffers.map((_, index) => index));
      assertSameBytes(joined(buffers), pattern(200));
    }),
  );

  it(
    "does not deliver the data of an earlier read to a later one",
    over(makePair, async (one, two) => {
      const first = new Uint8Array(1);
      const waiting = one.read(first);
      await two.write(Uint8Array.of(1, 2));
      const second = new Uint8Array(1);
      assertEquals(await Promise.all([waiting, one.read(second)]), [1, 1]);
      assertEquals([first[0], second[0]], [1, 2]);
    }),
  );

  it(
    "delivers the end to every waiting read",
    over(makePair, async (one, two) => {
      const reads = [1, 2, 3].map(() => one.read(new Uint8Array(4)));
      await two.write(Uint8Array.of(1));
      await two.closeWrite();
      assertEquals(await Promise.all(reads), [1, null, null]);
    }),
  );

  it(
    "sends waiting writes whole and in call order",
    over(makePair, async (one, two) => {
      narrow(one, two);
      const buffers = Array.from({ length: 16 }, (_, index) => pattern(FLOOD / 8 + index, index));
      const settled: number[] = [];
      const writes = buffers.map((p, index) => one.write(p).then((count) => settled.push(index) && count));
      const expected = joined(buffers);
      const received = await readExactly(two, expected.length, 65_536);
      assertEquals(await Promise.all(writes), buffers.map(({ length }) => length));
      assertEquals(settled, buffers.map((_, index) => index));
      assertSameBytes(received, expected);
    }),
  );

  it(
    "sends a small write behind a large one that waits",
    over(makePair, async (one, two) => {
      narrow(one, two);
      const large = one.write(pattern(FLOOD));
      const small = one.write(Uint8Array.of(1, 2, 3));
      assert(await isPending(small));
      const received = await readExactly(two, FLOOD + 3, 65_536);
      assertEquals(await Promise.all([large, small]), [FLOOD, 3]);
      assertEquals(received.subarray(FLOOD), Uint8Array.of(1, 2, 3));
    }),
  );

  it(
    "reads while a write waits, and writes while a read waits",
    over(makePair, async (one, two) => {
      narrow(one, two);
      const reading = one.read(new Uint8Array(8));
      const writing = one.write(pattern(FLOOD));
      assert(await isPending(writing));
      await two.write(Uint8Array.of(9));
      assertEquals(await reading, 1);
      const [received] = await Promise.all([readExactly(two, FLOOD, 65_536), writing]);
      assertSameBytes(received, pattern(FLOOD));
    }),
  );

  it(
    "serves reads and writes from within the callbacks of others",
    over(makePair, async (one, two) => {
      const rounds = 500;
      const echo = async (): Promise<void> => {
        const p = new Uint8Array(16);
        const count = await two.read(p);
        if (count === null) return;
        await two.write(p.subarray(0, count)).then(echo);
      };
      const echoing = echo();
      const answers: number[] = [];
      for (let round = 0; round < rounds; round++) {
        const [answer] = await Promise.all([readExactly(one, 1), one.write(Uint8Array.of(round & 0xff))]);
        answers.push(answer[0]!);
      }
      await one.closeWrite();
      await echoing;
      assertEquals(answers, Array.from({ length: rounds }, (_, round) => round & 0xff));
      two.close();
      assertEquals((await readToEnd(one)).length, 0);
    }),
  );
}
