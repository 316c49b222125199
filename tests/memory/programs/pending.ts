/**
 * Hundreds of operations that wait, each with memory that nothing else holds, while the collector runs and buffers are transferred, resized and
 * shared: `pending.ts`. Run with `--v8-flags=--expose-gc`; prints "end" when every operation got what was sent, or was refused.
 *
 * @module
 */
import { listenDatagram, socketPair } from "../../../mod.ts";
import { pattern } from "../../support/bytes.ts";
import { generator } from "../../support/random.ts";
import { type Receiver, RECEIVERS } from "../operations.ts";

const { gc } = globalThis as typeof globalThis & { gc: () => void };

/** Operations that wait at once. */
const COUNT = 300;
const LENGTH = 48;

const next = generator(7);

/** Collects, and fills what was freed with something else. */
function collect(): void {
  gc();
  for (const length of [8, 48, 64, 4096]) {
    Array.from({ length: 64 }, (_, index) => new Uint8Array(length).fill(index));
  }
  gc();
}

function check(actual: Uint8Array, seed: number, what: string): void {
  const wanted = pattern(LENGTH, seed);
  if (actual.length === LENGTH && actual.every((byte, index) => byte === wanted[index])) return;
  throw new Error(`${what}: ${actual.length} bytes that were not sent`);
}

/** What becomes of a buffer while its operation waits. */
const FATES: readonly ((buffer: ArrayBuffer) => boolean)[] = [
  () => true,
  (buffer) => (buffer.resize(buffer.maxByteLength), true),
  (buffer) => (buffer.resize(LENGTH), true),
  (buffer) => (buffer.resize(LENGTH - 1), false),
  (buffer) => (buffer.transfer(), false),
  (buffer) => (structuredClone(buffer, { transfer: [buffer] }), false),
];

interface Waiting {
  /** Whether its buffer is still the operation's. */
  readonly lives: boolean;
  /** The array as it is when the operation is over. */
  readonly memory: () => Uint8Array;
  readonly taking: Promise<number | null>;
}

/** The array is kept by nothing but the operation, and by what reads it afterwards. */
function wait(receiver: Receiver): Waiting {
  const buffer = new ArrayBuffer(LENGTH + 16, { maxByteLength: 4096 });
  const taking = receiver.take(new Uint8Array(buffer, 0, LENGTH));
  taking.catch(() => {});
  return { lives: FATES[next(FATES.length)]!(buffer), memory: () => new Uint8Array(buffer, 0, LENGTH), taking };
}

async function receiveAll(operation: string, receiver: Receiver): Promise<void> {
  const all = Array.from({ length: COUNT }, () => wait(receiver));
  collect();
  const living = all.filter(({ lives }) => lives);
  for (let seed = 0; seed < living.length; seed++) {
    if (seed % 64 === 0) collect();
    await receiver.put(pattern(LENGTH, seed));
    if (await living[seed]!.taking !== LENGTH) throw new Error(`${operation}: short`);
    check(living[seed]!.memory(), seed, operation);
  }
  const refused = await Promise.allSettled(all.filter(({ lives }) => !lives).map(({ taking }) => taking));
  for (const result of refused) {
    // One byte less is room for less.
    const fine = result.status === "fulfilled" ? result.value === LENGTH - 1 : result.reason instanceof TypeError;
    if (!fine) throw new Error(`${operation}: ${Deno.inspect(result)}`);
  }
}

/** Writes that wait for a peer that does not read, each of memory that only the call holds. */
async function writeAll(): Promise<void> {
  const [one, two] = socketPair("stream");
  const large = 64 * 1024;
  const writes = Array.from({ length: COUNT }, (_, seed) => one.write(pattern(large, seed)));
  collect();
  const p = new Uint8Array(large);
  for (let seed = 0; seed < COUNT; seed++) {
    if (seed % 64 === 0) collect();
    for (let length = 0; length < large;) length += await two.read(p.subarray(length)) ?? large;
    const wanted = pattern(large, seed);
    if (!p.every((byte, index) => byte === wanted[index])) throw new Error(`UnixConn.write: not what was written`);
  }
  await Promise.all(writes);
  one.close();
  two.close();
}

/** Messages and datagrams that wait for room. */
async function sendAll(): Promise<void> {
  const [one, two] = socketPair("seqpacket");
  const sends = Array.from({ length: COUNT }, (_, seed) => one.send(pattern(4096, seed)));
  collect();
  for (let seed = 0; seed < COUNT; seed++) {
    const data = await two.receive();
    const wanted = pattern(4096, seed);
    if (!data!.every((byte, index) => byte === wanted[index])) throw new Error("SeqpacketConn.send: not what was sent");
  }
  await Promise.all(sends);
  one.close();
  two.close();

  using sink = listenDatagram({ transport: "unixgram", path: "" });
  using source = listenDatagram({ transport: "unixgram" });
  const datagrams = Array.from({ length: COUNT }, (_, seed) => source.send(pattern(LENGTH, seed), sink.addr));
  collect();
  for (let seed = 0; seed < COUNT; seed++) check((await sink.receive())[0], seed, "UnixDatagram.send");
  await Promise.all(datagrams);
}

for (const [operation, open] of Object.entries(RECEIVERS)) {
  // What is coalesced never waits, and a peek leaves to all that wait the same bytes.
  if (/coalesced|peek/.test(operation)) continue;
  using receiver = await open();
  await receiveAll(operation, receiver);
}
await writeAll();
await sendAll();
console.log("end");
