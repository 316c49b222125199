import { assert, assertEquals, assertInstanceOf, assertMatch, assertRejects, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { isSocketError, listen, listenDatagram, type SocketError, type UnixDatagram } from "../../mod.ts";
import { assertTimedOut } from "../support/assertions.ts";
import { bytes, pattern, text } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { after, isPending, PAST, rejection } from "../support/promises.ts";
import { itUnless } from "../support/skipping.ts";
import { startDeno } from "../support/process.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { linuxTable } from "../support/systems.ts";
import { abstractName, Directory, noAbstractNames } from "./support.ts";

noDescriptorLeaks();

/** The address of a Unix datagram socket. */
function at(path: string | null): Deno.UnixAddr {
  return { transport: "unixpacket", path: path as string };
}

/** An unbound socket, or one bound to a path; "" is a name that nobody has: of the system's choice where it can. */
function open(path?: string): UnixDatagram {
  if (path === undefined) return listenDatagram({ transport: "unixgram" });
  const free = path === "" && noAbstractNames !== null ? `${Deno.makeTempDirSync()}/socket` : path;
  return listenDatagram({ transport: "unixgram", path: free });
}

/** Sends numbered datagrams until one has to wait, and gives how they went. */
async function fill(source: UnixDatagram, sink: UnixDatagram): Promise<Promise<number>[]> {
  const sends: Promise<number>[] = [];
  do sends.push(source.send(Uint8Array.of(sends.length), sink.addr)); while (!await isPending(sends.at(-1)!));
  return sends;
}

describe("A Unix datagram socket", TIMEOUT, () => {
  for (const transport of ["unixgram", "unixpacket"] as const) {
    it(`of transport "${transport}" exchanges datagrams by path`, async () => {
      using directory = new Directory();
      using one = listenDatagram({ transport, path: directory.file("one") });
      using two = listenDatagram({ transport, path: directory.file("two") });
      assertEquals([one.addr, two.addr], [at(directory.file("one")), at(directory.file("two"))]);
      await one.send(bytes("question"), two.addr);
      const [question, from] = await two.receive();
      assertEquals([text(question), from], ["question", one.addr]);
      await two.send(bytes("answer"), from);
      const [answer, back] = await one.receive();
      assertEquals([text(answer), back], ["answer", two.addr]);
    });
  }

  it("sends unbound, and its receiver gets a null path", async () => {
    using directory = new Directory();
    using sink = open(directory.file());
    using source = open();
    assertEquals(source.addr, at(null));
    await source.send(bytes("hello"), sink.addr);
    const [data, from] = await sink.receive();
    assertEquals([text(data), from], ["hello", at(null)]);
    await assertRejects(() => sink.send(bytes("answer"), from), TypeError, "Invalid path: null");
  });

  itUnless(
    noAbstractNames,
    "is bound to a name of the system's choice if the path is empty",
    async () => {
      using one = open("");
      using two = open("");
      assertMatch(one.addr.path, /^\0[0-9a-f]{5}$/);
      assert(one.addr.path !== two.addr.path);
      await one.send(bytes("hello"), two.addr);
      assertEquals((await two.receive())[1], one.addr);
    },
  );

  itUnless(noAbstractNames, "has an abstract name on request", async () => {
    const path = abstractName();
    using sink = open(path);
    using source = open();
    await source.send(bytes("hello"), at(path));
    assertEquals([sink.addr, text((await sink.receive())[0])], [at(path), "hello"]);
  });

  it("removes its path when it is closed", () => {
    using directory = new Directory();
    const socket = open(directory.file());
    assertEquals(directory.names, ["socket"]);
    socket.close();
    assertEquals(directory.names, []);
  });

  it("has no multicast groups", async () => {
    using socket = open();
    await assertRejects(() => socket.joinMulticastV4("239.255.1.1", "127.0.0.1"), Deno.errors.NotSupported);
    await assertRejects(() => socket.joinMulticastV6("ff02::1", 1), Deno.errors.NotSupported);
  });
});

describe("A Unix datagram", TIMEOUT, () => {
  for (const length of [0, 1, 4096, 65_535, 65_536, 150_000]) {
    it(`of ${length} bytes arrives whole, in memory of its own and in a buffer`, async () => {
      using sink = open("");
      using source = open();
      const sent = pattern(length);
      for (const p of [undefined, new Uint8Array(200_000)]) {
        assertEquals(await source.send(sent, sink.addr), length);
        const [data] = await sink.receive(p);
        assertEquals(data.length, length);
        assertEquals(data, sent);
      }
    });
  }

  it("is truncated to the buffer it is received into, and the next is whole", async () => {
    using sink = open("");
    using source = open();
    for (const word of ["too long", "fits", "gone", "next"]) await source.send(bytes(word), sink.addr);
    const buffer = new Uint8Array(8).subarray(2, 6);
    const [data] = await sink.receive(buffer);
    assertEquals([text(data), data.byteOffset], ["too ", 2]);
    assertStrictEquals(data.buffer, buffer.buffer);
    assertEquals(text((await sink.receive(buffer))[0]), "fits");
    assertEquals((await sink.receive(new Uint8Array(0)))[0].length, 0);
    assertEquals(text((await sink.receive())[0]), "next");
  });

  it("longer than the send buffer fails, and the socket stays usable", async () => {
    using sink = open("");
    using source = open();
    const error = await rejection(source.send(new Uint8Array(8 << 20), sink.addr));
    assert(isSocketError(error));
    // What BSD lets out, the receiver's buffer may be too short for.
    assert(linuxTable ? error.code === "EMSGSIZE" : ["EMSGSIZE", "ENOBUFS"].includes(error.code), String(error));
    assertEquals([error.syscall, error.address], ["sendmsg", sink.addr.path.replace("\0", "@")]);
    await source.send(bytes("hello"), sink.addr);
    assertEquals(text((await sink.receive())[0]), "hello");
  });

  it("to a path without a datagram socket is NotFound, ConnectionRefused or EPROTOTYPE", async () => {
    using directory = new Directory();
    using source = open();
    using _stream = listen({ transport: "unix", path: directory.file("stream") });
    listenDatagram({ transport: "unixgram", path: directory.file("stale"), unlinkOnClose: false }).close();
    const codes: string[] = [];
    for (
      const [name, errorClass] of [
        ["missing", Deno.errors.NotFound],
        ["stale", Deno.errors.ConnectionRefused],
        ["stream", Error],
      ] as const
    ) {
      const error = await assertRejects(() => source.send(bytes("x"), at(directory.file(name))), errorClass);
      assertEquals((error as SocketError).address, directory.file(name));
      codes.push((error as SocketError).code);
    }
    assertEquals(codes, ["ENOENT", "ECONNREFUSED", "EPROTOTYPE"]);
  });

  it("to an invalid address is refused", async () => {
    using source = open();
    const wrong = [null, "path", { transport: "udp", hostname: "127.0.0.1", port: 9 }];
    for (const addr of wrong) {
      await assertRejects(() => source.send(bytes("x"), addr as Deno.Addr), TypeError, "Not a Unix address");
    }
    for (const path of ["", null, 7]) {
      await assertRejects(() => source.send(bytes("x"), at(path as string)), TypeError, "Invalid path");
    }
    await assertRejects(() => source.send("text" as unknown as Uint8Array, at("x")), TypeError, "Uint8Array");
  });
});

describe("Receives of Unix datagrams", TIMEOUT, () => {
  it("resolve in call order, any number at once", async () => {
    using sink = open("");
    using source = open();
    const receives = Array.from({ length: 50 }, () => sink.receive());
    for (let index = 0; index < 50; index++) await source.send(Uint8Array.of(index), sink.addr);
    assertEquals((await Promise.all(receives)).map(([data]) => data[0]), receives.map((_, index) => index));
  });

  it("end at a deadline, an abort or a close, and lose nothing", async () => {
    using sink = open("");
    using source = open();
    sink.setReadDeadline(after(10));
    assertTimedOut(await rejection(sink.receive()), "recvmsg");
    sink.setReadDeadline(null);
    const abort = new AbortController();
    const aborted = rejection(sink.receive(undefined, { signal: abort.signal }));
    const next = sink.receive();
    abort.abort("enough");
    assertEquals(await aborted, "enough");
    await source.send(bytes("kept"), sink.addr);
    assertEquals(text((await next)[0]), "kept");
    const cut = rejection(sink.receive());
    sink.close();
    assertInstanceOf(await cut, Deno.errors.Interrupted);
    await assertRejects(() => sink.receive(), Deno.errors.BadResource);
    await assertRejects(() => sink.send(bytes("x"), source.addr), Deno.errors.BadResource);
  });

  it("can be an iteration, which ends when the socket is closed", async () => {
    using sink = open("");
    using source = open();
    for (const word of ["one", "two", "three"]) await source.send(bytes(word), sink.addr);
    const arrived: string[] = [];
    for await (const [data] of sink) if (arrived.push(text(data)) === 3) sink.close();
    assertEquals(arrived, ["one", "two", "three"]);
  });
});

describe("Sends to a full queue", TIMEOUT, () => {
  it("wait for room and are then sent in order", async () => {
    using sink = open("");
    using source = open();
    const sends = await fill(source, sink);
    while (sends.length < 200) sends.push(source.send(Uint8Array.of(sends.length), sink.addr));
    for (let index = 0; index < 200; index++) assertEquals((await sink.receive())[0][0], index);
    assertEquals(await Promise.all(sends), sends.map(() => 1));
  });

  it("end at a deadline or an abort, and later ones are sent", async () => {
    using sink = open("");
    using source = open();
    const taken = (await fill(source, sink)).length - 1;
    const abort = new AbortController();
    const aborted = rejection(source.send(bytes("never"), sink.addr, { signal: abort.signal }));
    abort.abort("enough");
    assertEquals(await aborted, "enough");
    source.setWriteDeadline(PAST);
    assertTimedOut(await rejection(source.send(bytes("never"), sink.addr)), "sendmsg");
    source.setWriteDeadline(null);
    // The socket itself has room: it is the receiver's queue that is full.
    await source.socket.writable();
    const last = source.send(bytes("last"), sink.addr);
    for (let index = 0; index < taken; index++) await sink.receive();
    assertEquals(text((await sink.receive())[0]), "last");
    await last;
  });

  it("do not hold the process where the socket is unref'd", async () => {
    using directory = new Directory();
    await using child = startDeno(new URL("./programs/unref_full.ts", import.meta.url), { args: [directory.path] });
    const { success, stdout, report } = await child.finished();
    assert(success, report);
    assertEquals(stdout, '{"waiting":true}\nunloaded');
  });

  it("fail when the receiver is closed meanwhile", async () => {
    using source = open();
    const sink = open("");
    const waiting = (await fill(source, sink)).at(-1)!;
    sink.close();
    // A path goes with its socket.
    await assertRejects(() => waiting, noAbstractNames === null ? Deno.errors.ConnectionRefused : Deno.errors.NotFound);
  });
});
