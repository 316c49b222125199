import { assert, assertEquals, assertInstanceOf, assertRejects, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { listenDatagram, Socket, socketPair, sockopt, type UdpSocket, type UnixMessage } from "../../mod.ts";
import { readExactly, readToEnd } from "../conformance/stream/pair.ts";
import { bytes, pattern, text } from "../support/bytes.ts";
import { descriptorCount, noDescriptorLeaks } from "../support/descriptors.ts";
import { noOwnCalls } from "../support/kernel.ts";
import { run } from "../support/process.ts";
import { isPending, rejection } from "../support/promises.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { isCloseOnExec, leadsTo, PAIRS, TRANSPORTS } from "./support.ts";
import { noSeqpacket } from "../support/systems.ts";
import { describeUnless, itUnless } from "../support/skipping.ts";

noDescriptorLeaks();

/** SCM_MAX_FD. */
const MOST = 253;

function openUdp(): UdpSocket {
  return listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
}

/** Closes what came with a message, and gives what each led to. */
function closeAll(message: UnixMessage | null): (string | null)[] {
  assert(message !== null);
  return message.fds.map((fd) => {
    const target = leadsTo(fd.fd);
    fd.close();
    return target;
  });
}

describe("A plain read of bytes that carried descriptors", TIMEOUT, () => {
  it("is followed by what lies behind them, without waiting for more", async () => {
    const [one, two] = socketPair("stream");
    using _one = one;
    using _two = two;
    using udp = openUdp();
    for (let round = 0; round < 3; round++) {
      // The read waits, so that both messages are there by the time that readiness is reported, once.
      const first = two.read(new Uint8Array(16));
      assert(await isPending(first));
      await Promise.all([one.sendMessage({ data: bytes("abc"), fds: [udp] }), one.write(bytes("defg"))]);
      assertEquals([await first, await two.read(new Uint8Array(16))], [3, 4]);
    }
  });
});

for (const [name, makePair] of TRANSPORTS.map((transport) => [transport, PAIRS[transport]] as const)) {
  describe(`Passing descriptors over ${name}`, TIMEOUT, () => {
    it("gives the peer duplicates of the sockets, and keeps the originals open", async () => {
      const [one, two] = makePair();
      using open = new DisposableStack();
      [one, two].forEach((conn) => open.use(conn));
      const udp = open.use(openUdp());
      const socket = open.use(Socket.open("inet", "dgram"));
      await one.sendMessage({ data: bytes("x"), fds: [udp, socket, udp.socket.fd, { fd: socket.fd }] });
      const message = await two.receiveMessage();
      const expected = [udp.socket.fd, socket.fd, udp.socket.fd, socket.fd];
      assertEquals([message!.fds.length, message!.truncated, text(message!.data)], [4, false, "x"]);
      for (const fd of message!.fds) assert(!expected.includes(fd.fd));
      assertEquals(closeAll(message), expected.map(leadsTo));
      assertEquals(await udp.send(new Uint8Array(1), udp.addr), 1);
    });

    it("passes what it received on", async () => {
      const [one, two] = makePair();
      using open = new DisposableStack();
      [one, two].forEach((conn) => open.use(conn));
      const udp = open.use(openUdp());
      const target = leadsTo(udp.socket.fd);
      await one.sendMessage({ data: bytes("x"), fds: [udp] });
      udp.close();
      const received = open.use((await two.receiveMessage())!.fds[0]!);
      await two.sendMessage({ data: bytes("x"), fds: [received] });
      received.close();
      assertEquals(closeAll(await one.receiveMessage()), [target]);
    });

    it(`passes ${MOST} in one message, and refuses one more before the system call`, async () => {
      const [one, two] = makePair();
      using _one = one;
      using _two = two;
      using udp = openUdp();
      const before = descriptorCount();
      await one.sendMessage({ data: bytes("full"), fds: Array(MOST).fill(udp) });
      const message = await two.receiveMessage({ maxFds: MOST });
      assertEquals([message!.truncated, descriptorCount()], [false, before + MOST]);
      assertEquals(new Set(closeAll(message)), new Set([leadsTo(udp.socket.fd)]));
      const tooMany = one.sendMessage({ data: bytes("more"), fds: Array(MOST + 1).fill(udp) });
      await assertRejects(() => tooMany, RangeError, "254 descriptors in one message, expected at most 253");
      await one.sendMessage({ data: bytes("next") });
      assertEquals(text((await two.receiveMessage())!.data), "next");
      assertEquals(descriptorCount(), before);
    });

    it("makes received descriptors close-on-exec: no child inherits them", async () => {
      const [one, two] = makePair();
      using _one = one;
      using _two = two;
      using udp = openUdp();
      await one.sendMessage({ data: bytes("x"), fds: [udp, udp] });
      const message = await two.receiveMessage();
      using received = message!.fds[0]!;
      using opened = message!.fds[1]!.open();
      assertEquals([received.fd, opened.socket.fd].map(isCloseOnExec), [true, true]);
      const { stdout } = await run("ls", ["-l", "/proc/self/fd"]);
      assert(!stdout.includes(leadsTo(udp.socket.fd)!), stdout);
    });

    itUnless(noOwnCalls, "closes descriptors beyond maxFds, and marks the message as truncated", async () => {
      const [one, two] = makePair();
      using _one = one;
      using _two = two;
      using udp = openUdp();
      const before = descriptorCount();
      for (const [sent, maxFds] of [[2, 1], [5, 2], [4, 3], [1, 0], [MOST, 0], [MOST, 252], [17, undefined]] as const) {
        await one.sendMessage({ data: bytes("x"), fds: Array(sent).fill(udp) });
        const message = await two.receiveMessage(maxFds === undefined ? {} : { maxFds });
        assertEquals([message!.fds.length, message!.truncated], [maxFds ?? 16, true], `${sent} and ${maxFds}`);
        closeAll(message);
        assertEquals(descriptorCount(), before);
      }
    });

    it("receives exactly as many as requested", async () => {
      const [one, two] = makePair();
      using _one = one;
      using _two = two;
      using udp = openUdp();
      for (const [sent, maxFds] of [[0, 0], [1, 1], [3, 3], [16, undefined], [3, 16]] as const) {
        await one.sendMessage({ data: bytes("x"), fds: Array(sent).fill(udp) });
        const message = await two.receiveMessage(maxFds === undefined ? {} : { maxFds });
        assertEquals([message!.fds.length, message!.truncated], [sent, false]);
        closeAll(message);
      }
    });

    it("refuses a value without a descriptor, and quotes it", async () => {
      const [one, two] = makePair();
      using _one = one;
      using _two = two;
      const closed = openUdp();
      closed.close();
      for (const wrong of [-1, 1.5, NaN, 2 ** 31, 2 ** 40, "3", null, undefined, {}, { socket: {} }]) {
        const error = await rejection(one.sendMessage({ data: bytes("x"), fds: [wrong as number] }));
        assertInstanceOf(error, TypeError);
        assert(error.message.startsWith("fds[0]: Not a descriptor: "), error.message);
      }
      for (const gone of [closed, closed.socket, 999_999]) {
        await assertRejects(() => one.sendMessage({ data: bytes("x"), fds: [gone] }), Deno.errors.BadResource);
      }
      one.close();
      assertEquals(await two.receiveMessage(), null);
    });

    it("passes no descriptor of a socket that was closed while the message waited", async () => {
      const [one, two] = makePair();
      using _one = one;
      using _two = two;
      one.socket.setOption(sockopt.SO_SNDBUF, 8192);
      const filling = Array.from({ length: 20 }, () => one.sendMessage({ data: pattern(4096) }));
      const udp = openUdp();
      const refused = rejection(one.sendMessage({ data: bytes("never"), fds: [udp] }));
      const last = one.sendMessage({ data: bytes("last") });
      assert(await isPending(last));
      const { fd } = udp.socket;
      udp.close();
      using other = openUdp();
      assertStrictEquals(other.socket.fd, fd);
      let arrived = 0;
      while (arrived < 20 * 4096 + 4) {
        const message = await two.receiveMessage();
        assertEquals(message!.fds.length, 0);
        arrived += message!.data.length;
      }
      assertInstanceOf(await refused, Deno.errors.BadResource);
      await Promise.all([...filling, last]);
    });

    it("gives waiting receives one message each, and loses none to an abort", async () => {
      const [one, two] = makePair();
      using _one = one;
      using _two = two;
      using udp = openUdp();
      const abort = new AbortController();
      const receives = [two.receiveMessage(), two.receiveMessage({ signal: abort.signal }), two.receiveMessage()];
      const aborted = rejection(receives[1]!);
      abort.abort("enough");
      assertEquals(await aborted, "enough");
      await one.sendMessage({ data: bytes("1"), fds: [udp] });
      await one.sendMessage({ data: bytes("2"), fds: [udp, udp] });
      assertEquals((await Promise.all([receives[0]!, receives[2]!])).map((one) => closeAll(one).length), [1, 2]);
    });
  });
}

describe("On a stream", TIMEOUT, () => {
  it("descriptors without data are refused, since the system would drop them", async () => {
    const [one, two] = socketPair("stream");
    using _two = two;
    using udp = openUdp();
    const call = () => one.sendMessage({ data: new Uint8Array(0), fds: [udp] });
    await assertRejects(call, TypeError, "Descriptors without data: on a stream, send at least one byte");
    assertEquals(await one.sendMessage({ data: new Uint8Array(0), fds: [] }), 0);
    one.close();
    assertEquals(await two.receiveMessage(), null);
  });

  it("descriptors of two messages are never mixed", async () => {
    const [one, two] = socketPair("stream");
    using _two = two;
    using udp = openUdp();
    await one.write(bytes("AA"));
    await one.sendMessage({ data: bytes("BB"), fds: [udp] });
    await one.sendMessage({ data: bytes("CC"), fds: [udp, udp] });
    await one.write(bytes("DD"));
    one.close();
    const messages: [text: string, fds: number][] = [];
    for (let message = await two.receiveMessage(); message !== null; message = await two.receiveMessage()) {
      messages.push([text(message.data), closeAll(message).length]);
    }
    assertEquals(messages.map(([text]) => text).join(""), "AABBCCDD");
    assertEquals(messages.filter(([, fds]) => fds > 0).map(([, fds]) => fds), [1, 2]);
  });

  it("a message that waits has its descriptors with its first bytes, and all of its data", async () => {
    const [one, two] = socketPair("stream");
    using _one = one;
    using _two = two;
    using udp = openUdp();
    one.socket.setOption(sockopt.SO_SNDBUF, 8192);
    const sending = one.sendMessage({ data: pattern(1 << 20), fds: [udp] });
    assert(await isPending(sending));
    const first = await two.receiveMessage();
    assertEquals(closeAll(first), [leadsTo(udp.socket.fd)]);
    const [rest] = await Promise.all([readExactly(two, (1 << 20) - first!.data.length), sending]);
    assertEquals(await sending, 1 << 20);
    assertEquals(rest, pattern(1 << 20).subarray(first!.data.length));
  });

  it("a plain read drops descriptors, leaves none open and loses no data", async () => {
    const [one, two] = socketPair("stream");
    using _two = two;
    using udp = openUdp();
    const before = descriptorCount();
    for (let index = 0; index < 5; index++) await one.sendMessage({ data: bytes("AB"), fds: [udp, udp, udp] });
    const first = new Uint8Array(1);
    assertEquals([await two.read(first), text(first)], [1, "A"]);
    const raw = new Uint8Array(2);
    assertEquals((await two.socket.receive(raw)).length > 0, true);
    assertEquals(descriptorCount(), before);
    one.close();
    assertEquals((await readToEnd(two)).length >= 7, true);
    assertEquals(descriptorCount(), before - 1);
  });

  it("readable drops them too", async () => {
    const [one, two] = socketPair("stream");
    using udp = openUdp();
    for (let index = 0; index < 5; index++) await one.sendMessage({ data: bytes("AB"), fds: [udp] });
    one.close();
    assertEquals(await new Response(two.readable).text(), "ABABABABAB");
  });
});

describeUnless(noSeqpacket, "On seqpacket", TIMEOUT, () => {
  it("descriptors can be sent without data, and a plain receive closes them", async () => {
    const [one, two] = socketPair("seqpacket");
    using _two = two;
    using udp = openUdp();
    const before = descriptorCount();
    await one.sendMessage({ data: new Uint8Array(0), fds: [udp] });
    assertEquals(closeAll(await two.receiveMessage()).length, 1);
    await one.sendMessage({ data: new Uint8Array(0), fds: [udp] });
    assertEquals(await two.receive(), new Uint8Array(0));
    await one.sendMessage({ data: bytes("x"), fds: [udp] });
    assertEquals(await two.receive(), bytes("x"));
    assertEquals(descriptorCount(), before);
    one.close();
    assertEquals(await two.receiveMessage(), null);
  });

  it("truncated data loses no descriptors", async () => {
    const [one, two] = socketPair("seqpacket");
    using _one = one;
    using _two = two;
    using udp = openUdp();
    for (const maxLength of [0, 3]) {
      await one.sendMessage({ data: bytes("abcdef"), fds: [udp] });
      const message = await two.receiveMessage({ maxLength });
      assertEquals([text(message!.data), message!.truncated], ["abcdef".slice(0, maxLength), true]);
      assertEquals(closeAll(message), [leadsTo(udp.socket.fd)]);
    }
  });
});
