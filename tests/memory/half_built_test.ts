import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { connect, fromFd, listenDatagram, Socket, socketPair, sockopt, type TcpConn } from "../../mod.ts";
import { takeOver } from "../../ffi/io/descriptor.ts";
import { ownerOf } from "../../ffi/io/ownership.ts";
import { libc } from "../../ffi/libc/libc.ts";
import { unwrap } from "../../ffi/libc/socket_error.ts";
import { setOptions } from "../../ffi/option/option.ts";
import { descriptorCount, noDescriptorLeaks } from "../support/descriptors.ts";
import { rejection } from "../support/promises.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { connectedPair, listenTcp } from "../tcp/support.ts";
import { linuxTable } from "../support/systems.ts";

noDescriptorLeaks();

const notLinux = linuxTable ? null : "the calls are Linux's";
const AF_NETLINK = 16;

function keepAliveOf({ socket }: TcpConn): unknown[] {
  const { SO_KEEPALIVE, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT } = sockopt;
  return [SO_KEEPALIVE, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT].map((option) =>
    socket.getOption<boolean | number>(option)
  );
}

/** Status and descriptor flags of a number. */
function flagsOf(fd: number): [status: number, descriptor: number] {
  const { c, system: { constants } } = libc();
  return [unwrap(c.fcntl(fd, constants.F_GETFL, 0), "fcntl"), unwrap(c.fcntl(fd, constants.F_GETFD, 0), "fcntl")];
}

/** A socket as other programs make it: it blocks, and children inherit it. */
function plainSocket(domain: number, type: number): number {
  return unwrap(libc().c.socket(domain, type, 0), "socket");
}

describe("Options of which one is refused", TIMEOUT, () => {
  it("change nothing if the module refuses one", async () => {
    using pair = await connectedPair();
    const before = keepAliveOf(pair.one);
    for (
      const wrong of [{ idle: 33, interval: 1.5 }, { count: "3" }, { idle: 33, count: NaN }, { interval: 2 ** 32 }]
    ) {
      assertThrows(() => pair.one.setKeepAlive(wrong as { idle: number }), Error);
      assertEquals(keepAliveOf(pair.one), before);
    }
  });

  it("change nothing if the system refuses one", async () => {
    const { SO_KEEPALIVE, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT } = sockopt;
    using pair = await connectedPair();
    pair.one.setKeepAlive({ idle: 33, interval: 44, count: 5 });
    pair.one.socket.setOption(SO_KEEPALIVE, false);
    const settings = [[SO_KEEPALIVE, true], [TCP_KEEPIDLE, 66], [TCP_KEEPINTVL, 77], [TCP_KEEPCNT, 1000]] as const;
    for (let first = 0; first < settings.length; first++) {
      assertThrows(() => setOptions(pair.one.socket.fd, settings.slice(first)), Error, "EINVAL");
      assertEquals(keepAliveOf(pair.one), [false, 33, 44, 5]);
    }
  });

  it("change nothing if the socket has no such option", () => {
    using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
    const { fd } = udp.socket;
    assertThrows(() => setOptions(fd, [[sockopt.SO_PRIORITY, 3], [sockopt.TCP_KEEPIDLE, 3]]), Error, "EOPNOTSUPP");
    assertEquals(udp.socket.getOption(sockopt.SO_PRIORITY), 0);
  });

  it("open nothing", async () => {
    using listener = listenTcp();
    const before = descriptorCount();
    const { port } = listener.addr;
    for (const keepAlive of [{ idle: 33, interval: 1.5 }, { idle: 0 }, "yes" as unknown as boolean]) {
      await rejection(connect({ hostname: "127.0.0.1", port, keepAlive }));
    }
    assertEquals(descriptorCount(), before);
  });
});

describe("A descriptor that cannot be taken over", TIMEOUT, () => {
  itUnless(notLinux, "stays open, blocking and inherited if there is no class for it", () => {
    const fd = plainSocket(AF_NETLINK, 3);
    const before = flagsOf(fd);
    assertThrows(() => fromFd(fd), TypeError, "no class here");
    assertEquals([flagsOf(fd), ownerOf(fd)], [before, undefined]);
    libc().c.close(fd);
  });

  it("is unchanged if its object cannot be made", () => {
    const { AF_INET, SOCK_DGRAM } = libc().system.constants;
    const fd = plainSocket(AF_INET, SOCK_DGRAM);
    const before = flagsOf(fd);
    const during: unknown[] = [];
    const error = new Error("on the way");
    const thrown = assertThrows(() =>
      takeOver(fd, () => {
        during.push(flagsOf(fd));
        throw error;
      })
    );
    assert(thrown === error);
    assert(Deno.inspect(during) !== Deno.inspect([before]));
    assertEquals([flagsOf(fd), ownerOf(fd)], [before, undefined]);
    using socket = Socket.fromFd(fd);
    assertEquals(socket.fd, fd);
  });

  it("is unchanged if its number belongs to another object", () => {
    const [one, two] = socketPair("stream");
    const before = flagsOf(one.socket.fd);
    assertThrows(() => fromFd(one.socket.fd), TypeError);
    assertEquals(flagsOf(one.socket.fd), before);
    one.close();
    two.close();
  });
});
