/**
 * Tests that send datagrams along every path: each way to send, each way to receive, with and without offload, over both
 * families. How many there are of them is the caller's to say.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Buffer } from "node:buffer";
import type { UdpSocket } from "../../mod.ts";
import { bytes } from "../support/bytes.ts";
import { LOOPBACK } from "../support/loopback.ts";
import { openUdp, receiveUntilMarker } from "./support.ts";
import { check, type Receive, RECEIVES, type Send, SENDS, SIZE, type Take, WINDOW, write } from "./traffic.ts";

const HOSTNAMES = [LOOPBACK, "::1"];
const OFFLOADS = ["without offload", "with offload"];

const TIMEOUT = { timeout: 300_000 } as const;

/** The longest datagram over IPv4. */
const LONGEST = 65_507;

/** Sockets of one family: two that send by turns, and receivers with offload and without. */
class Sockets implements Disposable {
  readonly senders: readonly UdpSocket[];
  readonly receivers: readonly UdpSocket[];

  constructor(hostname: string) {
    this.senders = [openUdp({ hostname }), openUdp({ hostname })];
    this.receivers = [openUdp({ hostname }), openUdp({ hostname, receiveOffload: true })];
  }

  [Symbol.dispose](): void {
    for (const socket of [...this.senders, ...this.receivers]) socket.close();
  }
}

/** How one datagram gets from a sender to `receivers[receiver]`. */
interface Path {
  send: Send;
  receive: Receive;
  receiver: number;
}

/** Sends windows of numbered datagrams along one path; the receive begins before the send or after it, by turns. Returns how many arrived. */
async function pass(sockets: Sockets, { send, receive, receiver }: Path, windows: number): Promise<number> {
  const memory = new Uint8Array(WINDOW * SIZE);
  const target = sockets.receivers[receiver]!;
  let arrived = 0;
  for (let round = 0; round < windows; round++) {
    const sender = sockets.senders[round % 2]!;
    const { hostname, port } = sender.addr;
    const take: Take = (data, from) => {
      check(data, arrived++);
      if (from.port !== port || from.hostname !== hostname) throw new Error(`${arrived} is from ${from.port}`);
    };
    write(memory, arrived);
    const waiting = round % 3 === 0 ? receive(target, WINDOW, take) : null;
    await send(sender, memory, SIZE, target.addr);
    await (waiting ?? receive(target, WINDOW, take));
  }
  await sockets.senders[0]!.send(bytes("marker"), target.addr);
  assertEquals(await receiveUntilMarker(target), [], "Some came twice");
  return arrived;
}

/** Number of paths. */
export const PATHS = HOSTNAMES.length * OFFLOADS.length * Object.keys(SENDS).length * Object.keys(RECEIVES).length;

/** One test for each path, over which so many windows of datagrams go. */
export function registerPaths(windows: number): void {
  describe(`${(PATHS * windows * WINDOW).toLocaleString("en")} datagrams`, TIMEOUT, () => {
    for (const hostname of HOSTNAMES) {
      for (const [receiver, offload] of OFFLOADS.entries()) {
        for (const [sending, send] of Object.entries(SENDS)) {
          for (const [receiving, receive] of Object.entries(RECEIVES)) {
            it(`arrive whole, in order and once: ${sending} to ${receiving} ${offload}, ${hostname}`, async () => {
              using sockets = new Sockets(hostname);
              assertEquals(await pass(sockets, { send, receive, receiver }, windows), windows * WINDOW);
            });
          }
        }
      }
    }
  });
}

const ANY_PATH: readonly Path[] = Object.values(SENDS).flatMap((send) =>
  Object.values(RECEIVES).flatMap((receive) => OFFLOADS.map((_, receiver) => ({ send, receive, receiver })))
);

/** A prime, so that no datagram begins like the one before it. */
const STEP = 257;

/** Bytes to cut datagrams from. */
function makeNoise(): Uint8Array<ArrayBuffer> {
  const noise = new Uint8Array(LONGEST + STEP * 256);
  for (let at = 0, word = 1; at < noise.length; at++) noise[at] = (word = Math.imul(word, 0x5bd1e995) + 1) >>> 24;
  return noise;
}

const noise = makeNoise();

/** Sends one of a size, by segments one shorter one too, and compares every byte that arrives. */
async function exchange(sockets: Sockets, size: number, { send, receive, receiver }: Path): Promise<void> {
  const from = STEP * (size % 256);
  const last = send === SENDS.sendSegments ? Math.min(size >> 1, LONGEST - size) : 0;
  const memory = noise.subarray(from, from + size + last);
  const expected = last === 0 ? [memory] : [memory.subarray(0, size), memory.subarray(size)];
  const target = sockets.receivers[receiver]!;
  await send(sockets.senders[size % 2]!, memory, size, target.addr);
  let taken = 0;
  await receive(target, expected.length, (data, { port }) => {
    const wanted = expected[taken++]!;
    if (data.length !== wanted.length || Buffer.compare(data, wanted) !== 0) {
      throw new Error(`Not what was sent: ${size}`);
    }
    if (port !== sockets.senders[size % 2]!.addr.port) throw new Error(`Not who sent it: ${size}`);
  });
}

/** Tests of datagrams from 0 bytes to the longest, a size in `step`, each along another path than the one before. */
export function registerSizes(step: number): void {
  describe(`Datagrams of sizes from 0 to 65,507 in steps of ${step}`, TIMEOUT, () => {
    for (const hostname of HOSTNAMES) {
      it(`arrive whole: ${hostname}`, async () => {
        using sockets = new Sockets(hostname);
        for (let size = 0, path = 0; size <= LONGEST; size += step, path++) {
          await exchange(sockets, size, ANY_PATH[path % ANY_PATH.length]!);
        }
      });
    }
  });
}

/** Tests of the sizes at the edges of packets, buffers and segments, along every path. */
export function registerEdges(): void {
  describe("Datagrams at the edges of packets, buffers and segments", TIMEOUT, () => {
    for (const hostname of HOSTNAMES) {
      it(`arrive whole by every path: ${hostname}`, async () => {
        using sockets = new Sockets(hostname);
        for (const edge of [2, 64, 256, 1452, 1472, 2048, 4096, 9000, 16_384, 32_753, 65_506]) {
          for (const size of [edge - 2, edge - 1, edge, edge + 1]) {
            for (const path of ANY_PATH) await exchange(sockets, size, path);
          }
        }
      });
    }
  });
}
