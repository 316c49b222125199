import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { isSocketError, type SocketError, type UdpSocket } from "../../mod.ts";
import { bytes, pattern, text } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { at, LOOPBACK } from "../support/loopback.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { numbers, receiveAll } from "./datagrams.ts";
import { refuses, type Row } from "./refusing.ts";
import { openUdp, receiveText, receiveUntilMarker } from "./support.ts";
import { noOtherThanPeer } from "../support/systems.ts";
import { itUnless } from "../support/skipping.ts";

noDescriptorLeaks();

/** Nobody is allowed to send there from a socket with `broadcast: false`. */
const FORBIDDEN = at("127.255.255.255", 9);

interface Item {
  data: Uint8Array;
  addr?: Deno.NetAddr;
}

/** The error of sendMany, with the number of datagrams sent. */
async function failure(socket: UdpSocket, items: readonly Item[]): Promise<SocketError & { sent: number }> {
  const error = await socket.sendMany(items).then(() => null, (error) => error);
  assert(isSocketError(error), `Not a SocketError: ${error}`);
  assert("sent" in error && typeof error.sent === "number", "Nothing says how many had gone");
  return error as SocketError & { sent: number };
}

/** An address without a socket. */
function deadAddress(): Deno.NetAddr {
  using socket = openUdp();
  return socket.addr;
}

/** Datagrams of one byte each, their number, to an address. */
function numbered(count: number, addr?: Deno.NetAddr): Item[] {
  return Array.from({ length: count }, (_, index) => ({ data: Uint8Array.of(index), ...(addr && { addr }) }));
}

describe("sendMany()", TIMEOUT, () => {
  for (const hostname of [LOOPBACK, "::1"]) {
    it(`sends any number of datagrams of any length, in order, to ${hostname}`, async () => {
      using receiver = openUdp({ hostname, receiveBufferSize: 1 << 22 });
      using sender = openUdp({ hostname });
      for (const count of [0, 1, 2, 63, 64, 65, 128, 200]) {
        const lengths = [0, 1, 100, 700, 1000, 2047, 2048, 2049];
        const sent = Array.from({ length: count }, (_, index) => pattern(lengths[index % lengths.length]!, index));
        assertEquals(await sender.sendMany(sent.map((data) => ({ data, addr: receiver.addr }))), count);
        const received = await receiveAll(receiver, count);
        assertEquals(received.map(({ data }) => data.length), sent.map(({ length }) => Math.min(length, 2048)));
        assertEquals(received.map(({ data }) => data), sent.map((data) => data.slice(0, 2048)));
        assertEquals(received.map(({ addr }) => addr), sent.map(() => sender.addr));
      }
      for (const length of [65_507, 65_506, 2048]) {
        const data = pattern(length, length);
        await sender.sendMany([{ data, addr: receiver.addr }]);
        assertEquals((await receiver.receive())[0], data);
      }
    });
  }

  it("sends to many addresses in turn, of both families from a dual-stack socket", async () => {
    using sender = openUdp({ hostname: "::" });
    using one = openUdp();
    using other = openUdp({ hostname: "::1" });
    const items = numbered(150).map(({ data }, index) => ({ data, addr: index % 3 === 0 ? one.addr : other.addr }));
    assertEquals(await sender.sendMany(items), 150);
    const all = Array.from({ length: 150 }, (_, index) => index);
    assertEquals(numbers(await receiveAll(one, 50)), all.filter((index) => index % 3 === 0));
    assertEquals(numbers(await receiveAll(other, 100)), all.filter((index) => index % 3 !== 0));
  });

  it("sends to names among addresses, in order", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    const { port } = receiver.addr;
    const hosts = ["localhost", LOOPBACK, "localhost", "localhost", LOOPBACK];
    const items = hosts.map((host, index) => ({ data: Uint8Array.of(index), addr: at(host, port) }));
    assertEquals(await sender.sendMany(items), 5);
    assertEquals(numbers(await receiveAll(receiver, 5)), [0, 1, 2, 3, 4]);
  });

  it("sends views, one buffer in many pieces, and one piece many times", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    const memory = bytes("0123456789");
    const views = [[0, 10], [3, 7], [5, 5], [9, 10], [3, 7]].map(([start, end]) => memory.subarray(start, end));
    await sender.sendMany(views.map((data) => ({ data, addr: receiver.addr })));
    const received = await receiveAll(receiver, 5);
    assertEquals(received.map(({ data }) => text(data)), ["0123456789", "3456", "", "9", "3456"]);
  });

  itUnless(noOtherThanPeer, "sends to the connected peer without addresses, and elsewhere with one", async () => {
    using peer = openUdp();
    using third = openUdp();
    using sender = openUdp();
    sender.connect(peer.addr);
    const items = numbered(100).map(({ data }, index) => index % 10 === 5 ? { data, addr: third.addr } : { data });
    assertEquals(await sender.sendMany(items), 100);
    assertEquals(numbers(await receiveAll(third, 10)), Array.from({ length: 10 }, (_, index) => index * 10 + 5));
    assertEquals((await receiveAll(peer, 90)).length, 90);
  });

  it("keeps its place among sends of one", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    const { addr } = receiver;
    const sends: Promise<number>[] = [];
    for (let index = 0; index < 90; index += 3) {
      sends.push(sender.send(Uint8Array.of(index), addr));
      sends.push(sender.sendMany([1, 2].map((next) => ({ data: Uint8Array.of(index + next), addr }))));
    }
    await Promise.all(sends);
    assertEquals(numbers(await receiveAll(receiver, 90)), Array.from({ length: 90 }, (_, index) => index));
  });
});

describe("An error of sendMany()", TIMEOUT, () => {
  for (const before of [0, 1, 5, 63, 64, 65, 130]) {
    it(`reports that ${before} were sent, and those arrive`, async () => {
      using receiver = openUdp();
      using sender = openUdp({ broadcast: false });
      const items = numbered(before + 3, receiver.addr);
      items[before]!.addr = FORBIDDEN;
      const error = await failure(sender, items);
      assertInstanceOf(error, Deno.errors.PermissionDenied);
      assertEquals([error.code, error.sent, error.address], ["EACCES", before, "127.255.255.255:9"]);
      await sender.send(bytes("marker"), receiver.addr);
      assertEquals((await receiveUntilMarker(receiver)).length, before);
      assertEquals(await sender.sendMany(items.slice(before + 1)), 2);
    });
  }

  it("comes before anything is sent if a datagram is too long", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    const items = [...numbered(3, receiver.addr), { data: new Uint8Array(65_508), addr: receiver.addr }];
    const error = await failure(sender, items);
    assertInstanceOf(error, RangeError);
    assertEquals([error.code, error.sent], ["EMSGSIZE", 0]);
    await sender.send(bytes("marker"), receiver.addr);
    assertEquals(await receiveUntilMarker(receiver), []);
  });

  it("reports that none was sent if the socket is closed or the deadline has passed", async () => {
    using receiver = openUdp();
    const sender = openUdp();
    sender.setWriteDeadline(new Date(0));
    const late = await failure(sender, numbered(3, receiver.addr));
    assertEquals([late.code, late.timeout, late.sent], ["ETIMEDOUT", true, 0]);
    sender.close();
    const closed = await sender.sendMany(numbered(3, receiver.addr)).catch((error) => error);
    assertInstanceOf(closed, Deno.errors.BadResource);
    assertEquals((closed as Error & { sent?: number }).sent, 0);
  });

  it("is the signal's reason, unchanged, if it was aborted", async () => {
    using sender = openUdp();
    const reason = Object.freeze(new Error("enough"));
    const options = { signal: AbortSignal.abort(reason) };
    assertStrictEquals(await sender.sendMany(numbered(3, sender.addr), options).catch((error) => error), reason);
  });
});

describe("sendMany() on a connected socket whose peer is gone", TIMEOUT, () => {
  it("reports each refused datagram once", async () => {
    using sender = openUdp();
    sender.connect(deadAddress());
    let left = numbered(5);
    let told = 0;
    while (left.length > 1) {
      const error = await failure(sender, left);
      assertInstanceOf(error, Deno.errors.ConnectionRefused);
      // The first of them was sent, and the second fails with its refusal.
      assertEquals([error.code, error.syscall, error.sent], ["ECONNREFUSED", "sendmsg", 1]);
      left = left.slice(error.sent);
      told++;
    }
    assertEquals([told, await sender.sendMany(left)], [4, 1]);
    assertInstanceOf(await sender.receive().catch((error) => error), Deno.errors.ConnectionRefused);
  });

  itUnless(noOtherThanPeer, "does not name the address of a later datagram", async () => {
    using other = openUdp();
    using sender = openUdp();
    const peer = deadAddress();
    sender.connect(peer);
    const { addr } = other;
    for (
      const call of [
        () => sender.sendMany([{ data: bytes("a") }, { data: bytes("b"), addr }]),
        () => sender.send(bytes("a")).then(() => sender.send(bytes("b"), addr)),
        () => sender.send(bytes("a")).then(() => sender.sendSegments(bytes("bc"), 1, addr)),
      ]
    ) {
      const error = await call().then(() => null, (error) => error);
      assert(error instanceof Deno.errors.ConnectionRefused && isSocketError(error));
      assert(error.address === undefined || error.address.endsWith(`:${peer.port}`), error.message);
      await sender.send(bytes("c"), addr);
      assertEquals(await receiveText(other), "c");
    }
  });

  it("goes on when the peer is back", async () => {
    const addr = deadAddress();
    using sender = openUdp();
    sender.connect(addr);
    assertEquals((await failure(sender, numbered(2))).sent, 1);
    using peer = openUdp({ port: addr.port });
    assertEquals(await sender.sendMany(numbered(70)), 70);
    assertEquals(numbers(await receiveAll(peer, 70)), Array.from({ length: 70 }, (_, index) => index));
  });
});

describe("sendMany() on a socket without a peer", TIMEOUT, () => {
  it("gets no errors of refused datagrams", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    const dead = deadAddress();
    const items = numbered(100).map(({ data }, index) => ({ data, addr: index % 2 === 0 ? dead : receiver.addr }));
    assertEquals(await sender.sendMany(items), 100);
    assertEquals((await receiveAll(receiver, 50)).length, 50);
  });
});

const good = { data: bytes("x"), addr: at(LOOPBACK, 9) };
const given: readonly Row[] = [
  [undefined, TypeError, "undefined"],
  [null, TypeError, "null"],
  [7, TypeError, "7"],
  [{}, TypeError, "got {}"],
  [[undefined], TypeError, "undefined"],
  [[good, null], TypeError, "null"],
  [["text"], TypeError, '"text"'],
  [[good, { addr: good.addr }], TypeError, "undefined"],
  [[{ ...good, data: "text" }], TypeError, "text"],
  [[{ ...good, data: [1] }], TypeError, "Array"],
  [[{ ...good, data: new Uint8Array(new SharedArrayBuffer(4)) }], TypeError, "shared"],
  [[good, { data: good.data }], TypeError, "not connected"],
  [[{ ...good, addr: null }], TypeError, "null"],
  [[{ ...good, addr: at("::1", 9) }], TypeError, "::1"],
  [[{ ...good, addr: at(LOOPBACK, 65_536) }], RangeError, "65536"],
  [[{ ...good, addr: at(LOOPBACK, 1.5) }], TypeError, "1.5"],
  [[{ ...good, addr: at("127.0.0.1:53", 9) }], TypeError, '"127.0.0.1:53"'],
];

refuses("A list of datagrams", given, async (list) => {
  using socket = openUdp();
  try {
    await socket.sendMany(list);
  } catch (error) {
    assertEquals((error as Error & { sent?: number }).sent, 0);
    throw error;
  }
});
