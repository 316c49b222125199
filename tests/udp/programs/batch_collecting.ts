/**
 * Batches, sendMany and sendSegments with a forced collection wherever memory could go too early: `batch_collecting.ts [<left> <right>
 * <address>]`. Run with `--v8-flags=--expose-gc`; it prints "end" when all that was received was what was sent.
 *
 * With the names of two namespaces it sends from the left one to an unused address, prints "waiting" when its sends wait, and
 * expects that the right one is then given that address.
 *
 * @module
 */
import { DatagramBatch, listenDatagram, type UdpListenOptions, type UdpSocket } from "../../../mod.ts";
import { expectPattern, pattern } from "../../support/bytes.ts";
import { inside } from "../../support/inside.ts";

const { gc } = globalThis as typeof globalThis & { gc: () => void };

/** Around what is copied, around packets and segments, and the longest. */
const LENGTHS = [0, 1, 64, 1472, 2047, 2048, 2049, 9000, 65_507];

/** Collects, and fills the memory that was freed with something else. */
function collect(): void {
  gc();
  for (const length of [64, 2048, 4096, 25_000, 66_000]) {
    Array.from({ length: 16 }, (_, index) => new Uint8Array(length).fill(index + 100));
  }
  gc();
}

function open(options: Partial<UdpListenOptions> = {}): UdpSocket {
  return listenDatagram({ transport: "udp", hostname: "127.0.0.1", ...options });
}

/** Every datagram is held by the call alone. */
async function many(): Promise<void> {
  using receiver = open({ receiveBufferSize: 1 << 22 });
  using sender = open();
  const batch = new DatagramBatch({ maxLength: 65_507, capacity: 16 });
  for (let round = 0; round < 3; round++) {
    const sent = sender.sendMany(LENGTHS.map((length, seed) => ({ data: pattern(length, seed), addr: receiver.addr })));
    collect();
    await sent;
    collect();
    for (let seed = 0; seed < LENGTHS.length;) {
      await receiver.receiveMany(batch);
      collect();
      for (const { data, addr } of batch) {
        expectPattern(data, LENGTHS[seed]!, seed++);
        if (addr.port !== sender.addr.port) throw new Error(`From ${addr.port}`);
      }
    }
  }
}

/** A batch for each receive, of which nothing is kept but a view. */
async function views(): Promise<void> {
  using receiver = open({ packetInfo: true });
  using sender = open();
  const kept: Uint8Array[] = [];
  for (let seed = 0; seed < 16; seed++) {
    const waiting = (() => {
      const batch = new DatagramBatch();
      return receiver.receiveMany(batch).then(() => batch.data(0));
    })();
    collect();
    await sender.send(pattern(2000, seed), receiver.addr);
    collect();
    kept.push(await waiting);
  }
  collect();
  for (const [seed, view] of kept.entries()) expectPattern(view, 2000, seed);
}

/** One batch whose memory grows when it meets a socket with offload; what was seen of the smaller one stays. */
async function growth(): Promise<void> {
  for (let seed = 0; seed < 4; seed++) {
    const batch = new DatagramBatch();
    using plain = open();
    using offload = open({ receiveOffload: true });
    using sender = open();
    await sender.send(pattern(500, seed), plain.addr);
    await plain.receiveMany(batch);
    const view = batch.data(0);
    await sender.sendSegments(pattern(10_000, seed), 1000, offload.addr);
    collect();
    await offload.receiveMany(batch);
    collect();
    expectPattern(view, 500, seed);
    expectPattern(batch.data(0), 1000, seed);
  }
}

/** What a receive of one leaves behind, with collections before each next. */
async function leftovers(): Promise<void> {
  using receiver = open({ receiveOffload: true });
  using sender = open();
  for (const size of [1, 100, 1200, 30_000]) {
    const count = Math.min(16, Math.floor(65_507 / size));
    const sent = sender.sendSegments(pattern(size * count, size), size, receiver.addr);
    collect();
    await sent;
    const parts: Uint8Array[] = [];
    const batch = new DatagramBatch();
    while (parts.length < count) {
      if (parts.length < 6) {
        parts.push(parts.length % 2 === 0 ? (await receiver.receive())[0] : (await receiver.receiveMessage()).data);
      } else if (await receiver.receiveMany(batch) > 0) parts.push(...Array.from(batch, ({ data }) => data.slice()));
      collect();
    }
    expectPattern(new Uint8Array(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer()), size * count, size);
  }
}

/** Sends that wait hold what they are to send. */
async function waiting(left: string, right: string, hostname: string): Promise<void> {
  using receiver = inside(right, () => open({ hostname: "0.0.0.0", receiveBufferSize: 1 << 22 }));
  using sender = inside(left, () => open({ hostname: "0.0.0.0", sendBufferSize: 4096 }));
  const addr: Deno.NetAddr = { transport: "udp", hostname, port: receiver.addr.port };
  const lengths = Array.from({ length: 60 }, (_, index) => index % 2 === 0 ? 1000 : 2500);
  const sends = [
    sender.sendMany(lengths.map((length, seed) => ({ data: pattern(length, seed), addr: { ...addr } }))),
    sender.sendSegments(pattern(30_000, 7), 1000, { ...addr }),
    sender.send(pattern(3000, 8), { ...addr }),
  ];
  for (let turn = 0; turn < 50; turn++) {
    if (turn % 10 === 0) collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  console.log("waiting");
  const all = Promise.all(sends);
  const batch = new DatagramBatch({ maxLength: 4096 });
  for (let seed = 0; seed < lengths.length + 31;) {
    await receiver.receiveMany(batch);
    collect();
    for (const { data } of batch) {
      if (seed < lengths.length) expectPattern(data, lengths[seed]!, seed);
      else if (seed < lengths.length + 30) expectPart(data, (seed - lengths.length) * 1000);
      else expectPattern(data, 3000, 8);
      seed++;
    }
  }
  await all;
}

function expectPart(data: Uint8Array, at: number): void {
  const wanted = pattern(30_000, 7).subarray(at, at + 1000);
  if (data.length !== 1000 || !data.every((byte, index) => byte === wanted[index])) {
    throw new Error(`Not the piece at ${at}`);
  }
}

if (Deno.args.length > 0) {
  await waiting(...Deno.args as [string, string, string]);
} else {
  for (const step of [many, views, growth, leftovers]) {
    await step();
    collect();
  }
}
console.log("end");
