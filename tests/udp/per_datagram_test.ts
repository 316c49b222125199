import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type Datagram, listenDatagram, type SendOptions, type UdpSocket } from "../../mod.ts";
import { thisSystem } from "../../ffi/libc/host.ts";
import { bytes, pattern } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { at, LOOPBACK, withoutIPv6 } from "../support/loopback.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { noInterfaceChoice } from "../support/systems.ts";

noDescriptorLeaks();

const cannotSet = thisSystem().constants.IP_TTL_SENT === 0 ? "the TTL of one IPv4 datagram cannot be set here" : null;
const noIPv6 = withoutIPv6();

function open(hostname: string): UdpSocket {
  return listenDatagram({ transport: "udp", hostname, packetInfo: true });
}

/** The ways datagrams go: the socket that sends, the one that receives, and the address in between. */
const WAYS: Readonly<Record<string, { from: string; to: string; at: string; reason: string | null }>> = {
  "over IPv4": { from: LOOPBACK, to: LOOPBACK, at: LOOPBACK, reason: cannotSet },
  "over IPv6": { from: "::1", to: "::1", at: "::1", reason: noIPv6 },
  "over IPv4 from a dual-stack socket": { from: "::", to: LOOPBACK, at: LOOPBACK, reason: cannotSet ?? noIPv6 },
  "over IPv6 from a dual-stack socket": { from: "::", to: "::1", at: "::1", reason: noIPv6 },
  "over IPv4 to a dual-stack socket": { from: LOOPBACK, to: "::", at: LOOPBACK, reason: cannotSet ?? noIPv6 },
};

function marks({ ttl, trafficClass }: Datagram): [number | undefined, number | undefined] {
  return [ttl, trafficClass];
}

for (const [name, { from, to, at: hostname, reason }] of Object.entries(WAYS)) {
  describe(`TTL and class of one datagram ${name}`, TIMEOUT, () => {
    itUnless(reason, "are set by send, for that one alone", async () => {
      using sender = open(from);
      using receiver = open(to);
      const addr = at(hostname, receiver.addr.port);
      const sent: SendOptions[] = [{ ttl: 3, trafficClass: 0x48 }, { ttl: 255 }, { trafficClass: 4 }, {}];
      for (const options of sent) await sender.send(bytes("x"), addr, options);
      const received = [];
      for (const _ of sent) received.push(marks(await receiver.receiveMessage()));
      assertEquals(received, [[3, 0x48], [255, 0], [64, 4], [64, 0]]);
    });

    itUnless(reason, "are set by send to the connected peer, and of several buffers", async () => {
      using sender = open(from);
      using receiver = open(to);
      sender.connect(at(hostname, receiver.addr.port));
      await sender.send([bytes("a"), bytes("b")], undefined, { ttl: 9, trafficClass: 8 });
      await sender.send([bytes("c")]);
      const first = await receiver.receiveMessage();
      assertEquals([first.data, ...marks(first)], [bytes("ab"), 9, 8]);
      assertEquals(marks(await receiver.receiveMessage()), [64, 0]);
    });

    itUnless(reason, "are set by each datagram of sendMany, one after the other", async () => {
      using sender = open(from);
      using receiver = open(to);
      const addr = at(hostname, receiver.addr.port);
      const data = bytes("x");
      // More than one call takes, so that the memory of each place is used again.
      const datagrams = Array.from({ length: 150 }, (_, index) => ({
        data,
        addr,
        ...(index % 3 === 0 ? {} : { ttl: index % 3 === 1 ? 100 + index % 50 : 7 }),
        ...(index % 5 === 0 ? { trafficClass: 0x10 } : {}),
      }));
      for (const half of [datagrams.slice(0, 75), datagrams.slice(75)]) {
        assertEquals(await sender.sendMany(half), 75);
        for (const { ttl, trafficClass } of half as SendOptions[]) {
          assertEquals(marks(await receiver.receiveMessage()), [ttl ?? 64, trafficClass ?? 0]);
        }
      }
    });

    itUnless(reason, "are set by sendSegments for all of them", async () => {
      using sender = open(from);
      using receiver = open(to);
      const addr = at(hostname, receiver.addr.port);
      await sender.sendSegments(pattern(1000), 300, addr, { ttl: 11, trafficClass: 0x20 });
      const lengths: number[] = [];
      for (let left = 1000; left > 0;) {
        const datagram = await receiver.receiveMessage();
        assertEquals(marks(datagram), [11, 0x20]);
        lengths.push(datagram.data.length);
        left -= datagram.data.length;
      }
      assertEquals(lengths, [300, 300, 300, 100]);
    });
  });
}

describe("The source of one datagram", TIMEOUT, () => {
  itUnless(noInterfaceChoice, "is chosen by each datagram of sendMany and by sendSegments", async () => {
    using sender = listenDatagram({ transport: "udp", hostname: "0.0.0.0" });
    using receiver = listenDatagram({ transport: "udp", hostname: LOOPBACK });
    const addr = receiver.addr;
    const data = bytes("x");
    await sender.sendMany([{ data, addr, source: "127.0.0.5" }, { data, addr, interfaceIndex: 1 }, { data, addr }]);
    const from: string[] = [];
    for (let count = 0; count < 3; count++) from.push((await receiver.receive())[1].hostname);
    assertEquals(from, ["127.0.0.5", LOOPBACK, LOOPBACK]);
    await sender.sendSegments(pattern(20), 10, addr, { source: "127.0.0.6" });
    for (let count = 0; count < 2; count++) assertEquals((await receiver.receive())[1].hostname, "127.0.0.6");
  });
});

describe("Marks that are none", TIMEOUT, () => {
  it("are refused before anything is sent, and named", async () => {
    using sender = listenDatagram({ transport: "udp", hostname: LOOPBACK });
    using receiver = listenDatagram({ transport: "udp", hostname: LOOPBACK });
    const wrong: [object, new (message?: string) => Error, string][] = [
      [{ ttl: 0 }, RangeError, "Invalid ttl: 0, expected 1 to 255"],
      [{ ttl: 256 }, RangeError, "Invalid ttl"],
      [{ ttl: "5" }, TypeError, 'Invalid ttl: "5"'],
      [{ ttl: 1.5 }, TypeError, "Invalid ttl"],
      [{ trafficClass: -1 }, RangeError, "Invalid trafficClass: -1, expected 0 to 255"],
      [{ trafficClass: 256 }, RangeError, "Invalid trafficClass"],
      [{ trafficClass: null }, TypeError, "Invalid trafficClass: null"],
      [{ ttl: 5, hops: 1 }, TypeError, "hops"],
    ];
    const data = bytes("x");
    for (const [options, errorClass, words] of wrong) {
      await assertRejects(() => sender.send(data, receiver.addr, options), errorClass, words);
      await assertRejects(() => sender.send([data], receiver.addr, options), errorClass, words);
      await assertRejects(() => sender.sendSegments(data, 1, receiver.addr, options), errorClass, words);
      if ("hops" in options) continue;
      const list = [{ data, addr: receiver.addr }, { data, addr: receiver.addr, ...options }];
      await assertRejects(() => sender.sendMany(list), errorClass, "datagrams[1]");
    }
    await sender.send(bytes("last"), receiver.addr);
    assertEquals((await receiver.receive())[0], bytes("last"));
  });
});
