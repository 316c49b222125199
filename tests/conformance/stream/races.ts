import { assert, assertEquals } from "@std/assert";
import { it } from "@std/testing/bdd";
import { isSocketError } from "../../../mod.ts";
import { assertSameBytes, assertTimedOut } from "../../support/assertions.ts";
import { joined, pattern } from "../../support/bytes.ts";
import { after, pause } from "../../support/promises.ts";
import { type MakePair, narrow, over, readToEnd, type Stream } from "./pair.ts";

const WORKERS = 10;

/** Reads what is there, or nothing by the deadline; null at the end. */
async function readOrTimeOut(conn: Stream, p: Uint8Array): Promise<number | null> {
  try {
    return await conn.read(p);
  } catch (error) {
    assertTimedOut(error, "recvmsg");
    return 0;
  }
}

/** Writes it all, or what goes out by the deadline. */
async function writeOrTimeOut(conn: Stream, p: Uint8Array): Promise<number> {
  try {
    return await conn.write(p);
  } catch (error) {
    assertTimedOut(error, "sendmsg");
    return error.bytesWritten!;
  }
}

/** Many callers at once, deadlines that pull the rug away, and not a byte lost, doubled or out of place. */
export function registerRaces(makePair: MakePair): void {
  it(
    "delivers every byte once to many readers with deadlines of a millisecond",
    over(makePair, async (one, two) => {
      const sent = pattern(1 << 20);
      const writing = (async () => {
        for (let at = 0; at < sent.length; at += 4096) {
          await two.write(sent.subarray(at, at + 4096));
          if (at % 131_072 === 0) await pause(3);
        }
        await two.closeWrite();
      })();
      // In the order in which they were asked for, which is the order of the bytes.
      const pieces: { data: Uint8Array }[] = [];
      const reader = async (): Promise<void> => {
        for (;;) {
          one.setReadDeadline(after(1));
          const p = new Uint8Array(1024);
          const piece = { data: p.subarray(0, 0) };
          pieces.push(piece);
          const count = await readOrTimeOut(one, p);
          if (count === null) return;
          piece.data = p.subarray(0, count);
        }
      };
      await Promise.all([writing, ...Array.from({ length: WORKERS }, reader)]);
      assertSameBytes(joined(pieces.map(({ data }) => data)), sent);
    }),
  );

  it(
    "sends from many writers with deadlines of a millisecond as many bytes as it reports",
    over(makePair, async (one, two) => {
      narrow(one, two);
      const reading = (async () => {
        await pause(20);
        return await readToEnd(two);
      })();
      const pieces: { data: Uint8Array }[] = [];
      const writer = async (_: unknown, seed: number): Promise<void> => {
        for (let round = 0; round < 20; round++) {
          one.setWriteDeadline(after(1));
          const p = pattern(20_000, seed * 20 + round);
          const piece = { data: p };
          pieces.push(piece);
          piece.data = p.subarray(0, await writeOrTimeOut(one, p));
          if (round % 5 === 0) await pause(1);
        }
      };
      await Promise.all(Array.from({ length: WORKERS }, writer));
      await one.closeWrite();
      assertSameBytes(await reading, joined(pieces.map(({ data }) => data)));
    }),
  );

  it(
    "lets all methods be called at once",
    over(makePair, async (one, two) => {
      const echoing = two.readable.pipeTo(two.writable);
      let written = 0;
      let read = 0;
      const calls = Array.from({ length: 100 }, async () => {
        const writing = writeOrTimeOut(one, pattern(1024));
        const reading = readOrTimeOut(one, new Uint8Array(1024));
        one.setDeadline(after(10));
        one.setReadDeadline(after(10));
        one.setWriteDeadline(after(10));
        assertEquals(one.localAddr.transport, one.remoteAddr.transport);
        const [sent, received] = await Promise.all([writing, reading]);
        written += sent;
        read += received ?? 0;
      });
      await Promise.all(calls);
      one.setDeadline(null);
      await one.closeWrite();
      read += (await readToEnd(one)).length;
      await echoing;
      assertEquals(read, written);
    }),
  );

  it(
    "lets reads, writes, deadlines, aborts and close race",
    over(makePair, async (one, two) => {
      narrow(one, two);
      const outcomes: Promise<PromiseSettledResult<unknown>[]>[] = [];
      for (let index = 0; index < 200; index++) {
        const conn = index % 2 === 0 ? one : two;
        const abort = new AbortController();
        const { signal } = abort;
        outcomes.push(Promise.allSettled([
          conn.read(new Uint8Array(64), { signal }),
          conn.write(pattern(10_000, index), { signal }),
        ]));
        if (index % 3 === 0) conn.setDeadline(after(index % 7));
        if (index % 5 === 0) queueMicrotask(() => abort.abort());
        if (index % 50 === 0) await pause(1);
        if (index === 150) one.close();
      }
      two.close();
      for (const outcome of (await Promise.all(outcomes)).flat()) {
        if (outcome.status === "fulfilled") continue;
        const { reason } = outcome;
        const expected = isSocketError(reason) || reason instanceof Deno.errors.Interrupted ||
          reason instanceof Deno.errors.BadResource || (reason as Error).name === "AbortError";
        assert(expected, String(reason));
      }
    }),
  );
}
