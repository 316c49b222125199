import { assert, assertEquals, assertFalse, assertInstanceOf, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { connect, fromFd, isSocketError, listen, sockopt, type TcpListener } from "../../mod.ts";
import { descriptorCount, noDescriptorLeaks } from "../support/descriptors.ts";
import { freePort, LOOPBACK, withoutIPv6 } from "../support/loopback.ts";
import { noTcpInfo } from "../support/kernel.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { listenTcp } from "./support.ts";
import { linuxTable, noSharedLoad } from "../support/systems.ts";

noDescriptorLeaks();

const NO_IPV6 = withoutIPv6();
const NOT_LINUX = linuxTable ? noTcpInfo() : "reads what Linux keeps in TCP_INFO";

/** The longest that a listener's queue may grow: tcpi_sacked of struct tcp_info, linux/tcp.h. */
function queueLimit(socket: ReturnType<typeof listenTcp>["socket"]): number {
  const [IPPROTO_TCP, TCP_INFO, TCPI_SACKED] = [6, 11, 28];
  const info = socket.getRawOption(IPPROTO_TCP, TCP_INFO, 64);
  return new DataView(info.buffer, info.byteOffset).getUint32(TCPI_SACKED, true);
}

/** The class of what a call throws, null where it does not. */
function thrownBy(call: () => Disposable): string | null {
  try {
    call()[Symbol.dispose]();
    return null;
  } catch (error) {
    return (error as Error).name;
  }
}

describe("listen()", TIMEOUT, () => {
  it("opens any free port of 0.0.0.0 by default, as Deno.listen does", () => {
    using listener = listen({});
    assertEquals(listener.addr.transport, "tcp");
    assertEquals(listener.addr.hostname, "0.0.0.0");
    assert(listener.addr.port > 0);
    assert(listener.socket.getOption(sockopt.SO_ACCEPTCONN));
  });

  it("sets SO_REUSEADDR and nothing else that shares a port", () => {
    using listener = listenTcp();
    assert(listener.socket.getOption(sockopt.SO_REUSEADDR));
    assertFalse(listener.socket.getOption(sockopt.SO_REUSEPORT));
  });

  it("leaves SO_REUSEADDR off when asked", () => {
    using listener = listenTcp({ reuseAddress: false });
    assertFalse(listener.socket.getOption(sockopt.SO_REUSEADDR));
  });

  it("takes a port in digits", () => {
    const port = String(freePort()) as unknown as number;
    using listener = listenTcp({ port });
    assertEquals(listener.addr.port, Number(port));
  });

  it("refuses bad ports with the class that Deno.listen refuses them with", () => {
    const bad = [
      NaN,
      Infinity,
      -Infinity,
      -1,
      -0.5,
      65536,
      1e9,
      1.5,
      "abc",
      "",
      "-1",
      "65536",
      "1.5",
      true,
      {},
      [],
      5n,
    ];
    for (const port of bad as number[]) {
      const theirs = thrownBy(() => Deno.listen({ hostname: LOOPBACK, port }));
      const ours = thrownBy(() => listenTcp({ port }));
      assertEquals([port, ours], [port, theirs]);
    }
  });

  it("quotes the port that it refuses", () => {
    for (const port of [NaN, 1.5, 65536, -1]) assertThrows(() => listenTcp({ port }), Error, String(port));
    assertThrows(() => listenTcp({ port: "http" as unknown as number }), TypeError, "'http'");
  });

  it("refuses an unknown transport with a TypeError that quotes it", () => {
    assertThrows(() => listen({ port: 0, transport: "sctp" as "tcp" }), TypeError, '"sctp"');
  });

  it("refuses what is neither an address nor a name, and quotes it", () => {
    for (const hostname of ["1.2.3.4.5:6", "a b", "", "http://localhost", "[::1"]) {
      assertThrows(() => listenTcp({ hostname }), TypeError, JSON.stringify(hostname));
    }
    assertThrows(() => listenTcp({ hostname: 127 as unknown as string }), TypeError, "127");
  });

  it("reports an unknown name", () => {
    // Longer than a label of a name may be, so that no name server is asked.
    const error = assertThrows(() => listenTcp({ hostname: "x".repeat(64) }), Deno.errors.NotFound);
    assert(isSocketError(error));
    assert(error.code.startsWith("EAI_"), error.code);
  });

  it("reports an address that is not local", () => {
    const error = assertThrows(() => listenTcp({ hostname: "192.0.2.1" }), Deno.errors.AddrNotAvailable);
    assert(isSocketError(error));
    assertEquals([error.code, error.syscall, error.address], ["EADDRNOTAVAIL", "bind", "192.0.2.1:0"]);
  });

  it("listens on a name", async () => {
    using listener = listenTcp({ hostname: "localhost" });
    using conn = await connect({ hostname: "localhost", port: listener.addr.port });
    assertEquals(conn.remoteAddr, listener.addr);
  });

  it("refuses a port in use, with all members of the error", () => {
    using first = listenTcp();
    const { port } = first.addr;
    const before = descriptorCount();
    const error = assertThrows(() => listenTcp({ port }), Deno.errors.AddrInUse, `${LOOPBACK}:${port}`);
    assert(isSocketError(error));
    assertEquals(
      [error.code, error.syscall, error.address, error.timeout],
      ["EADDRINUSE", "bind", `${LOOPBACK}:${port}`, false],
    );
    assert(error.errno > 0);
    assertEquals(descriptorCount(), before);
  });

  itUnless(NOT_LINUX, "sets a backlog of 511 or the requested one, within the system's limit", async () => {
    const most = Number(await Deno.readTextFile("/proc/sys/net/core/somaxconn"));
    using usual = listenTcp();
    assertEquals(queueLimit(usual.socket), Math.min(511, most));
    for (const tcpBacklog of [0, 1, 100, 1_000_000, Number.MAX_SAFE_INTEGER]) {
      using listener = listenTcp({ tcpBacklog });
      assertEquals(queueLimit(listener.socket), Math.min(tcpBacklog, most));
    }
  });

  it("refuses a backlog that is no whole number from 0 up", () => {
    for (const bad of [1.5, NaN, "5"]) assertThrows(() => listenTcp({ tcpBacklog: bad as number }), TypeError);
    assertThrows(() => listenTcp({ tcpBacklog: -1 }), RangeError, "-1");
  });
});

describe("reusePort", TIMEOUT, () => {
  itUnless(noSharedLoad, "spreads connections over the listeners of one port", async () => {
    using first = listenTcp({ reusePort: true });
    using second = listenTcp({ port: first.addr.port, reusePort: true });
    assertEquals(second.addr, first.addr);
    const counts = [0, 0];
    const serving = [first, second].map(async (listener, index) => {
      for await (const conn of listener) {
        counts[index]!++;
        conn.close();
      }
    });
    for (let index = 0; index < 64; index++) {
      using conn = await connect({ port: first.addr.port });
      assertEquals(await conn.read(new Uint8Array(1)), null);
    }
    first.close();
    second.close();
    await Promise.all(serving);
    assertEquals(counts[0]! + counts[1]!, 64);
    assert(Math.min(...counts) > 0, String(counts));
  });

  itUnless(noSharedLoad, "does not share with a socket without the option", () => {
    using sharing = listenTcp({ reusePort: true });
    using alone = listenTcp();
    assertThrows(() => listenTcp({ port: sharing.addr.port }), Deno.errors.AddrInUse);
    assertThrows(() => listenTcp({ port: alone.addr.port, reusePort: true }), Deno.errors.AddrInUse);
  });
});

describe("ipv6Only", TIMEOUT, () => {
  itUnless(NO_IPV6, "is off by default: a listener on :: accepts IPv4 too", async () => {
    using listener = listenTcp({ hostname: "::" });
    assertFalse(listener.socket.getOption(sockopt.IPV6_V6ONLY));
    const { port } = listener.addr;
    using v4 = await connect({ hostname: LOOPBACK, port });
    using accepted = await listener.accept();
    assertEquals(accepted.remoteAddr, { ...v4.localAddr, hostname: "::ffff:127.0.0.1" });
    using v6 = await connect({ hostname: "::1", port });
    assertEquals(v6.remoteAddr.hostname, "::1");
  });

  itUnless(NO_IPV6, "leaves IPv4 to another listener on the same port", async () => {
    using six = openUntilFree();
    const { port } = six.addr;
    await assertRefused(connect({ hostname: LOOPBACK, port }));
    using four = listenTcp({ hostname: "0.0.0.0", port });
    using conn = await connect({ hostname: LOOPBACK, port });
    using accepted = await four.accept();
    assertEquals(accepted.remoteAddr, conn.localAddr);
  });
});

/** Opens an IPv6-only listener on a port that is free for IPv4. */
function openUntilFree(): TcpListener {
  for (let left = 20; left > 0; left--) {
    const listener = listenTcp({ hostname: "::", ipv6Only: true });
    try {
      listenTcp({ hostname: "0.0.0.0", port: listener.addr.port }).close();
      return listener;
    } catch (error) {
      listener.close();
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
  throw new Error("No port is free on both families");
}

async function assertRefused(dial: Promise<Disposable>): Promise<void> {
  const outcome = await dial.catch((error) => error);
  assertInstanceOf(outcome, Deno.errors.ConnectionRefused);
}

describe("fromFd()", TIMEOUT, () => {
  it("takes over a listener with its address and its queue", async () => {
    const listener = listenTcp();
    const { addr } = listener;
    using conn = await connect({ port: addr.port });
    const again = fromFd(listener.detach());
    using owned = again as ReturnType<typeof listenTcp>;
    assertEquals(owned.constructor, listener.constructor);
    assertEquals(owned.addr, addr);
    using accepted = await owned.accept();
    assertEquals(accepted.remoteAddr, conn.localAddr);
  });
});
