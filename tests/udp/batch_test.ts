import { assert, assertEquals, assertLess, assertStrictEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { DatagramBatch } from "../../mod.ts";
import { bytes, pattern, text } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { noOwnCalls } from "../support/kernel.ts";
import { startDeno } from "../support/process.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { receiveAll, say, texts } from "./datagrams.ts";
import { refuses } from "./refusing.ts";
import { openUdp } from "./support.ts";
import { missingOptions } from "../support/systems.ts";
import { itUnless } from "../support/skipping.ts";

noDescriptorLeaks();

describe("A DatagramBatch", TIMEOUT, () => {
  it("truncates what is longer than maxLength, and reports it", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    for (const maxLength of [0, 1, 7, 8, 9, 2048]) {
      const batch = new DatagramBatch({ maxLength });
      const sent = [8, 0, 9, 2049, 7, 65_507].map(pattern);
      for (const data of sent) await sender.send(data, receiver.addr);
      assertEquals(await receiver.receiveMany(batch), sent.length);
      for (const [index, data] of sent.entries()) {
        assertEquals(batch.data(index), data.slice(0, maxLength));
        assertEquals(batch.truncated(index), data.length > maxLength);
      }
    }
  });

  it("receives 2,048 bytes of each by default, and the longest datagram whole with a maxLength", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    for (const [options, length] of [[{}, 2048], [{ maxLength: 65_507 }, 65_507], [{ maxLength: 65_535 }, 65_507]]) {
      const batch = new DatagramBatch(options as { maxLength?: number });
      const data = pattern(65_507, 3);
      await sender.send(data, receiver.addr);
      await receiver.receiveMany(batch);
      assertEquals(batch.data(0), data.slice(0, length as number));
      assertEquals(batch.truncated(0), length !== 65_507);
    }
  });

  it("holds empty datagrams", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    const batch = new DatagramBatch();
    await say(sender, receiver, "", "", "x", "");
    assertEquals(await receiver.receiveMany(batch), 4);
    assertEquals(texts(batch), ["", "", "x", ""]);
    assertEquals(Array.from(batch, ({ truncated }) => truncated), [false, false, false, false]);
  });

  it("yields views of one buffer, valid until the next receive", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    const batch = new DatagramBatch();
    await say(sender, receiver, "one", "two");
    await receiver.receiveMany(batch);
    const [first, second] = [batch.data(0), batch.data(1)];
    const copy = first.slice();
    assertStrictEquals(first.buffer, second.buffer);
    assertStrictEquals([...batch][1]!.data.buffer, second.buffer);
    await say(sender, receiver, "six");
    await receiver.receiveMany(batch);
    assertEquals([text(first), text(copy), text(second)], ["six", "one", "two"]);
    assertStrictEquals(batch.data(0).buffer, first.buffer);
  });

  it("returns the sender of each", async () => {
    for (const hostname of ["127.0.0.1", "::1"]) {
      using receiver = openUdp({ hostname });
      using one = openUdp({ hostname });
      using other = openUdp({ hostname });
      const batch = new DatagramBatch();
      const senders = [one, other, other, one];
      for (const sender of senders) await say(sender, receiver, "hello");
      assertEquals(await receiver.receiveMany(batch), 4);
      assertEquals(senders.map((_, index) => batch.addr(index)), senders.map(({ addr }) => addr));
    }
  });

  it("yields the details of each, as its methods return them", async () => {
    using receiver = openUdp({ packetInfo: true, timestamps: true });
    using sender = openUdp();
    const batch = new DatagramBatch({ maxLength: 3 });
    await say(sender, receiver, "abc", "defg");
    await receiver.receiveMany(batch);
    for (const [index, { data, addr, truncated, destination, ttl, timestamp, ...rest }] of [...batch].entries()) {
      assertEquals([data, addr, truncated], [batch.data(index), batch.addr(index), batch.truncated(index)]);
      assertEquals([destination, ttl, rest], ["127.0.0.1", 64, {
        interfaceIndex: 1,
        localAddress: "127.0.0.1",
        trafficClass: 0,
      }]);
      assert(timestamp! > 0);
    }
  });

  it("yields no more than its length, and the same again", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    const batch = new DatagramBatch();
    assertEquals([...batch], []);
    await say(sender, receiver, "a", "b");
    await receiver.receiveMany(batch);
    const plain = { addr: sender.addr, truncated: false };
    assertEquals([...batch], [{ data: bytes("a"), ...plain }, { data: bytes("b"), ...plain }]);
    assertEquals([...batch], [...batch]);
  });

  it("works with sockets with and without offload in turn, of either family", async () => {
    const batch = new DatagramBatch();
    for (let round = 0; round < 3; round++) {
      for (const hostname of ["127.0.0.1", "::1"]) {
        for (const receiveOffload of [false, true]) {
          using receiver = openUdp({ hostname, receiveOffload });
          using sender = openUdp({ hostname });
          const p = pattern(1000, round);
          await sender.sendSegments(p, 300, receiver.addr);
          const received = await receiveAll(receiver, 4, batch);
          assertEquals(received.map(({ data }) => data), [0, 300, 600, 900].map((at) => p.slice(at, at + 300)));
          assertEquals(received.map(({ addr }) => addr), Array(4).fill(sender.addr));
        }
      }
    }
  });

  itUnless(
    missingOptions("UDP_GRO"),
    "receives the longest datagram whole from a socket with offload, and truncates at 2,048 bytes without",
    async () => {
      const batch = new DatagramBatch();
      using sender = openUdp();
      const data = pattern(3000, 1);
      for (const receiveOffload of [false, true, false, true]) {
        using receiver = openUdp({ receiveOffload });
        await sender.send(data, receiver.addr);
        await receiver.receiveMany(batch);
        assertEquals(batch.data(0), receiveOffload ? data : data.slice(0, 2048));
        assertEquals(batch.truncated(0), !receiveOffload);
      }
    },
  );

  // An emulator's own memory is in what the system counts.
  itUnless(noOwnCalls, "costs what its buffers cost and less than 64 KiB beside", async () => {
    const program = new URL("./programs/batch_memory.ts", import.meta.url);
    await using child = startDeno(program, { flags: ["-A", "--v8-flags=--expose-gc"] });
    const { success, stdout, report } = await child.finished();
    assert(success, report);
    for (const cost of stdout.split(" ").map(Number)) assertLess(cost, 64 * 2048 + 65_536, report);
  });

  it("refuses an index outside it", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    const batch = new DatagramBatch();
    const indices = [0, 2, -1, 0.5, 1.5, NaN, Infinity, "0", null, undefined] as number[];
    for (const length of [0, 2]) {
      for (const index of indices.filter((index) => length === 0 || index !== 0)) {
        for (const call of ["data", "addr", "truncated"] as const) {
          assertThrows(
            () => batch[call](index),
            RangeError,
            `No datagram ${Deno.inspect(index)}: the batch holds ${length}`,
          );
        }
      }
      await say(sender, receiver, "a", "b");
      await receiver.receiveMany(batch);
    }
  });
});

for (const [name, most] of [["capacity", 1024], ["maxLength", 65_535]] as const) {
  const least = name === "capacity" ? 1 : 0;
  const wrong = [least - 1, most + 1, 1.5, NaN, Infinity, "8", null, true, {}];
  refuses(
    `A batch whose ${name}`,
    wrong.map((value) =>
      [value, RangeError, `Invalid ${name}: ${Deno.inspect(value)}, expected ${least} to ${most}`] as const
    ),
    (value) => new DatagramBatch({ [name]: value }),
  );
}
