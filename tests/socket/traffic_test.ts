import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { isSocketError, msg, Socket } from "../../mod.ts";
import { bytes, text } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { at, LOOPBACK } from "../support/loopback.ts";
import { startDeno } from "../support/process.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { settled } from "../support/turns.ts";
import { openUdp } from "../udp/support.ts";
import { connectedPair, nameOf, openListener, read } from "./support.ts";
import { linuxTable } from "../support/systems.ts";

noDescriptorLeaks();

const notLinux = linuxTable ? null : "no netlink here";

describe("A stream", TIMEOUT, () => {
  it("is connected, accepted, written, read and ended", async () => {
    using pair = await connectedPair();
    const { client, server } = pair;
    assertEquals(await client.send(bytes("hello")), 5);
    assertEquals(await read(server, 5), "hello");
    assertEquals(await server.send(bytes("and back")), 8);
    client.shutdown("write");
    assertEquals(await read(server), "");
    server.shutdown("both");
    assertEquals(await read(client), "and back");
  });

  it("reports a refused connection", async () => {
    using gone = openListener();
    const address = nameOf(gone);
    gone.close();
    using client = Socket.open("inet", "stream");
    const error = await assertRejects(() => client.connect(address), Deno.errors.ConnectionRefused);
    assert(isSocketError(error));
    assertEquals([error.code, error.syscall, error.address], [
      "ECONNREFUSED",
      "connect",
      `${LOOPBACK}:${address.port}`,
    ]);
  });

  it("serves accepts in call order", async () => {
    using listener = openListener();
    const order: number[] = [];
    const accepting = [0, 1, 2].map(async (number) => {
      using server = await listener.accept();
      order.push(number);
      await server.send(bytes(String(number)));
    });
    for (const number of [0, 1, 2]) {
      using client = Socket.open("inet", "stream");
      await client.connect(nameOf(listener));
      assertEquals(await read(client), String(number));
    }
    await Promise.all(accepting);
    assertEquals(order, [0, 1, 2]);
  });

  it("sends as much as the kernel takes, and waits when it takes nothing", async () => {
    using pair = await connectedPair();
    const { client, server } = pair;
    const chunk = new Uint8Array(1 << 20).fill(7);
    let sent = 0;
    let waiting: Promise<number>;
    for (;;) {
      waiting = client.send(chunk);
      const length = await Promise.race([waiting, settled().then(() => null)]);
      if (length === null) break;
      assert(length > 0 && length <= chunk.length);
      sent += length;
    }
    let received = 0;
    const buffer = new Uint8Array(1 << 16);
    while (received < sent) received += (await server.receive(buffer)).length;
    sent += await waiting;
    while (received < sent) received += (await server.receive(buffer)).length;
    assertEquals(received, sent);
  });
});

describe("A first read and write", TIMEOUT, () => {
  it("may be of one byte", async () => {
    await using child = startDeno(new URL("./programs/first_byte.ts", import.meta.url));
    const { success, stdout, report } = await child.finished();
    assert(success, report);
    assertEquals(JSON.parse(stdout), { written: 1, read: 1, byte: 7 });
  });
});

describe("readable() and writable()", TIMEOUT, () => {
  it("resolve when a call would not block, and consume nothing", async () => {
    using pair = await connectedPair();
    const { client, server } = pair;
    await client.writable();
    let told = false;
    const readable = server.readable().then(() => told = true);
    await settled();
    assertFalse(told);
    await client.send(bytes("x"));
    await readable;
    await server.readable();
    assertEquals(await read(server, 1), "x");
  });

  it("resolve at the end and for an error too", async () => {
    using pair = await connectedPair();
    const readable = pair.server.readable();
    pair.client.close();
    await readable;
    using refused = Socket.open("inet", "dgram");
    await refused.connect(at(LOOPBACK, 9));
    await refused.send(bytes("anybody?"));
    await refused.readable();
    await assertRejects(() => refused.receive(new Uint8Array(1)), Deno.errors.ConnectionRefused);
  });

  it("resolve for a listener with a pending connection", async () => {
    using listener = openListener();
    const readable = listener.readable();
    using client = Socket.open("inet", "stream");
    await client.connect(nameOf(listener));
    await readable;
    (await listener.accept()).close();
  });

  it("resolve for a direction of a duplicate", async () => {
    using pair = await connectedPair();
    using duplicate = pair.server.duplicate();
    const both = Promise.all([pair.server.readable(), duplicate.readable()]);
    await pair.client.send(bytes("x"));
    await both;
    assertEquals(await read(duplicate, 1), "x");
  });
});

describe("A datagram", TIMEOUT, () => {
  it("comes with its sender's sockaddr, which is an address to send to", async () => {
    using one = Socket.open("inet", "dgram");
    using other = Socket.open("inet", "dgram");
    one.bind(at(LOOPBACK, 0));
    other.bind(at(LOOPBACK, 0));
    await one.send(bytes("hello"), at(LOOPBACK, nameOf(other).port));
    const buffer = new Uint8Array(16);
    const { length, address, flags } = await other.receive(buffer);
    assertEquals([text(buffer.subarray(0, length)), address.length, flags], ["hello", 16, 0]);
    await other.send(bytes("answer"), address);
    assertEquals((await one.receive(buffer)).length, 6);
  });

  it("that is truncated has the flag", async () => {
    using one = openUdp();
    await one.send(bytes("too long"), one.addr);
    const { length, flags } = await one.socket.receive(new Uint8Array(3));
    assertEquals([length, flags & msg.MSG_TRUNC], [3, msg.MSG_TRUNC]);
  });

  it("has no sender where the socket has no name", async () => {
    const folder = await Deno.makeTempDir();
    try {
      using receiver = Socket.open("unix", "dgram");
      receiver.bind({ transport: "unixpacket", path: `${folder}/socket` });
      using sender = Socket.open("unix", "dgram");
      await sender.send(bytes("hello"), { transport: "unixpacket", path: `${folder}/socket` });
      const { length, address } = await receiver.receive(new Uint8Array(16));
      assertEquals([length, address.length], [5, 0]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
});

describe("A family without a class here", TIMEOUT, () => {
  itUnless(notLinux, "works with numbers and bytes: netlink lists the interfaces", async () => {
    // AF_NETLINK, SOCK_RAW, NETLINK_ROUTE: netlink(7), rtnetlink(7).
    using netlink = Socket.open(16, 3, 0);
    const kernel = new Uint8Array(12);
    kernel[0] = 16;
    netlink.bind(kernel);
    const request = new Uint8Array(32);
    const view = new DataView(request.buffer);
    view.setUint32(0, 32, true);
    view.setUint16(4, 18, true); // RTM_GETLINK
    view.setUint16(6, 0x301, true); // NLM_F_REQUEST | NLM_F_DUMP
    assertEquals(await netlink.send(request, kernel), 32);
    const answer = new Uint8Array(65_536);
    const { length, address } = await netlink.receive(answer);
    assertEquals([address[0], address.length], [16, 12]);
    assertEquals(new DataView(answer.buffer).getUint16(4, true), 16); // RTM_NEWLINK
    assert(text(answer.subarray(0, length)).includes("lo\0"));
  });
});
