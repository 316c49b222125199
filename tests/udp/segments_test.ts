import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { DatagramBatch } from "../../mod.ts";
import { bytes, pattern, text } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { at, LOOPBACK } from "../support/loopback.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { numbers, pieces, receiveAll, VECTORED } from "./datagrams.ts";
import { refuses } from "./refusing.ts";
import { openUdp, receiveText } from "./support.ts";

noDescriptorLeaks();

const noCoalescing = VECTORED ? null : "datagrams are sent one by one here";

/** Lengths and segment sizes: runs of one, of equal pieces, with a shorter last piece; more than 64 pieces, more than 65,507 bytes. */
const RUNS: readonly (readonly [length: number, size: number])[] = [
  [1, 1],
  [63, 1],
  [64, 1],
  [65, 1],
  [200, 1],
  [100, 100],
  [100, 101],
  [100, 65_507],
  [101, 100],
  [200, 100],
  [1000, 300],
  [6400, 100],
  [6401, 100],
  [6500, 100],
  [65_507, 1200],
  [65_507, 32_753],
  [65_507, 32_754],
  [65_507, 65_506],
  [65_507, 65_507],
  [65_508, 1000],
  [65_508, 65_507],
  [100_000, 1472],
  [100_000, 40_000],
  [131_014, 65_507],
];

describe("sendSegments()", TIMEOUT, () => {
  for (const hostname of [LOOPBACK, "::1"]) {
    for (const receiveOffload of [false, true]) {
      const how = receiveOffload ? "with offload" : "without offload";
      it(`sends every piece, in order and whole, to a receiver ${how} at ${hostname}`, async () => {
        using receiver = openUdp({ hostname, receiveOffload, receiveBufferSize: 1 << 22 });
        using sender = openUdp({ hostname });
        const batch = new DatagramBatch({ maxLength: 65_507, capacity: 16 });
        for (const [index, [length, size]] of RUNS.entries()) {
          const p = pattern(length, index);
          assertEquals(await sender.sendSegments(p, size, receiver.addr), length);
          const received = await receiveAll(receiver, Math.ceil(length / size), batch);
          assertEquals(received.map(({ data }) => data), pieces(p, size), `${length} by ${size}`);
          assert(received.every(({ truncated }) => !truncated));
          assertEquals(received.map(({ addr }) => addr.port), received.map(() => sender.addr.port));
        }
      });
    }
  }

  it("sends to the connected peer without an address, and nothing for no bytes", async () => {
    using receiver = openUdp({ receiveOffload: true });
    using sender = openUdp();
    sender.connect(receiver.addr);
    assertEquals(await sender.sendSegments(new Uint8Array(0), 10), 0);
    assertEquals(await sender.sendSegments(bytes("abcdefgh"), 3), 8);
    const received = await receiveAll(receiver, 3);
    assertEquals(received.map(({ data }) => text(data)), ["abc", "def", "gh"]);
  });

  it("sends only the bytes of a view, to a host name too", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    const { port } = receiver.addr;
    await sender.sendSegments(bytes("0123456789").subarray(2, 7), 2, at("localhost", port));
    const received = await receiveAll(receiver, 3);
    assertEquals(received.map(({ data }) => text(data)), ["23", "45", "6"]);
  });

  it("keeps its place among other sends", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    const { addr } = receiver;
    const sends = [
      sender.send(bytes("0"), addr),
      sender.sendSegments(bytes("123"), 1, addr),
      sender.sendMany([{ data: bytes("4"), addr }, { data: bytes("5"), addr }]),
      sender.sendSegments(bytes("67"), 1, addr),
      sender.send(bytes("8"), addr),
    ];
    assertEquals(await Promise.all(sends), [1, 3, 2, 2, 1]);
    const received = await receiveAll(receiver, 9);
    assertEquals(received.map(({ data }) => text(data)), [..."012345678"]);
  });
});

describe("A socket with receiveOffload", TIMEOUT, () => {
  itUnless(noCoalescing, "receives as many in one message as one packet holds, 64 at the most", async () => {
    using receiver = openUdp({ receiveOffload: true, receiveBufferSize: 1 << 22 });
    using sender = openUdp();
    const one = new DatagramBatch({ maxLength: 65_507, capacity: 1 });
    for (const [length, size, first] of [[130, 1, 64], [6500, 100, 64], [150_000, 2000, 32], [99, 33, 3]] as const) {
      await sender.sendSegments(pattern(length, size), size, receiver.addr);
      assertEquals(await receiver.receiveMany(one), first, `${length} by ${size}`);
      await receiveAll(receiver, Math.ceil(length / size) - first);
    }
  });

  itUnless(noCoalescing, "receives a coalesced message", async () => {
    using receiver = openUdp({ receiveOffload: true });
    using sender = openUdp();
    const batch = new DatagramBatch({ capacity: 1 });
    for (const [length, size] of [[6400, 100], [6399, 100], [101, 100]] as const) {
      await sender.sendSegments(new Uint8Array(length), size, receiver.addr);
      assertEquals(await receiver.receiveMany(batch), Math.ceil(length / size));
      assertEquals(batch.data(batch.length - 1).length, (length - 1) % size + 1);
    }
  });

  it("splits coalesced messages of any sizes and from several senders, beside single and empty datagrams", async () => {
    using receiver = openUdp({ receiveOffload: true, receiveBufferSize: 1 << 22 });
    using one = openUdp();
    using other = openUdp();
    const expected: (Uint8Array<ArrayBuffer> | number)[][] = [];
    for (const [index, [length, size]] of RUNS.slice(0, 14).entries()) {
      const [sender, second] = index % 2 === 0 ? [one, other] : [other, one];
      const [p, single] = [pattern(length, index), pattern(index * 40, index)];
      await sender.sendSegments(p, size, receiver.addr);
      await second.send(single, receiver.addr);
      expected.push(...pieces(p, size).map((piece) => [piece, sender.addr.port]));
      expected.push([single, second.addr.port]);
    }
    const received = await receiveAll(receiver, expected.length, new DatagramBatch({ capacity: 7 }));
    assertEquals(received.map(({ data, addr }) => [data, addr.port]), expected);
  });

  it("truncates each datagram by itself, and reports it for each", async () => {
    using receiver = openUdp({ receiveOffload: true });
    using sender = openUdp();
    for (const maxLength of [0, 49, 50, 99, 100, 101]) {
      const batch = new DatagramBatch({ maxLength });
      const p = pattern(350, maxLength);
      await sender.sendSegments(p, 100, receiver.addr);
      const received = await receiveAll(receiver, 4, batch);
      assertEquals(received.map(({ data }) => data), pieces(p, 100).map((piece) => piece.slice(0, maxLength)));
      assertEquals(received.map(({ truncated }) => truncated), [100, 100, 100, 50].map((length) => length > maxLength));
      await sender.sendSegments(p, 100, receiver.addr);
      for (const piece of pieces(p, 100)) {
        const message = await receiver.receiveMessage({ maxLength });
        assertEquals([message.data, message.truncated], [piece.slice(0, maxLength), piece.length > maxLength]);
      }
      await sender.sendSegments(p, 100, receiver.addr);
      for (const piece of pieces(p, 100)) {
        const buffer = new Uint8Array(maxLength);
        const [data] = await receiver.receive(buffer);
        assertEquals([data, data.buffer], [piece.slice(0, maxLength), buffer.buffer]);
      }
    }
  });

  it("returns them in order by every kind of receive", async () => {
    using receiver = openUdp({ receiveOffload: true });
    using sender = openUdp();
    const batch = new DatagramBatch({ capacity: 3 });
    const buffer = new Uint8Array(8);
    for (let round = 0; round < 12; round++) {
      const run = Uint8Array.from({ length: 20 }, (_, index) => index);
      await sender.sendSegments(run, 1, receiver.addr);
      await sender.sendSegments(run.map((number) => number + 20), 1, receiver.addr);
      const arrived: number[] = [];
      for (let turn = round; arrived.length < 40; turn++) {
        if (turn % 4 === 0) arrived.push((await receiver.receive())[0][0]!);
        else if (turn % 4 === 1) arrived.push((await receiver.receiveMessage()).data[0]!);
        else if (turn % 4 === 2) arrived.push((await receiver.receive(buffer))[0][0]!);
        else if (await receiver.receiveMany(batch) > 0) arrived.push(...numbers(batch));
      }
      assertEquals(arrived, Array.from({ length: 40 }, (_, index) => index));
    }
  });

  it("returns them to waiting receives in order", async () => {
    using receiver = openUdp({ receiveOffload: true });
    using sender = openUdp();
    const batch = new DatagramBatch();
    const first = receiver.receive();
    const second = receiver.receiveMessage();
    const third = receiver.receiveMany(batch);
    const fourth = receiver.receive();
    await sender.sendSegments(bytes("abcde"), 1, receiver.addr);
    assertEquals([text((await first)[0]), text((await second).data)], ["a", "b"]);
    const rest = await third;
    assertEquals(numbers(batch), [...bytes("cde").subarray(0, rest)]);
    await sender.sendSegments(bytes("fg"), 1, receiver.addr);
    assertEquals(text((await fourth)[0]), "cdef"[rest]);
  });

  it("splits a batch's messages also after it took the rest of another receive", async () => {
    using receiver = openUdp({ receiveOffload: true });
    using sender = openUdp();
    const batch = new DatagramBatch();
    for (let index = 0; index < 4; index++) await sender.send(bytes("single"), receiver.addr);
    await receiveAll(receiver, 4, batch);
    await sender.sendSegments(bytes("abc"), 1, receiver.addr);
    assertEquals(await receiveText(receiver), "a");
    assertEquals((await receiveAll(receiver, 2, batch)).map(({ data }) => text(data)), ["b", "c"]);
    for (let index = 0; index < 4; index++) await sender.sendSegments(bytes("xxyyz"), 2, receiver.addr);
    const received = await receiveAll(receiver, 12, batch);
    assertEquals(received.map(({ data }) => text(data)), Array(4).fill(["xx", "yy", "z"]).flat());
  });

  it("loses nothing by signals, deadlines and transferred buffers", async () => {
    using receiver = openUdp({ receiveOffload: true });
    using sender = openUdp();
    const buffer = new Uint8Array(8);
    const waiting = receiver.receive(buffer).catch((error) => error);
    buffer.buffer.transfer();
    await sender.sendSegments(bytes("abcd"), 1, receiver.addr);
    assert(await waiting instanceof TypeError);
    assertEquals(await receiveText(receiver), "a");
    assertStrictEquals(
      await receiver.receive(undefined, { signal: AbortSignal.abort("enough") }).catch((e) => e),
      "enough",
    );
    receiver.setReadDeadline(new Date(0));
    assert(await receiver.receive().catch((error) => error) instanceof Deno.errors.TimedOut);
    receiver.setReadDeadline(null);
    const second = new Uint8Array(8);
    second.buffer.transfer();
    assert(await receiver.receive(second).catch((error) => error) instanceof TypeError);
    assertEquals([await receiveText(receiver), await receiveText(receiver), await receiveText(receiver)], [
      "b",
      "c",
      "d",
    ]);
  });

  it("is readable while it has some left", async () => {
    using receiver = openUdp({ receiveOffload: true });
    using sender = openUdp();
    await sender.sendSegments(bytes("abc"), 1, receiver.addr);
    assertEquals(await receiveText(receiver), "a");
    const readable = receiver.socket.readable();
    const [second, third] = [receiveText(receiver), receiveText(receiver)];
    await readable;
    assertEquals([await second, await third], ["b", "c"]);
  });

  it("returns the details of the message for each", async () => {
    using receiver = openUdp({ receiveOffload: true, packetInfo: true, timestamps: true });
    using sender = openUdp();
    sender.setTTL(9);
    await sender.sendSegments(bytes("abcdef"), 1, receiver.addr);
    const first = await receiver.receiveMessage();
    const second = await receiver.receiveMessage();
    const batch = new DatagramBatch();
    await receiver.receiveMany(batch);
    const rest = [...batch];
    assert(rest.length > 0);
    for (const { destination, interfaceIndex, ttl, trafficClass, timestamp, truncated } of [first, second, ...rest]) {
      assertEquals([destination, interfaceIndex, ttl, trafficClass, truncated], [LOOPBACK, 1, 9, 0, false]);
      if (noCoalescing === null) assertEquals(timestamp, first.timestamp);
    }
  });
});

refuses(
  "A segment size",
  [0, -1, 65_508, 1.5, NaN, Infinity, "8", null, undefined, {}].map((size) =>
    [size, RangeError, `Invalid segmentSize: ${Deno.inspect(size)}, expected 1 to 65507`] as const
  ),
  async (size) => {
    using socket = openUdp();
    await socket.sendSegments(bytes("abc"), size, socket.addr);
  },
);
