import { assert, assertEquals } from "@std/assert";
import { it } from "@std/testing/bdd";
import { isSocketError, type SeqpacketConn } from "../../../mod.ts";
import { assertTimedOut } from "../../support/assertions.ts";
import { pattern } from "../../support/bytes.ts";
import { after, pause } from "../../support/promises.ts";
import { flood, type MakeMessagePair, narrow, over, receiveAll } from "./pair.ts";

const WORKERS = 10;

/** A message, null at the end, or undefined where there was none by the deadline. */
async function receiveOrTimeOut(conn: SeqpacketConn): Promise<Uint8Array | null | undefined> {
  try {
    return await conn.receive();
  } catch (error) {
    assertTimedOut(error, "recvmsg");
    return undefined;
  }
}

/** Many callers at once, deadlines that pull the rug away, and not a message lost, doubled or out of place. */
export function registerRaces(makePair: MakeMessagePair): void {
  it(
    "delivers every message once to many receivers with deadlines of a millisecond",
    over(makePair, async (one, two) => {
      const sending = (async () => {
        for (let index = 0; index < 2000; index++) {
          await one.send(Uint8Array.of(index >> 8, index));
          if (index % 100 === 0) await pause(2);
        }
        await one.closeWrite();
      })();
      const received: number[] = [];
      const receiver = async (): Promise<void> => {
        for (;;) {
          two.setReadDeadline(after(1));
          const message = await receiveOrTimeOut(two);
          if (message === null) return;
          if (message !== undefined) received.push((message[0]! << 8) | message[1]!);
        }
      };
      await Promise.all([sending, ...Array.from({ length: WORKERS }, receiver)]);
      assertEquals(received, Array.from({ length: 2000 }, (_, index) => index));
    }),
  );

  it(
    "sends whole messages or none from many senders with deadlines of a millisecond",
    over(makePair, async (one, two) => {
      narrow(one);
      const receiving = (async () => {
        await pause(20);
        return await receiveAll(two);
      })();
      const taken: number[] = [];
      const sender = async (_: unknown, seed: number): Promise<void> => {
        for (let round = 0; round < 20; round++) {
          one.setWriteDeadline(after(1));
          const message = pattern(10_000 + seed * 20 + round);
          await one.send(message).then(() => taken.push(message.length), assertTimedOut);
          if (round % 5 === 0) await pause(1);
        }
      };
      await Promise.all(Array.from({ length: WORKERS }, sender));
      await one.closeWrite();
      assertEquals((await receiving).map(({ length }) => length), taken);
    }),
  );

  it(
    "lets receives, sends, deadlines, aborts and close race",
    over(makePair, async (one, two) => {
      narrow(one);
      narrow(two);
      const messages = flood();
      const outcomes: Promise<PromiseSettledResult<unknown>[]>[] = [];
      for (let index = 0; index < 200; index++) {
        const conn = index % 2 === 0 ? one : two;
        const abort = new AbortController();
        const { signal } = abort;
        outcomes.push(Promise.allSettled([
          conn.receive({ signal }),
          conn.receiveMessage({ signal, maxLength: 100 }),
          conn.send(messages[index % messages.length]!, { signal }),
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
