import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { fromFd, Socket, type UdpSocket } from "../../mod.ts";
import { CountedSignal } from "../conformance/stream/signals.ts";
import { bytes, text } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { at, LOOPBACK } from "../support/loopback.ts";
import { startDeno } from "../support/process.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { openUdp, receiveText } from "./support.ts";

noDescriptorLeaks();

const WAITING = new URL("./programs/waiting.ts", import.meta.url);

/** What fromFd makes of a UDP socket's descriptor. */
function takeOver(fd: number): UdpSocket {
  const socket = fromFd(fd);
  assert("joinMulticast" in socket);
  return socket;
}

describe("close()", TIMEOUT, () => {
  it("throws BadResource the second time, while dispose is silent", () => {
    const socket = openUdp();
    socket.close();
    assertThrows(() => socket.close(), Deno.errors.BadResource);
    socket[Symbol.dispose]();
  });

  it("frees the port at once", () => {
    using first = openUdp();
    const { port } = first.addr;
    first.close();
    using second = openUdp({ port });
    assertEquals(second.addr.port, port);
  });

  it("rejects waiting operations with Interrupted, and later ones with BadResource", async () => {
    const socket = openUdp();
    const waiting = [socket.receive(), socket.receive(new Uint8Array(8)), socket.receiveMessage()];
    const cut = waiting.map((one) => assertRejects(() => one, Deno.errors.Interrupted));
    socket.close();
    await Promise.all(cut);
    await assertRejects(() => socket.receive(), Deno.errors.BadResource);
    await assertRejects(() => socket.receiveMessage(), Deno.errors.BadResource);
    await assertRejects(() => socket.send(bytes("x"), at(LOOPBACK, 9)), Deno.errors.BadResource);
  });

  it("makes every method throw BadResource, and keeps the addresses", () => {
    const socket = openUdp();
    const { addr } = socket;
    socket.close();
    const calls: Record<string, () => unknown> = {
      detach: () => socket.detach(),
      connect: () => socket.connect(null),
      joinMulticast: () => socket.joinMulticast("239.255.1.1", { interface: LOOPBACK }),
      setMulticastInterface: () => socket.setMulticastInterface(LOOPBACK),
      setMulticastTTL: () => socket.setMulticastTTL(1),
      setMulticastLoopback: () => socket.setMulticastLoopback(true),
      setTTL: () => socket.setTTL(1),
      setBroadcast: () => socket.setBroadcast(true),
      fd: () => socket.socket.fd,
      close: () => socket.socket.close(),
    };
    for (const [name, call] of Object.entries(calls)) assertThrows(call, Deno.errors.BadResource, undefined, name);
    assertEquals([socket.addr, socket.remoteAddr], [addr, null]);
  });

  it("of the underlying socket closes the same descriptor", async () => {
    const udp = openUdp();
    const waiting = assertRejects(() => udp.receive(), Deno.errors.Interrupted);
    udp.socket.close();
    await waiting;
    assertThrows(() => udp.close(), Deno.errors.BadResource);
  });
});

describe("A send to a host name", TIMEOUT, () => {
  it("leaves no listener on its signal", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    const counted = new CountedSignal();
    await sender.send(bytes("x"), at("localhost", receiver.addr.port), { signal: counted.signal });
    assertEquals(await receiveText(receiver), "x");
    assertEquals(counted.count, 0);
    assert(counted.added > 0);
  });
});

describe("Iteration", TIMEOUT, () => {
  it("yields datagrams until the socket is closed", async () => {
    using socket = openUdp();
    using sender = openUdp();
    for (const word of ["one", "two", "three"]) await sender.send(bytes(word), socket.addr);
    const received: string[] = [];
    for await (const [data, from] of socket) {
      assertEquals(from, sender.addr);
      if (received.push(text(data)) === 3) socket.close();
    }
    assertEquals(received, ["one", "two", "three"]);
  });

  it("ends when the socket is closed while it waits, and at once on a closed socket", async () => {
    const socket = openUdp();
    const next = socket[Symbol.asyncIterator]().next();
    socket.close();
    assertEquals(await next, { value: undefined, done: true });
    for await (const _ of socket) throw new Error("A closed socket yielded something");
  });

  it("can be left and started again", async () => {
    using socket = openUdp();
    using sender = openUdp();
    for (const word of ["one", "two"]) await sender.send(bytes(word), socket.addr);
    const received: string[] = [];
    for (let round = 0; round < 2; round++) {
      for await (const [data] of socket) {
        received.push(text(data));
        break;
      }
    }
    assertEquals(received, ["one", "two"]);
  });

  it("does not hide errors", async () => {
    using socket = openUdp();
    const closed = openUdp();
    socket.connect(closed.addr);
    closed.close();
    await socket.send(bytes("anybody?"));
    const iterator = socket[Symbol.asyncIterator]();
    await assertRejects(() => iterator.next(), Deno.errors.ConnectionRefused);
    assertEquals(await iterator.next(), { value: undefined, done: true });
  });
});

describe("detach() and fromFd()", TIMEOUT, () => {
  it("pass a socket on with its port, its options and queued datagrams", async () => {
    using sender = openUdp();
    const before = openUdp();
    const { addr } = before;
    await sender.send(bytes("under way"), addr);
    const fd = before.detach();
    assertThrows(() => before.close(), Deno.errors.BadResource);
    using after = takeOver(fd);
    assertEquals([after.addr, after.socket.fd], [addr, fd]);
    assertEquals(await receiveText(after), "under way");
  });

  it("keep the peer", async () => {
    using peer = openUdp();
    const before = openUdp();
    before.connect(peer.addr);
    using after = takeOver(before.detach());
    assertEquals(after.remoteAddr, peer.addr);
    await after.send(bytes("hello"));
    assertEquals(await receiveText(peer), "hello");
  });

  it("reject waiting operations, and take nothing from the next owner", async () => {
    using sender = openUdp();
    const before = openUdp();
    const { addr } = before;
    const waiting = assertRejects(() => before.receive(), Deno.errors.Interrupted);
    const fd = before.detach();
    await waiting;
    using after = takeOver(fd);
    await sender.send(bytes("to the next"), addr);
    assertEquals(await receiveText(after), "to the next");
  });

  it("refuse a number that an open socket has", () => {
    using socket = openUdp();
    assertThrows(() => fromFd(socket.socket.fd), TypeError, "detach()");
    assertThrows(() => Socket.fromFd(socket.socket.fd), TypeError, "detach()");
    assertEquals(socket.socket.fd >= 0, true);
  });
});

describe("ref() and unref()", TIMEOUT, () => {
  for (
    const [how, said] of [
      ["unref before", "unloaded"],
      ["unref while", "unloaded"],
      ["unref, ref, unref", "unloaded"],
      ["unref and a timer", "timer,unloaded"],
      ["unref, then a datagram in time", "received in time,unloaded"],
      ["two sockets, one ref, closed by a timer", "timer,unloaded"],
    ] as const
  ) {
    it(`let the process end by itself: ${how}`, async () => {
      await using child = startDeno(WAITING, { args: [how] });
      const { success, stdout, report } = await child.finished();
      assert(success, report);
      assertEquals(stdout, said.replaceAll(",", "\n"), report);
    });
  }

  it("keep it running while a ref'd operation waits", async () => {
    using sender = openUdp();
    await using child = startDeno(WAITING, { args: ["ref"] });
    const [, port] = await child.waitForLine(/^port (\d+)$/);
    await sender.send(bytes("go"), at(LOOPBACK, Number(port)));
    const { success, stdout, report } = await child.finished();
    assert(success, report);
    assertEquals(stdout, `port ${port}\nreceived go\nunloaded`);
  });
});
