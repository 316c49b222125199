/**
 * Prints what a batch of 64 × 2048 bytes takes, in bytes, as two numbers: by V8's own books, and by the system's. Run with
 * `--v8-flags=--expose-gc`.
 *
 * @module
 */
import { DatagramBatch, listenDatagram } from "../../../mod.ts";

const { gc } = globalThis as typeof globalThis & { gc: () => void };

/** So many that what is not theirs does not count. */
const BATCHES = 200;

function measure(): { books: number; resident: number } {
  for (let round = 0; round < 3; round++) gc();
  const { heapUsed, external, rss } = Deno.memoryUsage();
  return { books: heapUsed + external, resident: rss };
}

using receiver = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
using sender = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });

/** A batch that has received, and whose bytes were read. */
async function used(): Promise<DatagramBatch> {
  const batch = new DatagramBatch({ capacity: 64, maxLength: 2048 });
  await sender.send(new Uint8Array(2048).fill(1), receiver.addr);
  await receiver.receiveMany(batch);
  for (const { data } of batch) if (data[2047] !== 1) throw new Error("Not what was sent");
  return batch;
}

// Once for what is made once.
for (let index = 0; index < 20; index++) await used();
const before = measure();
const batches: DatagramBatch[] = [];
for (let index = 0; index < BATCHES; index++) batches.push(await used());
const after = measure();
if (batches.length !== BATCHES) throw new Error("Collected too early");
console.log((after.books - before.books) / BATCHES, (after.resident - before.resident) / BATCHES);
