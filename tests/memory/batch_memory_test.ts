import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { DatagramBatch, listenDatagram, type UdpSocket } from "../../mod.ts";
import { pattern } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { LOOPBACK } from "../support/loopback.ts";
import { isPending } from "../support/promises.ts";
import { TIMEOUT } from "../support/timeout.ts";

noDescriptorLeaks();

/** Ways to take a buffer from whoever has it: each returns the memory under its new owner. */
const TRANSFERS: Readonly<Record<string, (buffer: ArrayBuffer) => ArrayBuffer | Promise<ArrayBuffer>>> = {
  "transfer()": (buffer) => buffer.transfer(),
  "transfer() to another length": (buffer) => buffer.transfer(buffer.byteLength + 4096),
  "transferToFixedLength()": (buffer) => buffer.transferToFixedLength(),
  "structuredClone()": (buffer) => structuredClone(buffer, { transfer: [buffer] }),
  "transfer() by a buffer that denies it": (buffer) => {
    const memory = buffer.transfer();
    Object.defineProperty(buffer, "detached", { value: false });
    return memory;
  },
  "a message to another thread": async (buffer) => {
    const { port1, port2 } = new MessageChannel();
    const arrived = new Promise<ArrayBuffer>((resolve) => port2.onmessage = ({ data }) => resolve(data));
    port1.postMessage(buffer, [buffer]);
    const memory = await arrived;
    port1.close();
    port2.close();
    return memory;
  },
};

interface Bench extends Disposable {
  readonly to: UdpSocket;
  /** Sends one buffer as two datagrams, which are coalesced where the system does that. */
  sendTwo(seed: number): Promise<unknown>;
}

function open(receiveOffload: boolean): Bench {
  const to = listenDatagram({ transport: "udp", hostname: LOOPBACK, receiveOffload });
  const from = listenDatagram({ transport: "udp", hostname: LOOPBACK });
  return {
    to,
    sendTwo: (seed) => from.sendSegments(pattern(200, seed), 100, to.addr),
    [Symbol.dispose]: () => [to, from].forEach((socket) => socket.close()),
  };
}

async function receiveTwo(to: UdpSocket, batch: DatagramBatch): Promise<Uint8Array[]> {
  const datagrams: Uint8Array[] = [];
  while (datagrams.length < 2) {
    await to.receiveMany(batch);
    for (const { data } of batch) datagrams.push(data);
  }
  return datagrams;
}

describe("A batch whose memory was transferred away", TIMEOUT, () => {
  for (const receiveOffload of [false, true]) {
    for (const [way, take] of Object.entries(TRANSFERS)) {
      it(`receives into other memory: ${way}, ${receiveOffload ? "with" : "without"} receiveOffload`, async () => {
        using bench = open(receiveOffload);
        const batch = new DatagramBatch();
        await bench.sendTwo(1);
        const [first] = await receiveTwo(bench.to, batch);
        assertEquals(first, pattern(200, 1).slice(0, 100));
        const taken = new Uint8Array(await take(first!.buffer as ArrayBuffer)).fill(0xaa);

        assertThrows(() => batch.data(0), TypeError, "transferred away");
        assertThrows(() => [...batch], TypeError, "transferred away");
        assertEquals(batch.addr(0).hostname, LOOPBACK);
        await bench.sendTwo(2);
        const datagrams = await receiveTwo(bench.to, batch);
        assertEquals(datagrams, [pattern(200, 2).slice(0, 100), pattern(200, 2).slice(100)]);
        assert(taken.every((byte) => byte === 0xaa), "the memory belongs to another and was written");
      });
    }
  }

  it("receives into other memory when it went while a receive waited", async () => {
    using bench = open(false);
    const batch = new DatagramBatch();
    await bench.sendTwo(1);
    const [first] = await receiveTwo(bench.to, batch);
    const waiting = bench.to.receiveMany(batch);
    assert(await isPending(waiting));
    const taken = new Uint8Array((first!.buffer as ArrayBuffer).transfer()).fill(0xaa);
    await bench.sendTwo(2);
    await waiting;
    assertEquals(batch.data(0), pattern(200, 2).slice(0, 100));
    assert(taken.every((byte) => byte === 0xaa));
  });

  it("receives the rest of another receive", async () => {
    using bench = open(true);
    const batch = new DatagramBatch();
    await bench.sendTwo(1);
    await receiveTwo(bench.to, batch);
    await bench.sendTwo(2);
    assertEquals((await bench.to.receive())[0], pattern(200, 2).slice(0, 100));
    const taken = new Uint8Array(batch.data(0).buffer.transfer()).fill(0xaa);
    await bench.to.receiveMany(batch);
    assertEquals(batch.data(0), pattern(200, 2).slice(100));
    assert(taken.every((byte) => byte === 0xaa));
  });
});

describe("A view that a batch gave out", TIMEOUT, () => {
  it("can be modified and redefined, and the next receive is right", async () => {
    using bench = open(false);
    const batch = new DatagramBatch();
    for (let round = 0; round < 3; round++) {
      await bench.sendTwo(round);
      const datagrams = await receiveTwo(bench.to, batch);
      assertEquals(datagrams.map((data) => data.length), [100, 100]);
      new Uint8Array(datagrams[0]!.buffer).fill(0xff);
      for (const data of datagrams) {
        Object.defineProperties(data, { length: { value: 9000 }, byteOffset: { value: 0 }, buffer: { value: null } });
        Object.setPrototypeOf(data, null);
      }
    }
    await bench.sendTwo(9);
    assertEquals(await receiveTwo(bench.to, batch), [pattern(200, 9).slice(0, 100), pattern(200, 9).slice(100)]);
  });
});

describe("What a receive gives without a buffer", TIMEOUT, () => {
  it("is memory of its own, which may be transferred", async () => {
    for (const receiveOffload of [false, true]) {
      using bench = open(receiveOffload);
      await bench.sendTwo(1);
      const [first] = await bench.to.receive();
      const { data: second } = await bench.to.receiveMessage();
      for (const data of [first, second]) {
        assertEquals(data.buffer.byteLength, 100);
        new Uint8Array(data.buffer.transfer()).fill(0xaa);
      }
      await bench.sendTwo(2);
      assertEquals((await bench.to.receive())[0], pattern(200, 2).slice(0, 100));
      assertEquals((await bench.to.receiveMessage()).data, pattern(200, 2).slice(100));
    }
  });
});
