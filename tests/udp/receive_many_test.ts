import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { DatagramBatch } from "../../mod.ts";
import { bytes, text } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { numbers, say, texts } from "./datagrams.ts";
import { refuses } from "./refusing.ts";
import { openUdp } from "./support.ts";

noDescriptorLeaks();

describe("receiveMany()", TIMEOUT, () => {
  it("resolves to the length of the batch, in the order of arrival", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    const batch = new DatagramBatch();
    await say(sender, receiver, "a", "b", "c");
    assertEquals(await receiver.receiveMany(batch), 3);
    assertEquals([batch.length, texts(batch)], [3, ["a", "b", "c"]]);
  });

  it("waits for the first", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    const batch = new DatagramBatch();
    const waiting = receiver.receiveMany(batch);
    assertEquals(batch.length, 0);
    await say(sender, receiver, "late");
    assertEquals([await waiting, texts(batch)], [1, ["late"]]);
  });

  it("receives as many as the capacity and leaves the rest to the next", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    const batch = new DatagramBatch({ capacity: 3 });
    await say(sender, receiver, ..."abcdefgh");
    const taken: string[][] = [];
    for (let left = 8; left > 0; left -= batch.length) {
      await receiver.receiveMany(batch);
      taken.push(texts(batch));
    }
    assertEquals(taken, [["a", "b", "c"], ["d", "e", "f"], ["g", "h"]]);
  });

  it("receives 64 by default, and up to 1,024", async () => {
    using receiver = openUdp({ receiveBufferSize: 1 << 22 });
    using sender = openUdp();
    for (const [options, expected] of [[{}, 64], [{ capacity: 100, maxLength: 1 }, 100]] as const) {
      const batch = new DatagramBatch(options);
      await Promise.all(Array.from({ length: 100 }, (_, index) => sender.send(Uint8Array.of(index), receiver.addr)));
      assertEquals(await receiver.receiveMany(batch), expected);
      assertEquals(numbers(batch), Array.from({ length: expected }, (_, index) => index));
      if (expected < 100) await receiver.receiveMany(batch);
    }
    const largest = new DatagramBatch({ capacity: 1024, maxLength: 4 });
    await say(sender, receiver, "more", "than", "enough");
    assertEquals([await receiver.receiveMany(largest), texts(largest)], [3, ["more", "than", "enou"]]);
  });

  it("is served in call order among receives of one", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    const [one, other] = [new DatagramBatch({ capacity: 2 }), new DatagramBatch({ capacity: 8 })];
    const first = receiver.receive();
    const second = receiver.receiveMany(one);
    const third = receiver.receiveMessage();
    const fourth = receiver.receiveMany(other);
    await say(sender, receiver, ..."abcdefg");
    assertEquals(text((await first)[0]), "a");
    assertEquals([await second, texts(one)], [2, ["b", "c"]]);
    assertEquals(text((await third).data), "d");
    assertEquals([await fourth, texts(other)], [3, ["e", "f", "g"]]);
  });

  it("loses nothing by a deadline, a signal or both", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    const batch = new DatagramBatch();
    const stop = new AbortController();
    const reason = new Error("enough");
    const aborted = refused(receiver.receiveMany(batch, { signal: stop.signal }));
    stop.abort(reason);
    assertStrictEquals(await aborted, reason);
    assertStrictEquals(await refused(receiver.receiveMany(batch, { signal: stop.signal })), reason);
    receiver.setReadDeadline(new Date(Date.now() + 20));
    assertInstanceOf(await refused(receiver.receiveMany(batch)), Deno.errors.TimedOut);
    await say(sender, receiver, "kept", "whole");
    const late = await refused(receiver.receiveMany(batch)) as Error & { code: string; timeout: boolean };
    assertEquals([late.code, late.timeout, batch.length], ["ETIMEDOUT", true, 0]);
    receiver.setReadDeadline(null);
    assertEquals([await receiver.receiveMany(batch), texts(batch)], [2, ["kept", "whole"]]);
  });

  it("is followed by the next receive when it is aborted", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    const [one, other] = [new DatagramBatch(), new DatagramBatch()];
    const stop = new AbortController();
    const aborted = refused(receiver.receiveMany(one, { signal: stop.signal }));
    const waiting = receiver.receiveMany(other);
    stop.abort("enough");
    await say(sender, receiver, "for the other");
    assertEquals([await aborted, await waiting, one.length], ["enough", 1, 0]);
    assertEquals(texts(other), ["for the other"]);
  });

  it("rejects on close, and the batch works with another socket", async () => {
    const receiver = openUdp();
    const batch = new DatagramBatch();
    const waiting = refused(receiver.receiveMany(batch));
    receiver.close();
    assertInstanceOf(await waiting, Deno.errors.Interrupted);
    assertInstanceOf(await refused(receiver.receiveMany(batch)), Deno.errors.BadResource);
    using next = openUdp();
    using sender = openUdp();
    await say(sender, next, "here");
    assertEquals([await next.receiveMany(batch), texts(batch)], [1, ["here"]]);
  });

  it("reports a refused datagram on a connected socket, and goes on", async () => {
    using receiver = openUdp();
    const closed = openUdp();
    receiver.connect(closed.addr);
    closed.close();
    const batch = new DatagramBatch();
    const waiting = refused(receiver.receiveMany(batch));
    await receiver.send(bytes("anybody?"));
    assertInstanceOf(await waiting, Deno.errors.ConnectionRefused);
    using reopened = openUdp({ port: closed.addr.port });
    await say(reopened, receiver, "me");
    assertEquals([await receiver.receiveMany(batch), texts(batch)], [1, ["me"]]);
  });
});

refuses(
  "A receiveMany() into a batch",
  [undefined, null, {}, [], new Uint8Array(64), "batch"].map((given) => [given, TypeError, "DatagramBatch"] as const),
  async (given) => {
    using socket = openUdp();
    await socket.receiveMany(given);
  },
);

/** What a promise rejects with. */
function refused(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(() => assert(false, "Nothing was refused"), (reason) => reason);
}
