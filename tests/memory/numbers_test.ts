import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { isSocketError, listen, listenDatagram, resolveAddress, Socket, socketPair, sockopt } from "../../mod.ts";
import { libc } from "../../ffi/libc/libc.ts";
import { readSource } from "../../ffi/udp/source.ts";
import { pattern } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { LOOPBACK } from "../support/loopback.ts";
import { isPending, rejection } from "../support/promises.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { connectedPair } from "../tcp/support.ts";
import { linuxTable } from "../support/systems.ts";

noDescriptorLeaks();

const notLinux = linuxTable ? null : "the numbers are Linux's";
const [SOL_SOCKET, SO_RCVBUF, SO_ATTACH_FILTER, SO_GET_FILTER, SO_MAX_PACING_RATE] = [1, 8, 26, 26, 47];
const INSTRUCTION = 8;

/** A filter of so many instructions, each of which lets everything pass. */
function attachFilter(socket: Socket, instructions: number): Uint8Array {
  const program = new Uint8Array(instructions * INSTRUCTION);
  const view = new DataView(program.buffer);
  for (let at = 0; at < program.length; at += INSTRUCTION) {
    view.setUint16(at, 0x06, true);
    view.setUint32(at + 4, 0xffff_0000 + at, true);
  }
  const fprog = new DataView(new ArrayBuffer(16));
  fprog.setUint16(0, instructions, true);
  fprog.setBigUint64(8, libc().addressOf(program), true);
  socket.setRawOption(SOL_SOCKET, SO_ATTACH_FILTER, new Uint8Array(fprog.buffer));
  return program;
}

describe("An option whose length counts another unit than bytes", () => {
  itUnless(notLinux, "has room for as many as fit the bytes asked for, and no more are written", () => {
    using socket = Socket.open("inet", "dgram");
    const program = attachFilter(socket, 300);
    for (const length of [2400, 2407, 4096, 65_536]) {
      assertEquals(socket.getRawOption(SOL_SOCKET, SO_GET_FILTER, length), program, String(length));
    }
    for (const length of [0, 1, 7]) {
      assertEquals(socket.getRawOption(SOL_SOCKET, SO_GET_FILTER, length), new Uint8Array(0));
    }
    for (const length of [8, 300, 2399]) {
      const error = assertThrows(() => socket.getRawOption(SOL_SOCKET, SO_GET_FILTER, length), Error, "EINVAL");
      assert(isSocketError(error));
    }
  });
});

describe("A number beyond 32 bits", () => {
  itUnless(notLinux, "is refused as an option's value, level or name, and nothing is set", () => {
    using socket = Socket.open("inet", "dgram");
    const before = socket.getOption(sockopt.SO_RCVBUF);
    for (const beyond of [2 ** 32, 2 ** 32 + 4096, -(2 ** 32), -(2 ** 40), 2 ** 52]) {
      assertThrows(() => socket.setRawOption(SOL_SOCKET, SO_RCVBUF, beyond), RangeError, String(beyond));
      assertThrows(() => socket.setRawOption(beyond + SOL_SOCKET, SO_RCVBUF, 4096), RangeError, "level");
      assertThrows(() => socket.setRawOption(SOL_SOCKET, beyond + SO_RCVBUF, 4096), RangeError, "option");
      assertThrows(() => socket.getRawOption(beyond + SOL_SOCKET, SO_RCVBUF, 4), RangeError, "level");
      assertThrows(() => socket.getRawOption(SOL_SOCKET, beyond + SO_RCVBUF, 4), RangeError, "option");
      assertThrows(() => socket.setOption(sockopt.SO_RCVBUF, beyond), RangeError, String(beyond));
    }
    assertEquals(socket.getOption(sockopt.SO_RCVBUF), before);
    socket.setRawOption(SOL_SOCKET, SO_MAX_PACING_RATE, 4096);
    socket.setRawOption(SOL_SOCKET, SO_MAX_PACING_RATE, 2 ** 32 - 1);
    assertEquals(socket.getRawOption(SOL_SOCKET, SO_MAX_PACING_RATE, 4), Uint8Array.of(255, 255, 255, 255));
  });

  it("is refused as a domain, a type, a protocol or a direction", () => {
    for (const open of [[2 + 2 ** 32, 2], [2, 2 + 2 ** 32], [2, 2, 2 ** 32]] as const) {
      assertThrows(() => Socket.open(...open as [number, number, number]), Error);
    }
    using socket = Socket.open("inet", "dgram");
    assertThrows(() => socket.shutdown(2 ** 32 as unknown as "read"), RangeError, "4294967296");
  });

  it("is refused as a zone or an interface", async () => {
    assertThrows(() => listen({ hostname: "fe80::1%4294967299", port: 0 }), RangeError, "4294967299");
    await assertRejects(() => resolveAddress("ip", "fe80::1%4294967299"), RangeError, "4294967299");
    for (const index of [2 ** 32 + 1, -1]) {
      assertThrows(() => readSource({ source: LOOPBACK, interfaceIndex: index }), RangeError, String(index));
      using socket = listenDatagram({ transport: "udp", hostname: LOOPBACK });
      assertThrows(() => socket.joinMulticast("239.255.0.9", { interface: index }), TypeError, String(index));
      assertThrows(() => socket.setMulticastInterface(index), TypeError, String(index));
    }
    assertThrows(() => readSource({ interfaceIndex: 1.5 }), TypeError, "1.5");
  });
});

describe("An array of more than 4 GiB", TIMEOUT, () => {
  /** No page of it is in memory before it is written. */
  const huge = () => new Uint8Array(2 ** 32 + 3);

  it("is too long a message, and no part of it is sent", async () => {
    const [one, two] = socketPair("seqpacket");
    using to = listenDatagram({ transport: "udp", hostname: LOOPBACK });
    using sink = listenDatagram({ transport: "unixgram", path: "" });
    using source = listenDatagram({ transport: "unixgram" });
    const p = huge();
    const sends = [
      one.send(p),
      one.sendMessage({ data: p }),
      to.send(p, to.addr),
      to.sendMany([{ data: p, addr: to.addr }]),
      source.send(p, sink.addr),
      to.socket.send(p, to.addr),
    ];
    for (const [index, send] of sends.entries()) {
      const error = await rejection(send);
      assert(isSocketError(error), `${index}: ${error}`);
      assertEquals([error.code, error.errno], ["EMSGSIZE", libc().system.errors.EMSGSIZE]);
    }
    for (const waiting of [two.receive(), to.receive(), sink.receive()]) {
      waiting.catch(() => {});
      assert(await isPending(waiting));
    }
    one.close();
    two.close();
  });

  it("is read into as far as there is data", async () => {
    using pair = await connectedPair();
    const [one, two] = socketPair("stream");
    using to = listenDatagram({ transport: "udp", hostname: LOOPBACK });
    const p = huge();
    for (const [from, conn] of [[pair.one, pair.two], [one, two]] as const) {
      await from.write(pattern(1000));
      assertEquals(await conn.read(p), 1000);
      assertEquals(p.slice(0, 1000), pattern(1000));
    }
    await to.send(pattern(9), to.addr);
    assertEquals((await to.receive(p))[0], pattern(9));
    one.close();
    two.close();
  });

  it("is written while timers fire, and an error has the number of bytes sent", async () => {
    using pair = await connectedPair();
    const writing = rejection(pair.one.write(huge()));
    await new Promise((resolve) => setTimeout(resolve, 1));
    assert(await isPending(writing));
    pair.one.close();
    const error = await writing;
    assertInstanceOf(error, Deno.errors.Interrupted);
    const { bytesWritten } = error as { bytesWritten?: number };
    assert(bytesWritten! > 0 && bytesWritten! < 2 ** 31, String(bytesWritten));
  });
});

describe("A descriptor number", () => {
  it("is refused beyond 31 bits", () => {
    for (const fd of [-1, 1.5, 2 ** 31, 2 ** 32 + 3, NaN]) {
      assertThrows(() => Socket.fromFd(fd), TypeError, String(fd));
    }
  });
});
