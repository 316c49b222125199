import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { it } from "@std/testing/bdd";
import { fromFd, isSocketError, type SeqpacketConn } from "../../../mod.ts";
import { pattern } from "../../support/bytes.ts";
import { isPending, rejection } from "../../support/promises.ts";
import { flood, type MakeMessagePair, narrow, over, receive, receiveAll } from "./pair.ts";

/** What every method that waits, or may wait, does on a closed connection. */
async function assertUnusable(conn: SeqpacketConn): Promise<void> {
  for (
    const promise of [
      conn.receive(),
      conn.receiveMessage(),
      conn.send(pattern(1)),
      conn.send(pattern(0)),
      conn.sendMessage({ data: pattern(1) }),
      conn.closeWrite(),
    ]
  ) assertInstanceOf(await rejection(promise), Deno.errors.BadResource);
  assertThrows(() => conn.peerCredentials(), Deno.errors.BadResource);
  assertThrows(() => conn.socket.fd, Deno.errors.BadResource);
  assertThrows(() => conn.close(), Deno.errors.BadResource);
  assertThrows(() => conn.detach(), Deno.errors.BadResource);
  conn[Symbol.dispose]();
}

/** Closing wholly and by halves, from this end and the other. */
export function registerClosing(makePair: MakeMessagePair): void {
  it(
    "rejects waiting operations with Interrupted; sent messages arrive, and then the end",
    over(makePair, async (one, two) => {
      narrow(one);
      const receiving = rejection(one.receive());
      const sends = Promise.allSettled(flood().map((message) => one.send(message)));
      assert(await isPending(sends));
      one.close();
      assertInstanceOf(await receiving, Deno.errors.Interrupted);
      const outcomes = await sends;
      const taken = outcomes.filter(({ status }) => status === "fulfilled").length;
      for (const outcome of outcomes.slice(taken)) {
        assertInstanceOf((outcome as PromiseRejectedResult).reason, Deno.errors.Interrupted);
      }
      assertEquals((await receiveAll(two)).length, taken);
    }),
  );

  it(
    "ends a receive that waits when the peer closes",
    over(makePair, async (one, two) => {
      const receiving = one.receive();
      assert(await isPending(receiving));
      two.close();
      assertEquals([await receiving, await one.receive()], [null, null]);
    }),
  );

  it(
    "fails a send that waits when the peer closes, and every one after it",
    over(makePair, async (one, two) => {
      narrow(one);
      const sends = Promise.allSettled(flood().map((message) => one.send(message)));
      assert(await isPending(sends));
      two.close();
      const errors = (await sends).filter((outcome) => outcome.status === "rejected").map(({ reason }) => reason);
      assert(errors.length > 0);
      for (const error of [...errors, await rejection(one.send(pattern(1)))]) {
        assert(isSocketError(error), String(error));
        assert(["EPIPE", "ECONNRESET"].includes(error.code), error.code);
      }
    }),
  );

  it(
    "reports a reset if the peer closed without receiving everything, and never the end",
    over(makePair, async (one, two) => {
      await one.send(pattern(1));
      two.close();
      for (let round = 0; round < 2; round++) {
        assertInstanceOf(await rejection(one.receive()), Deno.errors.ConnectionReset);
        assertInstanceOf(await rejection(one.receiveMessage()), Deno.errors.ConnectionReset);
      }
    }),
  );

  it(
    "shuts down one direction with closeWrite, and the other goes on",
    over(makePair, async (one, two) => {
      await one.send(pattern(2));
      await one.closeWrite();
      await one.closeWrite();
      assertEquals(await receiveAll(two), [pattern(2)]);
      assertInstanceOf(await rejection(one.send(pattern(1))), Deno.errors.BrokenPipe);
      await two.send(pattern(3));
      assertEquals(await receive(one), pattern(3));
      two.close();
      assertEquals(await one.receive(), null);
    }),
  );

  it(
    "is unusable once closed, and keeps its addresses",
    over(makePair, async (one, two) => {
      const { localAddr, remoteAddr } = one;
      one.close();
      await assertUnusable(one);
      await assertUnusable(one);
      assertEquals([one.localAddr, one.remoteAddr], [localAddr, remoteAddr]);
      assertEquals(await two.receive(), null);
    }),
  );

  it(
    "closes at the end of a block with `using`",
    over(makePair, async (one, two) => {
      {
        using inner = one;
        await inner.send(pattern(1));
      }
      await assertUnusable(one);
      assertEquals(await receiveAll(two), [pattern(1)]);
    }),
  );

  it(
    "detaches its descriptor with all queued data",
    over(makePair, async (one, two) => {
      const receiving = rejection(one.receive());
      const fd = one.detach();
      assertInstanceOf(await receiving, Deno.errors.Interrupted);
      await assertUnusable(one);
      await two.send(pattern(5));
      await two.send(pattern(3));
      using again = fromFd(fd);
      assert(again instanceof one.constructor);
      const conn = again as SeqpacketConn;
      assertEquals([conn.localAddr, conn.remoteAddr], [one.localAddr, one.remoteAddr]);
      assertEquals([await receive(conn), await receive(conn)], [pattern(5), pattern(3)]);
    }),
  );
}
