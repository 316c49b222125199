import { assertEquals, assertRejects } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { DatagramBatch, isSocketError, type UdpSocket } from "../../mod.ts";
import { pattern } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { at, withoutIPv6 } from "../support/loopback.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { openUdp } from "./support.ts";

noDescriptorLeaks();

const noIPv6 = withoutIPv6();

/** The longest datagram of each family, by the addresses that a socket has and sends to. */
const LONGEST = [
  ["127.0.0.1", "127.0.0.1", 65_507],
  ["::1", "::1", 65_527],
  ["::", "::1", 65_527],
  ["::", "127.0.0.1", 65_507],
  ["::", "::ffff:127.0.0.1", 65_507],
] as const;

/** Every way to receive one datagram whole. */
const RECEIVES: Readonly<Record<string, (socket: UdpSocket) => Promise<Uint8Array>>> = {
  "receive()": async (socket) => (await socket.receive())[0],
  "receive(p)": async (socket) => (await socket.receive(new Uint8Array(65_535)))[0],
  "receiveMessage()": async (socket) => (await socket.receiveMessage()).data,
  "receiveMessage({ maxLength })": async (socket) => (await socket.receiveMessage({ maxLength: 65_527 })).data,
  "receiveMany()": async (socket) => {
    const batch = new DatagramBatch({ capacity: 2, maxLength: 65_535 });
    await socket.receiveMany(batch);
    return batch.data(0).slice();
  },
};

describe("The longest datagram", TIMEOUT, () => {
  for (const [hostname, to, longest] of LONGEST) {
    itUnless(noIPv6, `from ${hostname} to ${to}, ${longest} bytes, is sent and received whole`, async () => {
      const family = longest === 65_507 ? "IPv4" : "IPv6";
      using receiver = openUdp({ hostname: to, receiveBufferSize: 1 << 20 });
      using offloading = openUdp({ hostname: to, receiveBufferSize: 1 << 20, receiveOffload: true });
      using sender = openUdp({ hostname });
      for (const socket of [receiver, offloading]) {
        const addr = at(to, socket.addr.port);
        const p = pattern(longest);
        const sends = [
          () => sender.send(p, addr),
          () => sender.sendMany([{ data: p, addr }]),
          () => sender.sendSegments(p, longest, addr),
        ];
        for (const [name, receive] of Object.entries(RECEIVES)) {
          for (const send of sends) {
            await send();
            assertEquals(await receive(socket), p, name);
          }
        }
        sender.connect(addr);
        await sender.send(p);
        assertEquals((await socket.receive())[0], p);
        const error = await assertRejects(
          () => sender.send(pattern(longest + 1)),
          RangeError,
          `A datagram of ${longest + 1} bytes, expected ${longest} at most over ${family}`,
        );
        assertEquals(isSocketError(error) && error.code, "EMSGSIZE");
        sender.connect(null);
      }
    });

    itUnless(noIPv6, `from ${hostname} to ${to} is all that is sent`, async () => {
      using receiver = openUdp({ hostname: to });
      using sender = openUdp({ hostname });
      const addr = at(to, receiver.addr.port);
      const p = pattern(longest + 1);
      const says = `A datagram of ${longest + 1} bytes, expected ${longest} at most`;
      await assertRejects(() => sender.send(p, addr), RangeError, says);
      const many = [{ data: pattern(1), addr }, { data: p, addr }];
      const error = await assertRejects(() => sender.sendMany(many), RangeError, `datagrams[1]: ${says}`);
      assertEquals((error as { sent?: number }).sent, 0);
      await assertRejects(
        () => sender.sendSegments(p, longest + 1, addr),
        RangeError,
        `expected 1 to ${longest} bytes`,
      );
    });
  }

  itUnless(noIPv6, "over IPv6 is the segment of a longer buffer", async () => {
    using receiver = openUdp({ hostname: "::1", receiveBufferSize: 1 << 20 });
    using sender = openUdp({ hostname: "::1" });
    const p = pattern(65_527 * 2 + 3);
    assertEquals(await sender.sendSegments(p, 65_527, receiver.addr), p.length);
    for (const start of [0, 65_527, 65_527 * 2]) {
      assertEquals((await receiver.receive())[0], p.subarray(start, start + 65_527));
    }
  });
});
