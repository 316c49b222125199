import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { isSocketError, listenDatagram, Socket } from "../../mod.ts";
import { assertRefused, assertSameBytes, assertTimedOut } from "../support/assertions.ts";
import { bytes, joined, pattern, text } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { LOOPBACK } from "../support/loopback.ts";
import { isPending, PAST, rejection } from "../support/promises.ts";
import { unknownHere } from "../support/kernel.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { openUdp } from "./support.ts";
import { thisSystem } from "../../ffi/libc/host.ts";
import { linuxTable } from "../support/systems.ts";

noDescriptorLeaks();

const { SO_MEMINFO } = thisSystem().constants;
const notLinux = linuxTable ? null : "what Linux tells";

describe("peek() of a UDP socket", TIMEOUT, () => {
  it("copies the next datagram without taking it", async () => {
    using udp = openUdp();
    await udp.send(bytes("first"), udp.addr);
    await udp.send(bytes("second"), udp.addr);
    const p = new Uint8Array(3);
    for (let time = 0; time < 2; time++) {
      const [data, from] = await udp.peek(p);
      assertEquals([text(data), from, data.buffer === p.buffer], ["fir", udp.addr, true]);
    }
    assertEquals(text((await udp.receive())[0]), "first");
    const [whole] = await udp.peek(new Uint8Array(100));
    assertEquals([text(whole), text((await udp.receive())[0])], ["second", "second"]);
  });

  it("waits in its turn, and stops for deadlines, signals and close", async () => {
    const udp = openUdp();
    const receiving = udp.receive();
    const peeking = udp.peek(new Uint8Array(8));
    await udp.send(bytes("a"), udp.addr);
    assertEquals(text((await receiving)[0]), "a");
    assert(await isPending(peeking));
    await udp.send(bytes("b"), udp.addr);
    assertEquals(text((await peeking)[0]), "b");
    assertEquals(text((await udp.receive())[0]), "b");
    udp.setReadDeadline(PAST);
    assertTimedOut(await rejection(udp.peek(new Uint8Array(1))), "recvmsg");
    udp.setReadDeadline(null);
    assertEquals(await rejection(udp.peek(new Uint8Array(1), { signal: AbortSignal.abort("enough") })), "enough");
    assertRefused(await rejection(udp.peek(undefined as unknown as Uint8Array)), "undefined");
    const cut = rejection(udp.peek(new Uint8Array(1)));
    assert(await isPending(cut));
    udp.close();
    assert(await cut instanceof Deno.errors.Interrupted);
  });

  it("is about one datagram of those that came together", async () => {
    using sink = listenDatagram({ transport: "udp", hostname: LOOPBACK, receiveOffload: true });
    using source = openUdp();
    const data = pattern(300);
    await source.sendSegments(data, 100, sink.addr);
    for (const start of [0, 100, 200]) {
      for (let time = 0; time < 2; time++) {
        assertSameBytes((await sink.peek(new Uint8Array(2000)))[0], data.subarray(start, start + 100));
      }
      assertSameBytes((await sink.peek(new Uint8Array(30)))[0], data.subarray(start, start + 30));
      assertSameBytes((await sink.receive())[0], data.subarray(start, start + 100));
    }
  });
});

describe("send() of several buffers", TIMEOUT, () => {
  it("sends one datagram", async () => {
    using udp = openUdp();
    const parts = [bytes("one "), new Uint8Array(0), bytes("datagram"), pattern(5000)];
    assertEquals(await udp.send(parts, udp.addr), 5012);
    assertSameBytes((await udp.receive())[0], joined(parts));
    assertEquals([await udp.send([], udp.addr), (await udp.receive())[0].length], [0, 0]);
    const many = Array.from({ length: 2000 }, (_, index) => pattern(index % 4, index));
    await udp.send(many, udp.addr);
    assertSameBytes((await udp.receive())[0], joined(many));
  });

  it("refuses what is no list of buffers, and what is too long together", async () => {
    using udp = openUdp();
    const detached = new Uint8Array(4);
    detached.buffer.transfer();
    for (const odd of ["x", null, [1], detached]) {
      assertRefused(await rejection(udp.send([bytes("a"), odd as Uint8Array], udp.addr)), "Buffer 1 of 2");
    }
    const error = await rejection(udp.send([new Uint8Array(40_000), new Uint8Array(40_000)], udp.addr));
    assert(error instanceof RangeError && isSocketError(error));
    assertEquals([error.code, error.message.includes("80000")], ["EMSGSIZE", true]);
  });
});

/** Why what was dropped cannot be read, or null: a number for each of nine counters. */
function noDrops(): string | null {
  using socket = Socket.open("inet", "dgram");
  const { length } = socket.getRawOption(thisSystem().constants.SOL_SOCKET, SO_MEMINFO, 36);
  return length === 36 ? null : `this kernel returns ${length} bytes of SO_MEMINFO`;
}

/** Why the path's MTU cannot be read, or null. */
function noPathMtu(): string | null {
  using udp = openUdp();
  udp.connect(udp.addr);
  return unknownHere("IP_MTU", () => void udp.pathMtu);
}

describe("What the kernel tells of a socket", TIMEOUT, () => {
  itUnless(notLinux ?? noDrops(), "is how much waits, and how much was dropped", async () => {
    using sink = listenDatagram({ transport: "udp", hostname: LOOPBACK, receiveBufferSize: 4096 });
    using source = openUdp();
    assertEquals([sink.drops, sink.queued], [0, { receive: 0, send: 0 }]);
    await source.send(new Uint8Array(321), sink.addr);
    assertEquals(sink.queued.receive, 321);
    for (let count = 0; count < 100; count++) await source.send(new Uint8Array(1000), sink.addr);
    const { drops } = sink;
    assert(drops > 50 && drops < 101, String(drops));
    let received = 0;
    sink.setReadDeadline(1000);
    while (sink.queued.receive > 0) {
      await sink.receive();
      received++;
    }
    assertEquals(received + sink.drops, 101);
  });

  itUnless(
    SO_MEMINFO === 0 || noDrops() !== null ? null : "SO_MEMINFO is here",
    "is not how much was dropped, elsewhere",
    () => {
      using udp = openUdp();
      assertThrows(() => udp.drops, Deno.errors.NotSupported, "SO_MEMINFO");
    },
  );

  itUnless(notLinux ?? noPathMtu(), "is the path's MTU, of a connected socket", () => {
    using udp = openUdp();
    assertThrows(() => udp.pathMtu, Deno.errors.NotConnected);
    udp.connect({ transport: "udp", hostname: LOOPBACK, port: 9 });
    assertEquals(udp.pathMtu, 65_535);
    udp.close();
    for (const get of [() => udp.pathMtu, () => udp.drops, () => udp.queued]) {
      assertThrows(get, Deno.errors.BadResource);
    }
  });

  it("refuses a dontFragment that is none", () => {
    for (const dontFragment of ["yes", 1, null]) {
      assertThrows(
        () => listenDatagram({ transport: "udp", hostname: LOOPBACK, dontFragment: dontFragment as unknown as true }),
        TypeError,
        "dontFragment",
      );
    }
  });
});
