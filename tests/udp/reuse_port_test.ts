import { assert, assertEquals, assertFalse, assertInstanceOf, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { isSocketError, listenDatagram, Socket, sockopt, type UdpSocket } from "../../mod.ts";
import { bytes, text } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { LOOPBACK } from "../support/loopback.ts";
import { startDeno } from "../support/process.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { openUdp, receiveText } from "./support.ts";
import { noSharedLoad } from "../support/systems.ts";
import { itUnless } from "../support/skipping.ts";
import { thisSystem } from "../../ffi/libc/host.ts";

noDescriptorLeaks();

const SOURCES = 64;
const PROGRAM = new URL("./programs/answer.ts", import.meta.url);

/** Opens sockets and closes them all at the end of the block. */
function openMany(count: number, open: () => UdpSocket): { sockets: UdpSocket[] } & Disposable {
  const stack = new DisposableStack();
  const sockets = Array.from({ length: count }, () => stack.use(open()));
  return { sockets, [Symbol.dispose]: () => stack.dispose() };
}

/** What a second bind of the same port fails with. */
function bindFailure(first: UdpSocket, reusePort: boolean): Error {
  return assertThrows(
    () => openUdp({ port: first.addr.port, reusePort }).close(),
    Deno.errors.AddrInUse,
  );
}

describe("reusePort", TIMEOUT, () => {
  itUnless(
    noSharedLoad,
    "distributes 64 source ports over four sockets, reaches each of them and loses nothing",
    async () => {
      using first = openUdp({ reusePort: true });
      const { port } = first.addr;
      using others = openMany(3, () => openUdp({ port, reusePort: true }));
      using sources = openMany(SOURCES, () => openUdp());
      const receivers = [first, ...others.sockets];
      const received = receivers.map((): string[] => []);
      const all = Promise.withResolvers<void>();
      let left = SOURCES * 3;
      const loops = receivers.map(async (receiver, index) => {
        for await (const [data, from] of receiver) {
          received[index]!.push(`${from.port} ${text(data)}`);
          if (--left === 0) all.resolve();
        }
      });
      for (const round of ["one", "two", "three"]) {
        for (const source of sources.sockets) await source.send(bytes(round), first.addr);
      }
      await all.promise;
      for (const receiver of receivers) receiver.close();
      await Promise.all(loops);
      const expected = sources.sockets.flatMap(({ addr }) =>
        ["one", "two", "three"].map((round) => `${addr.port} ${round}`)
      );
      assertEquals(received.flat().sort(), expected.sort());
      for (const [index, lines] of received.entries()) {
        assert(lines.length > 0, `socket ${index} received nothing`);
        // A flow stays with its socket.
        assertEquals(lines.length % 3, 0);
      }
    },
  );

  itUnless(noSharedLoad, "lets two processes share a port", async () => {
    using ours = openUdp({ reusePort: true });
    await using child = startDeno(PROGRAM, { args: [String(ours.addr.port), "theirs"] });
    await child.waitForLine(/^ready$/);
    using sources = openMany(SOURCES, () => openUdp());
    const answering = (async () => {
      for await (const [, from] of ours) await ours.send(bytes("ours"), from);
    })();
    const answers = sources.sockets.map(receiveText);
    for (const source of sources.sockets) await source.send(bytes("who?"), ours.addr);
    const counts = Object.groupBy(await Promise.all(answers), (answer) => answer);
    ours.close();
    await answering;
    assertEquals(Object.keys(counts).sort(), ["ours", "theirs"]);
    assertEquals(counts.ours!.length + counts.theirs!.length, SOURCES);
  });

  itUnless(noSharedLoad, "delivers everything from its peer to a connected socket", async () => {
    using peer = openUdp();
    using first = openUdp({ reusePort: true });
    using others = openMany(3, () => openUdp({ port: first.addr.port, reusePort: true }));
    const pinned = others.sockets[1]!;
    pinned.connect(peer.addr);
    for (let index = 0; index < 10; index++) await peer.send(bytes(String(index)), first.addr);
    for (let index = 0; index < 10; index++) assertEquals(await receiveText(pinned), String(index));
  });

  itUnless(noSharedLoad, "can be set by control instead", () => {
    const control = (socket: Socket) => socket.setOption(sockopt.SO_REUSEPORT, true);
    using first = openUdp({ control });
    using second = openUdp({ port: first.addr.port, control });
    assertEquals(second.addr, first.addr);
  });

  itUnless(noSharedLoad, "works on both families", () => {
    using first = openUdp({ hostname: "::1", reusePort: true });
    using second = openUdp({ hostname: "::1", port: first.addr.port, reusePort: true });
    assertEquals(second.addr, first.addr);
  });
});

describe("A second bind of one port", TIMEOUT, () => {
  it("is AddrInUse with code, errno, syscall and the address in its message", () => {
    using first = openUdp();
    const error = bindFailure(first, false);
    const address = `${LOOPBACK}:${first.addr.port}`;
    assert(isSocketError(error));
    assertEquals([error.code, error.syscall, error.address, error.timeout], ["EADDRINUSE", "bind", address, false]);
    assert(error.errno > 0);
    assertStringIncludes(error.message, address);
    assertStringIncludes(error.message, "reusePort");
  });

  itUnless(noSharedLoad, "fails too if only one of the two sockets has reusePort", () => {
    using plain = openUdp();
    using shared = openUdp({ reusePort: true });
    assertInstanceOf(bindFailure(plain, true), Error);
    assertInstanceOf(bindFailure(shared, false), Error);
  });
});

describe("By default", TIMEOUT, () => {
  it("no socket has SO_REUSEPORT", () => {
    using udp = openUdp();
    using group = openUdp({ hostname: "239.255.7.1" });
    using shared = openUdp({ reuseAddress: true });
    using raw = Socket.open("inet", "dgram");
    // Where SO_REUSEADDR is not enough to share a port, these have both.
    const shares = thisSystem().multicastNeedsReusePort ? [] : [group.socket, shared.socket];
    for (const socket of [udp.socket, ...shares, raw]) {
      assertFalse(socket.getOption(sockopt.SO_REUSEPORT));
    }
  });

  it("SO_REUSEADDR is on for a multicast group and for nothing else", () => {
    using udp = listenDatagram({ transport: "udp" });
    using group = openUdp({ hostname: "239.255.7.1" });
    using exclusive = openUdp({ hostname: "239.255.7.1", reuseAddress: false });
    assertFalse(udp.socket.getOption(sockopt.SO_REUSEADDR));
    assert(group.socket.getOption(sockopt.SO_REUSEADDR));
    assertFalse(exclusive.socket.getOption(sockopt.SO_REUSEADDR));
  });
});
