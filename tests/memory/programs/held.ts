/**
 * What the module keeps of the memory that operations were given. Each operation is given a buffer of its own length; once it is over,
 * whatever became of it, nothing may hold that buffer. Run with `--v8-flags=--expose-gc`; prints a JSON object: how many buffers there were,
 * and the operations whose buffer is held still.
 *
 * @module
 */
import { DatagramBatch, listenDatagram, socketPair } from "../../../mod.ts";
import { RECEIVERS, SENDERS } from "../operations.ts";

const { gc } = globalThis as typeof globalThis & { gc: () => void };

/** More than the module keeps, so that holding it is holding too much. */
const LARGE = 4 * 1024 * 1024;

let buffers: [operation: string, buffer: WeakRef<ArrayBuffer>][] = [];
let operations = 0;
const held: string[] = [];

function make(operation: string, length: number = LARGE): Uint8Array<ArrayBuffer> {
  const p = new Uint8Array(length);
  buffers.push([operation, new WeakRef(p.buffer)]);
  return p;
}

/** Collects before another operation makes the module forget the last, and notes which buffers are still held. */
async function check(): Promise<void> {
  for (let round = 0; round < 3; round++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve));
  }
  operations += buffers.length;
  held.push(...buffers.filter(([, buffer]) => buffer.deref() !== undefined).map(([operation]) => operation));
  buffers = [];
}

async function sendAll(): Promise<void> {
  for (const [operation, open] of Object.entries(SENDERS)) {
    using sender = await open();
    await sender.give(make(operation).subarray(0, 1000));
    await sender.arrived();
    await check();
  }
}

async function receiveAll(): Promise<void> {
  for (const [operation, open] of Object.entries(RECEIVERS)) {
    using receiver = await open();
    await receiver.put(new Uint8Array(100));
    await receiver.take(make(operation));
    await check();
  }
}

/** Operations that wait, or are too long, until their socket is closed. */
async function cutOff(): Promise<void> {
  for (const [operation, open] of Object.entries(SENDERS)) {
    await until(open, ({ give }) => give(make(`${operation}, cut off`)));
  }
  for (const [operation, open] of Object.entries(RECEIVERS)) {
    if (operation.includes("coalesced")) continue;
    await until(open, ({ take }) => take(make(`${operation}, cut off`)));
  }
}

async function until<S extends Disposable>(open: () => S | Promise<S>, run: (socket: S) => Promise<unknown>) {
  await openAndCut(open, run);
  await check();
}

async function openAndCut<S extends Disposable>(open: () => S | Promise<S>, run: (socket: S) => Promise<unknown>) {
  using socket = await open();
  const running = Promise.try(run, socket).catch(() => {});
  setTimeout(() => socket[Symbol.dispose]());
  await running;
}

/** An operation that was aborted, on a socket that lives on. */
async function abortAll(): Promise<Disposable[]> {
  const udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
  const [one, two] = socketPair("stream");
  const each = [
    udp.receive(make("UdpSocket.receive, aborted"), { signal: AbortSignal.timeout(1) }),
    one.read(make("UnixConn.read, aborted"), { signal: AbortSignal.timeout(1) }),
    two.write(make("UnixConn.write, aborted"), { signal: AbortSignal.timeout(1) }),
  ];
  await Promise.allSettled(each);
  return [udp, one, two];
}

/** A batch that is no longer used. */
async function batches(): Promise<void> {
  using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
  const batch = new DatagramBatch({ capacity: 64, maxLength: 65_535 });
  await udp.send(new Uint8Array(3), udp.addr);
  await udp.receiveMany(batch);
  buffers.push(["DatagramBatch", new WeakRef(batch.data(0).buffer)]);
}

/** Messages of which only a few bytes came. */
async function messages(): Promise<unknown[]> {
  const [one, two] = socketPair("stream");
  await one.write(new Uint8Array(3));
  const message = await two.receiveMessage({ maxLength: 64 * 1024 * 1024 });
  one.close();
  two.close();
  if (message!.data.buffer.byteLength > 3) throw new Error(`${message!.data.buffer.byteLength} bytes for 3`);
  return [message];
}

await sendAll();
await receiveAll();
await cutOff();
const alive = await abortAll();
await check();
await batches();
await check();
const kept = await messages();
console.log(JSON.stringify({ operations, held }));
for (const each of alive) each[Symbol.dispose]();
if (kept.length === 0) Deno.exit(1);
