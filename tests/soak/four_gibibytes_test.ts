import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { listenDatagram, socketPair } from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { LOOPBACK } from "../support/loopback.ts";
import { connectedPair } from "../tcp/support.ts";

noDescriptorLeaks();

/** More than 32 bits count. No page of it is in memory before somebody writes to it. */
const LENGTH = 2 ** 32 + 3;

interface Conn {
  read(p: Uint8Array): Promise<number | null>;
  write(p: Uint8Array): Promise<number>;
}

/** Writes all, reads all, and checks the last bytes. */
async function pass(from: Conn, to: Conn): Promise<void> {
  const p = new Uint8Array(LENGTH);
  p.set([1, 2, 3], LENGTH - 3);
  const writing = from.write(p);
  const chunk = new Uint8Array(4 << 20);
  const last: number[] = [];
  let total = 0;
  while (total < LENGTH) {
    const length = (await to.read(chunk))!;
    total += length;
    last.push(...chunk.subarray(Math.max(0, length - 3), length));
    last.splice(0, last.length - 3);
  }
  assertEquals([await writing, total, last], [LENGTH, LENGTH, [1, 2, 3]]);
}

describe("4 GiB and 3 bytes", { timeout: 600_000 }, () => {
  it("pass over TCP in one write", async () => {
    using pair = await connectedPair();
    await pass(pair.one, pair.two);
  });

  it("pass over a Unix socket in one write", async () => {
    const [one, two] = socketPair("stream");
    await pass(one, two);
    one.close();
    two.close();
  });

  it("go out as segments, while the event loop turns", async () => {
    using to = listenDatagram({ transport: "udp", hostname: LOOPBACK });
    using from = listenDatagram({ transport: "udp", hostname: LOOPBACK });
    let turns = 0;
    const timer = setInterval(() => turns++);
    assertEquals(await from.sendSegments(new Uint8Array(LENGTH), 1000, to.addr), LENGTH);
    clearInterval(timer);
    assert(turns > 100, `${turns} turns`);
  });
});
