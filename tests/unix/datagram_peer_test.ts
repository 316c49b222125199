import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { listenDatagram, Socket, socketPair, sockopt, UnixDatagram } from "../../mod.ts";
import { thisSystem } from "../../ffi/libc/host.ts";
import { bytes, text } from "../support/bytes.ts";
import { descriptorCount, noDescriptorLeaks } from "../support/descriptors.ts";
import { isPending, PAST } from "../support/promises.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { Directory } from "./support.ts";

noDescriptorLeaks();

const noCredentials = thisSystem().options.SO_PASSCRED === null ? "no SO_PASSCRED here" : null;

function bound(path: string): UnixDatagram {
  return listenDatagram({ transport: "unixgram", path });
}

describe("connect() of a Unix datagram socket", TIMEOUT, () => {
  it("fixes the peer: sends need no address, others are not received, null undoes it", async () => {
    using directory = new Directory();
    using one = bound(directory.file("one"));
    using two = bound(directory.file("two"));
    using other = bound(directory.file("other"));
    assertEquals(one.remoteAddr, null);
    one.connect(two.addr);
    assertEquals(one.remoteAddr, { transport: "unixpacket", path: two.addr.path });
    assertEquals(await one.send(bytes("hello")), 5);
    const [data, from] = await two.receive();
    assertEquals([text(data), from.path], ["hello", one.addr.path]);
    await assertRejects(() => other.send(bytes("x"), one.addr), Deno.errors.PermissionDenied);
    await two.send(bytes("answer"), one.addr);
    assertEquals(text((await one.receive())[0]), "answer");
    one.connect(null);
    assertEquals(one.remoteAddr, null);
    await other.send(bytes("again"), one.addr);
    assertEquals(text((await one.receive())[0]), "again");
    await assertRejects(() => one.send(bytes("x")), TypeError, "not connected");
  });

  it("that fails leaves the peer there was", async () => {
    using directory = new Directory();
    using one = bound(directory.file("one"));
    using two = bound(directory.file("two"));
    one.connect(two.addr);
    assertThrows(() => one.connect({ path: directory.file("none") }), Deno.errors.NotFound);
    assertEquals(one.remoteAddr?.path, two.addr.path);
    for (const odd of ["x", {}, { path: 1 }, 5] as unknown as { path: string }[]) {
      assertThrows(() => one.connect(odd), TypeError);
    }
    await one.send(bytes("still"));
    assertEquals(text((await two.receive())[0]), "still");
  });

  it("waits for room in the peer's queue, by readiness", async () => {
    using directory = new Directory();
    using one = bound(directory.file("one"));
    using two = bound(directory.file("two"));
    one.connect(two.addr);
    const sent: Promise<number>[] = [];
    // Far more than a queue holds (net.unix.max_dgram_qlen).
    for (let index = 0; index < 2000; index++) sent.push(one.send(Uint8Array.of(index >> 8, index & 255)));
    assert(await isPending(sent.at(-1)!));
    for (let index = 0; index < 2000; index++) {
      const [data] = await two.receive();
      assertEquals(data, Uint8Array.of(index >> 8, index & 255));
    }
    await Promise.all(sent);
  });
});

describe('socketPair("dgram")', TIMEOUT, () => {
  it("makes two sockets that are each other's peer", async () => {
    const [one, two] = socketPair("dgram");
    assert(one instanceof UnixDatagram && two instanceof UnixDatagram);
    assertEquals([one.addr.path, one.remoteAddr], [null as unknown as string, { transport: "unixpacket", path: null }]);
    await one.send(bytes("there"));
    await one.send(new Uint8Array(0));
    assertEquals([text((await two.receive())[0]), (await two.receive())[0].length], ["there", 0]);
    await two.send(bytes("and back"));
    assertEquals(text((await one.receive())[0]), "and back");
    one.close();
    await assertRejects(() => two.send(bytes("x")), Deno.errors.ConnectionRefused);
    two.close();
    assertThrows(() => socketPair("datagram" as "dgram"), TypeError, '"dgram"');
  });
});

describe("Messages of Unix datagrams", TIMEOUT, () => {
  it("carry descriptors, also with no bytes, and name the sender", async () => {
    using directory = new Directory();
    using one = bound(directory.file("one"));
    using two = bound(directory.file("two"));
    using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
    const fds = [udp, udp.socket, udp.socket.fd];
    assertEquals(await one.sendMessage({ data: new Uint8Array(0), fds }, two.addr), 0);
    const message = await two.receiveMessage();
    assertEquals([message.data.length, message.fds.length, message.truncated], [0, 3, false]);
    assertEquals(message.addr, { transport: "unixpacket", path: one.addr.path });
    for (const fd of message.fds) {
      using same = fd.open();
      assertEquals(same.kind, "UdpSocket");
    }
    one.connect(two.addr);
    await one.sendMessage({ data: bytes("to the peer") });
    assertEquals(text((await two.receiveMessage()).data), "to the peer");
  });

  it("close what was not asked for, and say so", async () => {
    const [one, two] = socketPair("dgram");
    using udp = Socket.open("inet", "dgram");
    const before = descriptorCount();
    for (const take of [() => two.receive(), () => two.receiveMessage({ maxFds: 0 })]) {
      await one.sendMessage({ data: bytes("abc"), fds: [udp, udp] });
      await take();
      assertEquals(descriptorCount(), before);
    }
    await one.sendMessage({ data: bytes("abcdef"), fds: [udp, udp] });
    const message = await two.receiveMessage({ maxLength: 2, maxFds: 1 });
    assertEquals([text(message.data), message.fds.length, message.truncated], ["ab", 1, true]);
    message.fds[0]!.close();
    assertEquals(descriptorCount(), before);
    one.close();
    two.close();
  });

  itUnless(noCredentials, "carry credentials where they are asked for, and name no unnamed sender", async () => {
    const [one, two] = socketPair("dgram");
    const asked = two.receiveMessage({ credentials: true });
    await one.send(bytes("who?"));
    assertEquals((await asked).credentials, { pid: Deno.pid, uid: Deno.uid()!, gid: Deno.gid()! });
    assertEquals((await asked).addr.path, null);
    // SO_PASSCRED would bind this end to an abstract name as soon as it sends.
    await two.send(bytes("x"));
    await one.receive();
    assertEquals(two.socket.localAddr, { transport: "unixpacket", path: null });
    assertEquals(two.socket.getOption(sockopt.SO_PASSCRED), true);
    one.close();
    two.close();
  });

  it("obey deadlines and signals, and refuse what is none", async () => {
    const [one, two] = socketPair("dgram");
    one.setReadDeadline(PAST);
    await assertRejects(() => one.receiveMessage(), Deno.errors.TimedOut);
    one.setReadDeadline(null);
    await assertRejects(
      () =>
        one.receiveMessage({ signal: AbortSignal.abort("enough") }).catch((reason) => {
          throw new Error(reason);
        }),
      Error,
      "enough",
    );
    await assertRejects(() => one.sendMessage({ data: bytes("x"), fds: [-1] }), TypeError, "-1");
    await assertRejects(() => one.sendMessage({ data: bytes("x"), fds: new Array(254).fill(0) }), RangeError, "254");
    await assertRejects(() => one.receiveMessage({ maxFds: 254 }), RangeError, "maxFds");
    for (const maxLength of [-1, 2 ** 31]) {
      await assertRejects(() => one.receiveMessage({ maxLength }), RangeError, "maxLength");
    }
    await two.sendMessage({ data: bytes("x") });
    assertEquals(text((await one.receiveMessage({ maxLength: 2 ** 31 - 1 })).data), "x");
    one.close();
    two.close();
    await assertRejects(() => one.sendMessage({ data: bytes("x") }), Deno.errors.BadResource);
    await assertRejects(() => one.receiveMessage(), Deno.errors.BadResource);
    assertThrows(() => one.connect(null), Deno.errors.BadResource);
  });
});
