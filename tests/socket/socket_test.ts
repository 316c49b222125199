import { assert, assertEquals, assertFalse, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { libc } from "../../ffi/libc/libc.ts";
import { isSocketError, Socket, sockopt } from "../../mod.ts";
import { bytes } from "../support/bytes.ts";
import { descriptorCount, noDescriptorLeaks } from "../support/descriptors.ts";
import { at, LOOPBACK } from "../support/loopback.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { openUdp } from "../udp/support.ts";
import { connectedPair, nameOf, read, tcpAt } from "./support.ts";

noDescriptorLeaks();

const notLinux = Deno.build.os === "linux" ? null : "no /proc here";

describe("Socket.open()", () => {
  for (const domain of ["inet", "inet6", "unix"] as const) {
    for (const type of ["stream", "dgram"] as const) {
      it(`opens a ${type} socket of ${domain}`, () => {
        using socket = Socket.open(domain, type);
        assert(socket.fd > 2);
        assertFalse(socket.getOption(sockopt.SO_ACCEPTCONN));
      });
    }
  }

  it("takes numbers as the system has them", () => {
    using socket = Socket.open(2, 2, 17);
    assertEquals(socket.getOption(sockopt.SO_TYPE), 2);
    using named = Socket.open("unix", "dgram");
    assertEquals(named.getOption(sockopt.SO_TYPE), 2);
  });

  it("refuses unknown names, and values that are not whole numbers", () => {
    const count = descriptorCount();
    for (
      const [domain, type, protocol, quoted] of [
        ["ipx", "dgram", 0, '"ipx"'],
        ["inet", "dgramm", 0, '"dgramm"'],
        ["toString", "dgram", 0, '"toString"'],
        [NaN, "dgram", 0, "domain"],
        ["inet", 1.5, 0, "1.5"],
        ["inet", "dgram", "udp", '"udp"'],
      ] as unknown as [number, number, number, string][]
    ) {
      assertThrows(() => Socket.open(domain, type, protocol), TypeError, quoted);
    }
    assertEquals(descriptorCount(), count);
  });

  it("reports the system's error for unknown numbers", () => {
    const error = assertThrows(() => Socket.open(9999, "dgram"), Error, "socket:");
    assert(isSocketError(error));
    assertEquals([error.code, error.syscall], ["EAFNOSUPPORT", "socket"]);
  });

  itUnless(
    notLinux,
    "gives every descriptor close-on-exec and non-blocking from birth, as accept and duplicate do",
    async () => {
      using pair = await connectedPair();
      using duplicate = pair.client.duplicate();
      using udp = openUdp();
      for (const { fd } of [pair.client, pair.server, duplicate, udp.socket]) {
        const [, flags] = Deno.readTextFileSync(`/proc/self/fdinfo/${fd}`).match(/^flags:\s+([0-7]+)$/m)!;
        // O_CLOEXEC and O_NONBLOCK.
        assertEquals(parseInt(flags!, 8) & 0o2004000, 0o2004000, `descriptor ${fd}`);
      }
    },
  );
});

describe("Addresses of a Socket", TIMEOUT, () => {
  it("may be the bytes of a sockaddr", async () => {
    using listener = Socket.open("inet", "stream");
    // AF_INET, port 0, 127.0.0.1.
    const family = libc().system.layout.sockaddrHasLength ? [16, 2] : [2, 0];
    listener.bind(Uint8Array.of(...family, 0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0));
    listener.listen();
    const { port } = nameOf(listener);
    using client = Socket.open("inet", "stream");
    await client.connect(Uint8Array.of(...family, port >> 8, port & 255, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0));
    (await listener.accept()).close();
  });

  it("are refused if they are invalid", async () => {
    using socket = Socket.open("inet", "dgram");
    for (
      const [address, quoted] of [
        [at("localhost", 9), '"localhost"'],
        [{ ...at(LOOPBACK, 9), port: NaN }, "NaN"],
        [null, "null"],
        [{}, "{}"],
        ["127.0.0.1:9", '"127.0.0.1:9"'],
        [new Uint8Array(1), "1 bytes"],
        [new Uint8Array(129), "129 bytes"],
      ] as unknown as [Deno.NetAddr, string][]
    ) {
      assertThrows(() => socket.bind(address), TypeError, quoted);
      await assertRejects(() => socket.connect(address), TypeError, quoted);
      await assertRejects(() => socket.send(bytes("x"), address), TypeError, quoted);
    }
  });
});

describe("duplicate(), detach() and fromFd()", TIMEOUT, () => {
  it("make a second descriptor of the same socket, each closed for itself", async () => {
    using pair = await connectedPair();
    const duplicate = pair.server.duplicate();
    assert(duplicate.fd !== pair.server.fd);
    pair.server.close();
    await pair.client.send(bytes("still open"));
    assertEquals(await read(duplicate, 10), "still open");
    duplicate.close();
    assertEquals(await read(pair.client), "");
  });

  it("detach the number, and take it over", async () => {
    using pair = await connectedPair();
    const { fd } = pair.server;
    assertEquals(pair.server.detach(), fd);
    assertThrows(() => pair.server.fd, Deno.errors.BadResource);
    using again = Socket.fromFd(fd);
    assertEquals(again.fd, fd);
    await again.send(bytes("hello"));
    assertEquals(await read(pair.client, 5), "hello");
  });

  it("make a blocking socket non-blocking", async () => {
    const { c, system: { constants } } = libc();
    using socket = Socket.fromFd(c.socket(constants.AF_INET, constants.SOCK_DGRAM, 0));
    socket.bind(at(LOOPBACK, 0));
    // A call that blocked would be the end of this test.
    const waiting = socket.receive(new Uint8Array(4));
    using sender = openUdp();
    await sender.send(bytes("x"), at(LOOPBACK, nameOf(socket).port));
    assertEquals((await waiting).length, 1);
  });
});

describe("A Socket that is closed", () => {
  it("throws BadResource at once, and is disposed silently", async () => {
    const socket = Socket.open("inet", "dgram");
    socket.close();
    assertThrows(() => socket.close(), Deno.errors.BadResource);
    socket[Symbol.dispose]();
    const calls: Record<string, () => unknown> = {
      fd: () => socket.fd,
      bind: () => socket.bind(at(LOOPBACK, 0)),
      listen: () => socket.listen(),
      shutdown: () => socket.shutdown("both"),
      getOption: () => socket.getOption(sockopt.SO_TYPE),
      setOption: () => socket.setOption(sockopt.SO_REUSEADDR, true),
      getRawOption: () => socket.getRawOption(1, 3, 4),
      setRawOption: () => socket.setRawOption(1, 2, 1),
      duplicate: () => socket.duplicate(),
      detach: () => socket.detach(),
    };
    for (const [name, call] of Object.entries(calls)) assertThrows(call, Deno.errors.BadResource, undefined, name);
    const waits: Record<string, () => Promise<unknown>> = {
      connect: () => socket.connect(tcpAt(9)),
      accept: () => socket.accept(),
      receive: () => socket.receive(new Uint8Array(1)),
      send: () => socket.send(bytes("x")),
      readable: () => socket.readable(),
      writable: () => socket.writable(),
    };
    for (const [name, wait] of Object.entries(waits)) {
      await assertRejects(wait, Deno.errors.BadResource, undefined, name);
    }
  });

  it("at the end of a block is closed once, whatever the block did", () => {
    const count = descriptorCount();
    {
      using socket = Socket.open("inet", "dgram");
      socket.bind(at(LOOPBACK, 0));
    }
    {
      using socket = Socket.open("inet", "dgram");
      socket.close();
    }
    assertEquals(descriptorCount(), count);
  });
});
