import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { listenDatagram, type UdpListenOptions, type UdpSocket } from "../../mod.ts";
import { thisSystem } from "../../ffi/libc/host.ts";
import { reportsOf } from "../../ffi/udp/reports.ts";
import { assertTimedOut } from "../support/assertions.ts";
import { bytes, pattern } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { LOOPBACK, withoutIPv6 } from "../support/loopback.ts";
import { isPending, PAST, rejection } from "../support/promises.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { noSentTimestamps } from "./support.ts";

noDescriptorLeaks();

function open(hostname: string, options: Partial<UdpListenOptions> = {}): UdpSocket {
  return listenDatagram({ transport: "udp", hostname, timestamps: { transmit: true }, ...options });
}

describe("Timestamps of what was sent", TIMEOUT, () => {
  for (
    const [hostname, reason] of [[LOOPBACK, noSentTimestamps], ["::1", noSentTimestamps ?? withoutIPv6()]] as const
  ) {
    itUnless(reason, `come in the order of the sends, with their numbers: ${hostname}`, async () => {
      using udp = open(hostname);
      const waiting = udp.receiveSentTimestamp();
      assert(await isPending(waiting));
      const before = Date.now();
      for (let count = 0; count < 5; count++) await udp.send(bytes("x"), udp.addr);
      await udp.sendMany([{ data: bytes("y"), addr: udp.addr }, { data: bytes("z"), addr: udp.addr }]);
      const stamps = [await waiting];
      while (stamps.length < 7) stamps.push(await udp.receiveSentTimestamp());
      assertEquals(stamps.map(({ id }) => id), [0, 1, 2, 3, 4, 5, 6]);
      const after = Date.now() + 1;
      let last = before - 1;
      for (const { timestamp } of stamps) {
        assert(timestamp >= last && timestamp <= after, `${timestamp} between ${last} and ${after}`);
        last = timestamp;
      }
    });
  }

  itUnless(noSentTimestamps, "are not before what is received was sent, where both are asked for", async () => {
    using udp = open(LOOPBACK, { timestamps: { receive: true, transmit: true }, packetInfo: true });
    await udp.send(pattern(100), udp.addr);
    const sent = await udp.receiveSentTimestamp();
    const received = await udp.receiveMessage();
    assert(received.timestamp! >= sent.timestamp, `${received.timestamp} and ${sent.timestamp}`);
    assertEquals([received.data, received.ttl, received.destination], [pattern(100), 64, LOOPBACK]);
  });

  itUnless(noSentTimestamps, "come beside errors, each to who asks for it", async () => {
    using udp = open(LOOPBACK, { errors: true });
    using gone = listenDatagram({ transport: "udp", hostname: LOOPBACK });
    const { addr } = gone;
    gone.close();
    for (let count = 0; count < 3; count++) await udp.send(bytes("x"), addr);
    for (let count = 0; count < 3; count++) assertEquals((await udp.receiveSentTimestamp()).id, count);
    for (let count = 0; count < 3; count++) assertEquals((await udp.receiveError()).code, "ECONNREFUSED");
  });

  itUnless(noSentTimestamps, "do not keep errors from those who did not ask for errors", async () => {
    using udp = open(LOOPBACK);
    using gone = listenDatagram({ transport: "udp", hostname: LOOPBACK });
    udp.connect(gone.addr);
    gone.close();
    await udp.send(bytes("x"));
    await assertRejects(() => udp.receive(), Deno.errors.ConnectionRefused);
    await assertRejects(() => udp.receiveError(), TypeError, "errors: true");
    assertEquals((await udp.receiveSentTimestamp()).id, 0);
  });

  itUnless(noSentTimestamps, "obey deadlines, signals and close", async () => {
    const udp = open(LOOPBACK);
    udp.setReadDeadline(PAST);
    assertTimedOut(await rejection(udp.receiveSentTimestamp()), "recvmsg");
    udp.setReadDeadline(null);
    assertEquals(await rejection(udp.receiveSentTimestamp({ signal: AbortSignal.abort("enough") })), "enough");
    const cut = rejection(udp.receiveSentTimestamp());
    assert(await isPending(cut));
    udp.close();
    assert(await cut instanceof Deno.errors.Interrupted);
  });

  it("need the option, which is checked", async () => {
    using udp = listenDatagram({ transport: "udp", hostname: LOOPBACK, timestamps: true });
    await assertRejects(() => udp.receiveSentTimestamp(), TypeError, "transmit: true");
    for (const timestamps of ["yes", 1, null, { send: true }, { transmit: 1 }]) {
      const options = { transport: "udp", hostname: LOOPBACK, timestamps } as unknown as UdpListenOptions;
      assertThrows(() => listenDatagram(options), TypeError);
    }
  });

  itUnless(noSentTimestamps, "are known to be asked for by whatever flag of SO_TIMESTAMPING does", () => {
    using udp = listenDatagram({ transport: "udp", hostname: LOOPBACK });
    const { SOL_SOCKET, SO_TIMESTAMPING } = thisSystem().constants;
    // TX_HARDWARE, TX_SOFTWARE, TX_SCHED and TX_ACK; RX_SOFTWARE, SOFTWARE and OPT_TSONLY.
    for (const [flags, asked] of [[1, true], [2, true], [256, true], [512, true], [8 | 16 | 2048, false]] as const) {
      udp.socket.setRawOption(SOL_SOCKET, SO_TIMESTAMPING, flags);
      assertEquals(reportsOf(udp.socket.fd, "inet").sentTimestamps, asked, String(flags));
    }
  });
});
