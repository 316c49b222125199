import { assertEquals, assertGreaterOrEqual } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Buffer } from "node:buffer";
import type { UdpSocket } from "../../mod.ts";
import { bytes } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { LOOPBACK } from "../support/loopback.ts";
import { openUdp, receiveUntilMarker } from "./support.ts";
import { check, type Receive, RECEIVES, type Send, SENDS, SIZE, type Take, WINDOW, write } from "./traffic.ts";

noDescriptorLeaks();

/** Windows of each path: a million and more datagrams in all. */
const ROUNDS = 168;

const MILLION = { timeout: 300_000 } as const;

const LONGEST = 65_507;

/** Sockets of one family: two who send by turns, and receivers with offload and without. */
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

/** Windows of numbered datagrams along one path; the receive begins before the send or after it, by turns. Returns how many arrived. */
async function pass(sockets: Sockets, receiver: UdpSocket, send: Send, receive: Receive): Promise<number> {
  const memory = new Uint8Array(WINDOW * SIZE);
  let arrived = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const sender = sockets.senders[round % 2]!;
    const { hostname, port } = sender.addr;
    const take: Take = (data, from) => {
      check(data, arrived++);
      if (from.port !== port || from.hostname !== hostname) throw new Error(`${arrived} is from ${from.port}`);
    };
    write(memory, arrived);
    const waiting = round % 3 === 0 ? receive(receiver, WINDOW, take) : null;
    await send(sender, memory, SIZE, receiver.addr);
    await (waiting ?? receive(receiver, WINDOW, take));
  }
  await sockets.senders[0]!.send(bytes("marker"), receiver.addr);
  assertEquals(await receiveUntilMarker(receiver), [], "Some came twice");
  return arrived;
}

const total = { arrived: 0 };

describe("A million datagrams", MILLION, () => {
  for (const hostname of [LOOPBACK, "::1"]) {
    for (const [index, offload] of ["without offload", "with offload"].entries()) {
      for (const [sending, send] of Object.entries(SENDS)) {
        for (const [receiving, receive] of Object.entries(RECEIVES)) {
          it(`arrive whole, in order and once: ${sending} to ${receiving} ${offload}, ${hostname}`, async () => {
            using sockets = new Sockets(hostname);
            const arrived = await pass(sockets, sockets.receivers[index]!, send, receive);
            assertEquals(arrived, ROUNDS * WINDOW);
            total.arrived += arrived;
          });
        }
      }
    }
  }

  it("were a million", () => {
    assertGreaterOrEqual(total.arrived, 1_000_000);
  });
});

describe("Datagrams of every size from 0 to 65,507", MILLION, () => {
  const paths = Object.values(SENDS).flatMap((send) =>
    Object.values(RECEIVES).flatMap((receive) => [0, 1].map((receiver) => ({ send, receive, receiver })))
  );
  /** A prime, so that no datagram begins like the one before it. */
  const STEP = 257;
  const noise = new Uint8Array(LONGEST + STEP * 256);
  for (let at = 0, word = 1; at < noise.length; at++) noise[at] = (word = Math.imul(word, 0x5bd1e995) + 1) >>> 24;

  /** Sends one of a size, by segments one shorter one too, and compares every byte that arrives. */
  async function exchange(sockets: Sockets, size: number, { send, receive, receiver }: typeof paths[0]): Promise<void> {
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

  it("arrive whole over IPv4, each by one path of all", async () => {
    using sockets = new Sockets(LOOPBACK);
    for (let size = 0; size <= LONGEST; size++) await exchange(sockets, size, paths[size % paths.length]!);
  });

  it("arrive whole over IPv6", async () => {
    using sockets = new Sockets("::1");
    for (let size = 0; size <= LONGEST; size += 13) await exchange(sockets, size, paths[size % paths.length]!);
  });

  it("arrive whole by every path, at the edges of packets, buffers and segments", async () => {
    for (const hostname of [LOOPBACK, "::1"]) {
      using sockets = new Sockets(hostname);
      for (const edge of [2, 64, 256, 1452, 1472, 2048, 4096, 9000, 16_384, 32_753, 65_506]) {
        for (const size of [edge - 2, edge - 1, edge, edge + 1]) {
          for (const path of paths) await exchange(sockets, size, path);
        }
      }
    }
  });
});
