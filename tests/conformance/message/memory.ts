import { assert, assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import { it } from "@std/testing/bdd";
import { assertRefused } from "../../support/assertions.ts";
import { pattern } from "../../support/bytes.ts";
import { isPending, rejection } from "../../support/promises.ts";
import { flood, type MakeMessagePair, narrow, over, receive } from "./pair.ts";

/** Memory belongs to the caller: sent bytes are those at the time of the call, and received memory is not shared. */
export function registerMemory(makePair: MakeMessagePair): void {
  it(
    "returns every message in memory of its own",
    over(makePair, async (one, two) => {
      await one.send(pattern(3));
      await one.send(pattern(3, 100));
      const first = await receive(two);
      const second = await receive(two);
      assertEquals([first, second], [pattern(3), pattern(3, 100)]);
      assertEquals(first.buffer.byteLength, 3);
    }),
  );

  it(
    "sends only the bytes of a view",
    over(makePair, async (one, two) => {
      const memory = pattern(100);
      for (const [start, end] of [[0, 100], [3, 7], [99, 100], [50, 60]] as const) {
        await one.send(memory.subarray(start, end));
        assertEquals(await receive(two), memory.slice(start, end));
      }
    }),
  );

  it(
    "refuses memory that is detached or shared, and values that are not bytes",
    over(makePair, async (one, two) => {
      const gone = new Uint8Array(8);
      gone.buffer.transfer();
      const wrong = {
        detached: gone,
        shared: new Uint8Array(new SharedArrayBuffer(8)),
        Array: [1],
        hello: "hello",
        null: null,
      };
      for (const [words, data] of Object.entries(wrong)) {
        assertRefused(await rejection(one.send(data as Uint8Array)), words);
        assertRefused(await rejection(one.sendMessage({ data: data as Uint8Array })), words);
      }
      await one.send(pattern(1));
      assertEquals(await receive(two), pattern(1));
    }),
  );

  it(
    "fails a send whose memory is transferred while it waits, and goes on with the next",
    over(makePair, async (one, two) => {
      narrow(one);
      const sends = Promise.all(flood().map((message) => one.send(message)));
      const p = new Uint8Array(8);
      const refused = rejection(one.send(p));
      const next = one.send(pattern(3));
      assert(await isPending(next));
      p.buffer.transfer();
      for (const _ of flood()) await receive(two);
      assertRefused(await refused, "detached");
      assertEquals(await receive(two), pattern(3));
      await Promise.all([sends, next]);
    }),
  );

  it(
    "refuses invalid lengths and numbers of descriptors, and quotes them",
    over(makePair, async (one) => {
      for (const maxLength of [-1, 1.5, NaN, 2 ** 31, "8" as unknown as number]) {
        const error = await rejection(one.receiveMessage({ maxLength }));
        assertInstanceOf(error, RangeError);
        assertStringIncludes(error.message, String(maxLength));
      }
      for (const maxFds of [-1, 1.5, NaN, 254]) {
        const error = await rejection(one.receiveMessage({ maxFds }));
        assertInstanceOf(error, RangeError);
        assertStringIncludes(error.message, String(maxFds));
      }
    }),
  );
}
