import { assert, assertEquals, assertGreater, assertInstanceOf, assertLess } from "@std/assert";
import { afterEach, beforeEach, describe } from "@std/testing/bdd";
import { isSocketError, type SocketError, type UdpSocket } from "../../mod.ts";
import { pattern } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { inside } from "../support/inside.ts";
import { at } from "../support/loopback.ts";
import { missingNamespaces, NamespacePair } from "../support/namespaces.ts";
import { run } from "../support/process.ts";
import { isPending } from "../support/promises.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { numbers, pieces, receiveAll } from "./datagrams.ts";
import { openUdp } from "./support.ts";

noDescriptorLeaks();

const reason = await missingNamespaces();

const PORT = 4000;

/** An address that does not exist yet at the other end of the cable: datagrams to it wait in the send buffer until it does.
 * On loopback nothing ever waits. */
const ABSENT = "192.0.2.77";
const THERE = at(ABSENT, PORT);

/** So many that a small buffer does not take them, and a receiver's does. */
const COUNT = 120;

function numbered(): { data: Uint8Array<ArrayBuffer>; addr: Deno.NetAddr }[] {
  return Array.from({ length: COUNT }, (_, index) => ({ data: pattern(1000, 0).fill(index, 0, 1), addr: THERE }));
}

const ALL = Array.from({ length: COUNT }, (_, index) => index);

/** How a caller can lose memory that is being sent. */
const LOSSES: Record<string, (memory: ArrayBuffer) => void> = {
  "goes away": (memory) => void memory.transfer(),
  "gets shorter": (memory) => memory.resize(10),
};

type Refusal = SocketError & { sent?: number };

async function failure(promise: Promise<unknown>): Promise<Refusal> {
  const error = await promise.then(() => null, (error) => error);
  assertInstanceOf(error, Error);
  return error as Refusal;
}

let pair: NamespacePair;
let sender: UdpSocket;
let receiver: UdpSocket;

beforeEach(async () => {
  if (reason !== null) return;
  pair = await NamespacePair.create();
  inside(pair.left.name, () => {
    // Asked for as often as it takes, and soon again.
    Deno.writeTextFileSync("/proc/sys/net/ipv4/neigh/veth0/mcast_solicit", "10000");
    Deno.writeTextFileSync("/proc/sys/net/ipv4/neigh/veth0/retrans_time_ms", "20");
    sender = openUdp({ hostname: pair.left.ipv4, sendBufferSize: 4096 });
  });
  receiver = inside(pair.right.name, () => openUdp({ hostname: "0.0.0.0", port: PORT, receiveBufferSize: 1 << 20 }));
});

afterEach(async () => {
  if (reason !== null) return;
  sender[Symbol.dispose]();
  receiver[Symbol.dispose]();
  await pair[Symbol.asyncDispose]();
});

describe("With a full send buffer", TIMEOUT, () => {
  /** Somebody answers from now on. */
  async function arrive(): Promise<void> {
    const { success, report } = await run("ip", [
      "-n",
      pair.right.name,
      "address",
      "add",
      `${ABSENT}/24`,
      "dev",
      "veth0",
    ]);
    assert(success, report);
  }

  /** What arrives after `error.sent` datagrams had gone: as many, and then what was sent behind. */
  async function assertSent(error: Refusal): Promise<void> {
    assertGreater(error.sent!, 0);
    assertLess(error.sent!, COUNT);
    sender[Symbol.dispose]();
    await arrive();
    using later = inside(pair.left.name, () => openUdp({ hostname: pair.left.ipv4 }));
    assertEquals(numbers(await receiveAll(receiver, error.sent!)), ALL.slice(0, error.sent));
    await later.sendMany([{ data: Uint8Array.of(255), addr: THERE }]);
    assertEquals(numbers(await receiveAll(receiver, 1)), [255]);
  }

  itUnless(reason, "sendMany() waits and goes on, and none is lost or sent twice", async () => {
    const sending = sender.sendMany(numbered());
    assert(await isPending(sending));
    await arrive();
    assertEquals(await sending, COUNT);
    const received = await receiveAll(receiver, COUNT);
    assertEquals(numbers(received), ALL);
    assert(received.every(({ data }) => data.length === 1000 && data[999] === pattern(1000, 0)[999]));
  });

  itUnless(reason, "sendSegments() waits and goes on", async () => {
    const p = pattern(100_000, 3);
    const sending = sender.sendSegments(p, 1000, THERE);
    assert(await isPending(sending));
    await arrive();
    assertEquals(await sending, p.length);
    assertEquals((await receiveAll(receiver, 100)).map(({ data }) => data), pieces(p, 1000));
  });

  itUnless(reason, "sends of every kind are sent in call order", async () => {
    const run = (first: number, count: number) => Uint8Array.from({ length: count }, (_, index) => first + index);
    const many = (first: number) => Array.from(run(first, 10), (number) => ({ data: run(number, 1), addr: THERE }));
    const filling = sender.sendMany(numbered().slice(0, 40));
    assert(await isPending(filling));
    const sends = [
      sender.send(run(40, 1), THERE),
      sender.sendMany(many(41)),
      sender.sendSegments(run(51, 9), 1, THERE),
      sender.send(run(60, 1), THERE),
      sender.sendSegments(run(61, 9), 1, THERE),
      sender.sendMany(many(70)),
    ];
    await arrive();
    assertEquals(await Promise.all([filling, ...sends]), [40, 1, 10, 9, 1, 9, 10]);
    assertEquals(numbers(await receiveAll(receiver, 80)), ALL.slice(0, 80));
  });

  itUnless(reason, "the error of a deadline has the number sent", async () => {
    const sending = failure(sender.sendMany(numbered()));
    assert(await isPending(sending));
    sender.setWriteDeadline(new Date(0));
    const error = await sending;
    assertInstanceOf(error, Deno.errors.TimedOut);
    assertEquals([error.code, error.timeout], ["ETIMEDOUT", true]);
    await assertSent(error);
  });

  itUnless(reason, "the error of close has the number sent", async () => {
    const sending = failure(sender.sendMany(numbered()));
    assert(await isPending(sending));
    sender.close();
    const error = await sending;
    assertInstanceOf(error, Deno.errors.Interrupted);
    await assertSent(error);
  });

  itUnless(reason, "the error of a transferred buffer has the number sent before it", async () => {
    const datagrams = numbered();
    const sending = failure(sender.sendMany(datagrams));
    assert(await isPending(sending));
    datagrams[60]!.data.buffer.transfer();
    await arrive();
    const error = await sending;
    assertInstanceOf(error, TypeError);
    assertEquals(error.sent, 60);
    await sender.send(Uint8Array.of(255), THERE);
    assertEquals(numbers(await receiveAll(receiver, 61)), [...ALL.slice(0, 60), 255]);
  });

  for (const [what, lose] of Object.entries(LOSSES)) {
    itUnless(
      reason,
      `the error of a buffer of segments that ${what} meanwhile has the number of bytes sent`,
      async () => {
        const memory = new ArrayBuffer(100_000, { maxByteLength: 100_000 });
        const sending = failure(sender.sendSegments(new Uint8Array(memory), 1000, THERE));
        const behind = sender.sendMany(numbered());
        assert(await isPending(sending));
        lose(memory);
        await arrive();
        const error = await sending;
        assertInstanceOf(error, TypeError);
        assertLess(error.bytesWritten!, 100_000);
        assertEquals(await behind, COUNT);
        const received = await receiveAll(receiver, error.bytesWritten! / 1000 + COUNT);
        assertEquals(numbers(received.slice(-COUNT)), ALL);
      },
    );
  }

  itUnless(reason, "the error of a deadline has the number of bytes of segments sent", async () => {
    const p = pattern(100_000, 5);
    const sending = failure(sender.sendSegments(p, 1000, THERE));
    assert(await isPending(sending));
    sender.setWriteDeadline(new Date(0));
    const error = await sending;
    assert(isSocketError(error) && error.timeout);
    assertEquals(error.bytesWritten! % 1000, 0);
    assertLess(error.bytesWritten!, p.length);
    await arrive();
    const received = await receiveAll(receiver, error.bytesWritten! / 1000);
    assertEquals(received.map(({ data }) => data), pieces(p.slice(0, error.bytesWritten), 1000));
  });

  itUnless(reason, "an aborted sendMany() sends no more, and waiting sends behind it go on", async () => {
    const stop = new AbortController();
    const sending = sender.sendMany(numbered(), { signal: stop.signal }).catch((error) => error);
    const behind = sender.sendMany([{ data: Uint8Array.of(255), addr: THERE }]);
    assert(await isPending(sending));
    stop.abort("enough");
    assertEquals(await sending, "enough");
    await arrive();
    assertEquals(await behind, 1);
    const arrived: number[] = [];
    while (!arrived.includes(255)) arrived.push(...numbers(await receiveAll(receiver, 1)));
    assertEquals(arrived, [...ALL.slice(0, arrived.length - 1), 255]);
    assertLess(arrived.length, COUNT);
  });

  itUnless(reason, "other sockets go on", async () => {
    const sending = sender.sendMany(numbered());
    assert(await isPending(sending));
    using second = inside(pair.left.name, () => openUdp({ hostname: pair.left.ipv4 }));
    await second.sendMany([{ data: Uint8Array.of(7), addr: at(pair.right.ipv4, PORT) }]);
    assertEquals(numbers(await receiveAll(receiver, 1)), [7]);
    assert(await isPending(sending));
    await arrive();
    assertEquals(await sending, COUNT);
  });
});
