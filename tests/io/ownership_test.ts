import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { fromFd, listenDatagram, type OwnedFd, Socket, socketPair } from "../../mod.ts";
import { libc } from "../../ffi/libc/libc.ts";
import { TcpConn } from "../../ffi/tcp/tcp.ts";
import { UdpSocket } from "../../ffi/udp/udp.ts";
import { UnixConn } from "../../ffi/unix/unix.ts";
import { descriptorCount, noDescriptorLeaks } from "../support/descriptors.ts";
import { startDeno } from "../support/process.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { connectedPair } from "../tcp/support.ts";
import { linuxTable } from "../support/systems.ts";

noDescriptorLeaks();

const notLinux = linuxTable ? null : "netlink is Linux's";
const AF_NETLINK = 16;

/** Passes an object's descriptor to this process itself. */
async function pass(...things: ({ readonly socket: Socket } | number)[]): Promise<OwnedFd[]> {
  const [one, two] = socketPair("stream");
  await one.sendMessage({ data: Uint8Array.of(1), fds: things });
  const message = await two.receiveMessage();
  one.close();
  two.close();
  return message!.fds;
}

async function passUdp(): Promise<OwnedFd> {
  using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
  return (await pass(udp))[0]!;
}

/** Whether a number is open. */
function isOpen(fd: number): boolean {
  return libc().c.fcntl(fd, libc().system.constants.F_GETFD, 0) !== -1;
}

describe("A descriptor number that an OwnedFd owns", TIMEOUT, () => {
  it("is refused, and stays the OwnedFd's", async () => {
    using owned = await passUdp();
    for (const take of [fromFd, Socket.fromFd]) {
      assertThrows(() => take(owned.fd), TypeError, `Descriptor ${owned.fd} belongs to an OwnedFd`);
    }
    assert(isOpen(owned.fd));
    using udp = owned.open<UdpSocket>();
    assert(udp instanceof UdpSocket);
  });

  it("moves to the object that fromFd makes of the OwnedFd, which is closed from then on", async () => {
    const owned = await passUdp();
    const { fd } = owned;
    const udp = fromFd(owned);
    assert(udp instanceof UdpSocket);
    assertEquals(udp.socket.fd, fd);
    for (const use of [() => owned.fd, () => owned.detach(), () => owned.close(), () => fromFd(owned)]) {
      assertThrows(use, Deno.errors.BadResource);
    }
    owned[Symbol.dispose]();
    assert(isOpen(fd));
    udp.close();
    assert(!isOpen(fd));
  });

  itUnless(notLinux, "stays the OwnedFd's if there is no class for it", async () => {
    using netlink = Socket.open(AF_NETLINK, "raw");
    using owned = (await pass({ socket: netlink }))[0]!;
    assertThrows(() => fromFd(owned), TypeError, "no class here");
    assertThrows(() => owned.open(), TypeError, "no class here");
    assertThrows(() => Socket.fromFd(owned.fd), TypeError, "OwnedFd");
    assert(isOpen(owned.fd));
    const { fd } = owned;
    using taken = Socket.fromFd(owned);
    assertEquals(taken.fd, fd);
    assertThrows(() => owned.fd, Deno.errors.BadResource);
  });

  it("stays the OwnedFd's if it is not a socket", async () => {
    using file = Deno.openSync("/dev/null");
    const [one, two] = socketPair("stream");
    // The number of a file of Deno's is not to be had: the lowest that is free is the one it will get.
    const fd = libc().c.open(new TextEncoder().encode("/dev/null\0"), 0);
    await one.sendMessage({ data: Uint8Array.of(1), fds: [fd] });
    libc().c.close(fd);
    using owned = (await two.receiveMessage())!.fds[0]!;
    assertThrows(() => owned.open(), TypeError, "not a socket");
    assert(isOpen(owned.fd));
    one.close();
    two.close();
    assert(file.statSync().isCharDevice);
  });

  it("is detached once, and then has one owner again", async () => {
    const owned = await passUdp();
    const fd = owned.detach();
    using udp = fromFd(fd) as UdpSocket;
    assertThrows(() => fromFd(fd), TypeError, "belongs to an open socket");
    assertThrows(() => Socket.fromFd(fd), TypeError, "belongs to an open socket");
    assertThrows(() => owned.detach(), Deno.errors.BadResource);
    assertEquals(udp.socket.fd, fd);
  });
});

describe("A descriptor number that a socket owns", TIMEOUT, () => {
  it("is refused as long as it is open, whatever kind of object owns it", async () => {
    using pair = await connectedPair();
    using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
    const [one, two] = socketPair("seqpacket");
    using socket = Socket.open("inet", "dgram");
    using copy = socket.duplicate();
    for (const { fd } of [pair.one.socket, udp.socket, one.socket, two.socket, socket, copy]) {
      assertThrows(() => fromFd(fd), TypeError, "belongs to an open socket");
      assertThrows(() => Socket.fromFd(fd), TypeError, "belongs to an open socket");
    }
    one.close();
    two.close();
  });

  it("can be taken over after detach(), by one object", async () => {
    using pair = await connectedPair();
    const fd = pair.one.detach();
    using conn = fromFd(fd) as TcpConn;
    assert(conn instanceof TcpConn);
    assertThrows(() => fromFd(fd), TypeError, "belongs to an open socket");
    await conn.write(Uint8Array.of(7));
    assertEquals(await pair.two.read(new Uint8Array(4)), 1);
  });

  it("differs from that of a duplicate, which can be closed first", () => {
    const before = descriptorCount();
    const [one, two] = socketPair("stream");
    const copy = one.socket.duplicate();
    assert(copy.fd !== one.socket.fd);
    const again = fromFd(copy.detach());
    assert(again instanceof UnixConn);
    one.close();
    assertThrows(() => one.socket.fd, Deno.errors.BadResource);
    again.close();
    two.close();
    assertEquals(descriptorCount(), before);
  });
});

describe("An OwnedFd that is collected", TIMEOUT, () => {
  itUnless(
    Deno.build.os === "linux" ? null : "no /proc here",
    "closes its number, unless it has moved or was given away",
    async () => {
      const program = new URL("./programs/collected.ts", import.meta.url);
      await using child = startDeno(program, { flags: ["-A", "--v8-flags=--expose-gc"] });
      const { success, stdout, report } = await child.finished();
      assert(success, report);
      assertEquals(JSON.parse(stdout), { kept: 0, moved: 20, detached: 20, received: 40 }, report);
    },
  );
});
