import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { DatagramBatch, fromFd, listenDatagram, sockopt, type UdpListenOptions, type UdpSocket } from "../../mod.ts";
import { assertTimedOut } from "../support/assertions.ts";
import { bytes, pattern, text } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { at, LOOPBACK, withoutIPv6 } from "../support/loopback.ts";
import { startDeno } from "../support/process.ts";
import { isPending, isWaiting, PAST, rejection } from "../support/promises.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { noSentTimestamps } from "./support.ts";

noDescriptorLeaks();

const missing = sockopt.IP_RECVERR.supported ? null : "no IP_RECVERR here";
const noIPv6 = withoutIPv6();

function open(hostname: string, options: Partial<UdpListenOptions> = {}): UdpSocket {
  return listenDatagram({ transport: "udp", hostname, errors: true, ...options });
}

/** An address where nobody listens. */
function gone(hostname: string): Deno.NetAddr {
  using socket = listenDatagram({ transport: "udp", hostname });
  return socket.addr;
}

/** Sockets that send, and addresses that refuse: what an error says of each. */
const WAYS = {
  "over IPv4": { from: LOOPBACK, at: LOOPBACK, seen: LOOPBACK, origin: "icmp", type: 3, code: 3, reason: missing },
  "over IPv6": { from: "::1", at: "::1", seen: "::1", origin: "icmp6", type: 1, code: 4, reason: missing ?? noIPv6 },
  "over IPv4 from a dual-stack socket": {
    from: "::",
    at: LOOPBACK,
    seen: `::ffff:${LOOPBACK}`,
    origin: "icmp",
    type: 3,
    code: 3,
    reason: missing ?? noIPv6,
  },
} as const;

for (const [name, way] of Object.entries(WAYS)) {
  describe(`Errors of datagrams ${name}`, TIMEOUT, () => {
    for (const connected of [false, true]) {
      const which = connected ? "a connected" : "an unconnected";

      itUnless(way.reason, `are told whole on ${which} socket`, async () => {
        using udp = open(way.from);
        const addr = gone(way.at);
        if (connected) udp.connect(addr);
        const data = pattern(400, 3);
        await udp.send(data, connected ? undefined : addr);
        const error = await udp.receiveError();
        assertEquals(error.data.length > 0, true);
        assertEquals({ ...error, data: null }, {
          code: "ECONNREFUSED",
          errno: 111,
          origin: way.origin,
          type: way.type,
          icmpCode: way.code,
          destination: at(way.seen, addr.port),
          offender: way.seen,
          mtu: undefined,
          data: null,
        });
        assertEquals(error.data, data.subarray(0, error.data.length));
        assert(await isWaiting((signal) => udp.receiveError({ signal })));
      });

      itUnless(way.reason, `never reach send and receive of ${which} socket`, async () => {
        using udp = open(way.from);
        using live = listenDatagram({ transport: "udp", hostname: way.from === "::" ? "::" : way.from });
        const addr = gone(way.at);
        const alive = at(way.at, live.addr.port);
        if (connected) udp.connect(addr);
        const receiving = udp.receive();
        for (let round = 0; round < 50; round++) {
          await udp.send(bytes("nobody"), connected ? undefined : addr);
          await udp.send([bytes("no"), bytes("body")], connected ? undefined : addr);
          await udp.sendMany([{ data: bytes("nobody"), addr }, { data: bytes("nobody"), addr }]);
          await udp.sendSegments(pattern(30), 10, addr);
        }
        assert(await isPending(receiving));
        await udp.send(bytes("somebody"), alive);
        const [data, from] = await live.receive();
        assertEquals(text(data), "somebody");
        if (connected) udp.connect(null);
        await live.send(bytes("answer"), from);
        assertEquals(text((await receiving)[0]), "answer");
        await udp.send(bytes("nobody"), addr);
        await live.send(bytes("again"), from);
        assertEquals(text((await udp.receiveMessage()).data), "again");
        await udp.send(bytes("nobody"), addr);
        await live.send(bytes("in a batch"), from);
        assertEquals(await udp.receiveMany(new DatagramBatch({ capacity: 4 })), 1);
        await udp.send(bytes("nobody"), addr);
        await live.send(bytes("looked at"), from);
        assertEquals(text((await udp.peek(new Uint8Array(20)))[0]), "looked at");
        assertEquals((await udp.receiveError()).destination.port, addr.port);
      });
    }

    itUnless(way.reason, "go to whoever asks, in order", async () => {
      using udp = open(way.from);
      const addrs = [gone(way.at), gone(way.at), gone(way.at)];
      const first = udp.receiveError();
      const second = udp.receiveError();
      assert(await isPending(first));
      for (const addr of addrs) await udp.send(bytes("x"), addr);
      const ports = [];
      for (const error of [await first, await second, await udp.receiveError()]) ports.push(error.destination.port);
      assertEquals(ports, addrs.map(({ port }) => port));
    });
  });
}

describe("receiveError()", TIMEOUT, () => {
  itUnless(missing, "obeys deadlines, signals and close", async () => {
    const udp = open(LOOPBACK);
    udp.setReadDeadline(PAST);
    assertTimedOut(await rejection(udp.receiveError()), "recvmsg");
    udp.setReadDeadline(null);
    const waiting = rejection(udp.receiveError());
    assert(await isPending(waiting));
    udp.setReadDeadline(1);
    assertTimedOut(await waiting, "recvmsg");
    udp.setReadDeadline(null);
    const stop = new AbortController();
    const aborted = rejection(udp.receiveError({ signal: stop.signal }));
    stop.abort("enough");
    assertEquals(await aborted, "enough");
    const cut = rejection(udp.receiveError());
    assert(await isPending(cut));
    udp.close();
    assert(await cut instanceof Deno.errors.Interrupted);
    await assertRejects(() => udp.receiveError(), Deno.errors.BadResource);
  });

  itUnless(missing, "needs errors: true, or the option set by whatever way", async () => {
    using udp = listenDatagram({ transport: "udp", hostname: LOOPBACK });
    await assertRejects(() => udp.receiveError(), TypeError, "errors: true");
    udp.socket.setOption(sockopt.IP_RECVERR, true);
    const addr = gone(LOOPBACK);
    await udp.send(bytes("x"), addr);
    assertEquals((await udp.receiveError()).destination, addr);
    using again = fromFd(udp.detach()) as UdpSocket;
    await again.send(bytes("x"), addr);
    assertEquals((await again.receiveError()).destination, addr);
  });

  itUnless(missing, "keeps the newest, and no more than a thousand", async () => {
    using udp = open(LOOPBACK);
    const addr = gone(LOOPBACK);
    for (let count = 0; count < 1500; count++) await udp.send(Uint8Array.of(count >> 8, count & 255), addr);
    const error = await udp.receiveError();
    const first = error.data[0]! << 8 | error.data[1]!;
    assert(first > 0 && first <= 1500 - 1024 + 1, String(first));
  });
});

describe("A queue of errors that nobody reads", TIMEOUT, () => {
  for (const poller of ["epoll", "poll"]) {
    itUnless(missing ?? noSentTimestamps, `costs no processor time: ${poller}`, async () => {
      const program = new URL("./programs/unread_errors.ts", import.meta.url);
      const child = startDeno(program, { env: { BERKELEY_POLLER: poller } });
      const { success, stdout, report } = await child.finished();
      assert(success, report);
      const { used, waited } = JSON.parse(stdout) as { used: number; waited: number };
      // A wait that does not wait takes all of it.
      assert(used < waited / 2, `${used} of ${waited} ms`);
    });
  }
});
