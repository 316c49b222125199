import { assert, assertEquals, assertInstanceOf, assertMatch, assertNotEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { connect, isSocketError, sockopt, type TcpConnectOptions } from "../../mod.ts";
import { descriptorCount, noDescriptorLeaks } from "../support/descriptors.ts";
import { freePort, LOOPBACK, withoutIPv6 } from "../support/loopback.ts";
import { rejection } from "../support/promises.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { connectThrough, listenTcp } from "./support.ts";

noDescriptorLeaks();

const NO_IPV6 = withoutIPv6();

describe("connect()", TIMEOUT, () => {
  it("dials 127.0.0.1 by default, and both ends agree on the addresses", async () => {
    using listener = listenTcp();
    using conn = await connect({ port: listener.addr.port });
    using accepted = await listener.accept();
    assertEquals(conn.remoteAddr, { transport: "tcp", hostname: LOOPBACK, port: listener.addr.port });
    assertEquals([accepted.localAddr, accepted.remoteAddr], [conn.remoteAddr, conn.localAddr]);
  });

  it("takes a port in digits", async () => {
    using listener = listenTcp();
    using conn = await connect({ port: String(listener.addr.port) as unknown as number });
    assertEquals(conn.remoteAddr, listener.addr);
  });

  it("refuses bad ports with the class that Deno.connect refuses them with", async () => {
    for (const port of [NaN, -1, 65536, 1.5, "abc", "", "-1", true, {}] as number[]) {
      const theirs = await rejection(Promise.try(() => Deno.connect({ port })));
      const ours = await rejection(connect({ port }));
      assertEquals([port, (ours as Error).name], [port, (theirs as Error).name]);
    }
  });

  it("refuses an invalid host, an unknown name and an unknown transport", async () => {
    for (const hostname of ["1.2.3.4.5:6", "a b", "", "[::1"]) {
      const error = await rejection(connect({ hostname, port: 1 }));
      assertInstanceOf(error, TypeError);
      assert(error.message.includes(JSON.stringify(hostname)), error.message);
    }
    assertInstanceOf(await rejection(connect({ hostname: "x".repeat(64), port: 1 })), Deno.errors.NotFound);
    const error = await rejection(connect({ port: 1, transport: "sctp" as "tcp" }));
    assertMatch((error as TypeError).message, /"sctp"/);
  });

  it("names the refusing address in all members of the error, and leaves no descriptor open", async () => {
    const port = freePort();
    const before = descriptorCount();
    const error = await rejection(connect({ port }));
    assertInstanceOf(error, Deno.errors.ConnectionRefused);
    assert(isSocketError(error));
    assertEquals(
      [error.code, error.syscall, error.address, error.timeout],
      ["ECONNREFUSED", "connect", `${LOOPBACK}:${port}`, false],
    );
    assertEquals(descriptorCount(), before);
  });

  it("connects to itself where it is asked to dial its own address", async () => {
    const port = freePort();
    using self = await connect({ port, localAddress: { hostname: LOOPBACK, port } });
    assertEquals(self.localAddr, self.remoteAddr);
  });

  itUnless(NO_IPV6, "dials IPv6, with and without brackets", async () => {
    using listener = listenTcp({ hostname: "::1" });
    for (const hostname of ["::1", "[::1]", "0:0::1"]) {
      using conn = await connect({ hostname, port: listener.addr.port });
      using accepted = await listener.accept();
      assertEquals(conn.remoteAddr, listener.addr);
      assertEquals(accepted.remoteAddr, conn.localAddr);
    }
  });

  it("dials many at once", async () => {
    using listener = listenTcp();
    const dials = Array.from({ length: 200 }, () => connectThrough(listener));
    for (const pair of await Promise.all(dials)) pair[Symbol.dispose]();
  });
});

describe("localAddress", TIMEOUT, () => {
  it("sets the local host, the port or both", async () => {
    using listener = listenTcp();
    const port = freePort();
    const cases: [NonNullable<TcpConnectOptions["localAddress"]>, Partial<Deno.NetAddr>][] = [
      [{ hostname: "127.0.0.2" }, { hostname: "127.0.0.2" }],
      [{ port }, { port }],
      [{ hostname: "127.0.0.3", port }, { hostname: "127.0.0.3", port }],
    ];
    for (const [localAddress, expected] of cases) {
      using conn = await connect({ port: listener.addr.port, localAddress });
      using accepted = await listener.accept();
      assertEquals({ ...conn.localAddr, ...expected }, conn.localAddr);
      assertEquals(accepted.remoteAddr, conn.localAddr);
      // So that the next may have the port: no connection is left to linger on it.
      conn.setLinger(0);
    }
  });

  itUnless(NO_IPV6, "that is a port alone is of the family that is dialled", async () => {
    using listener = listenTcp({ hostname: "::1" });
    const port = freePort();
    using conn = await connect({ hostname: "::1", port: listener.addr.port, localAddress: { port } });
    using accepted = await listener.accept();
    assertEquals(accepted.remoteAddr, { transport: "tcp", hostname: "::1", port });
    conn.setLinger(0);
  });

  it("fails in bind if it is in use or not local, and leaves no descriptor open", async () => {
    using listener = listenTcp();
    const { port } = listener.addr;
    const before = descriptorCount();
    const taken = await rejection(connect({ port, localAddress: { hostname: LOOPBACK, port } }));
    assertInstanceOf(taken, Deno.errors.AddrInUse);
    assert(isSocketError(taken));
    assertEquals([taken.syscall, taken.address], ["bind", `${LOOPBACK}:${port}`]);
    const foreign = await rejection(connect({ port, localAddress: { hostname: "192.0.2.1" } }));
    assertInstanceOf(foreign, Deno.errors.AddrNotAvailable);
    assertEquals(descriptorCount(), before);
  });

  it("is an IP address of the family that is dialled", async () => {
    for (const hostname of ["localhost", "::1"]) {
      const error = await rejection(connect({ port: 1, localAddress: { hostname } }));
      assertInstanceOf(error, TypeError);
      assert(error.message.includes(hostname), error.message);
    }
    assertInstanceOf(await rejection(connect({ port: 1, localAddress: { port: 65536 } })), RangeError);
  });

  it("is shared by two connections to two peers with reusePort, and not without", async () => {
    using first = listenTcp();
    using second = listenTcp();
    const localAddress = { hostname: LOOPBACK, port: freePort() };
    using one = await connect({ port: first.addr.port, localAddress, reusePort: true });
    using two = await connect({ port: second.addr.port, localAddress, reusePort: true });
    assertEquals(one.localAddr, two.localAddr);
    assertNotEquals(one.remoteAddr, two.remoteAddr);
    const refused = await rejection(connect({ port: first.addr.port, localAddress }));
    assertInstanceOf(refused, Deno.errors.AddrInUse);
    one.setLinger(0);
    two.setLinger(0);
  });
});

describe("Options of a connection", TIMEOUT, () => {
  it("are no-delay and no keep-alive by default", async () => {
    using listener = listenTcp();
    using conn = await connect({ port: listener.addr.port });
    assertEquals(conn.socket.getOption(sockopt.TCP_NODELAY), true);
    assertEquals(conn.socket.getOption(sockopt.SO_KEEPALIVE), false);
    assertEquals(conn.socket.getOption(sockopt.SO_REUSEADDR), false);
    assertEquals(conn.socket.getOption(sockopt.SO_REUSEPORT), false);
    assertEquals(conn.socket.getOption(sockopt.SO_LINGER), { seconds: null });
  });

  it("can be asked for when dialling", async () => {
    using listener = listenTcp();
    const keepAlive = { idle: 11, interval: 7, count: 5 };
    using conn = await connect({ port: listener.addr.port, noDelay: false, reuseAddress: true, keepAlive });
    const { socket } = conn;
    assertEquals(socket.getOption(sockopt.TCP_NODELAY), false);
    assertEquals(socket.getOption(sockopt.SO_REUSEADDR), true);
    assertEquals(socket.getOption(sockopt.SO_KEEPALIVE), true);
    assertEquals(socket.getOption(sockopt.TCP_KEEPIDLE), 11);
    assertEquals(socket.getOption(sockopt.TCP_KEEPINTVL), 7);
    assertEquals(socket.getOption(sockopt.TCP_KEEPCNT), 5);
  });

  it("take the longest times and the most probes of the system, and refuse more", async () => {
    using listener = listenTcp();
    const options = { idle: "TCP_KEEPIDLE", interval: "TCP_KEEPINTVL", count: "TCP_KEEPCNT" } as const;
    for (const [name, most] of [["idle", 32_767], ["interval", 32_767], ["count", 127]] as const) {
      for (const value of [1, most]) {
        using conn = await connect({ port: listener.addr.port, keepAlive: { [name]: value } });
        assertEquals(conn.socket.getOption(sockopt[options[name]]), value);
      }
      for (const value of [0, most + 1]) {
        const error = await rejection(connect({ port: listener.addr.port, keepAlive: { [name]: value } }));
        assertInstanceOf(error, RangeError, `${name}: ${value}`);
      }
    }
  });

  it("can be changed on either end", async () => {
    using listener = listenTcp();
    using pair = await connectThrough(listener);
    for (const conn of [pair.one, pair.two]) {
      const { socket } = conn;
      conn.setNoDelay(false);
      assertEquals(socket.getOption(sockopt.TCP_NODELAY), false);
      conn.setNoDelay();
      assertEquals(socket.getOption(sockopt.TCP_NODELAY), true);
      conn.setKeepAlive();
      assertEquals(socket.getOption(sockopt.SO_KEEPALIVE), true);
      conn.setKeepAlive(false);
      assertEquals(socket.getOption(sockopt.SO_KEEPALIVE), false);
      conn.setKeepAlive({ idle: 42 });
      assertEquals(socket.getOption(sockopt.SO_KEEPALIVE), true);
      assertEquals(socket.getOption(sockopt.TCP_KEEPIDLE), 42);
      for (const seconds of [5, 0, null]) {
        conn.setLinger(seconds);
        assertEquals(socket.getOption(sockopt.SO_LINGER), { seconds });
      }
    }
  });

  it("are refused with a message if they are invalid", async () => {
    using listener = listenTcp();
    using pair = await connectThrough(listener);
    const { one } = pair;
    const bad: [() => void, string][] = [
      [() => one.setLinger(-1), "-1"],
      [() => one.setLinger(1.5), "1.5"],
      [() => one.setKeepAlive({ idle: 1.5 }), "1.5"],
      [() => one.setNoDelay("yes" as unknown as boolean), '"yes"'],
    ];
    for (const [call, quoted] of bad) {
      const error = await rejection(Promise.try(call));
      assert(error instanceof TypeError || error instanceof RangeError, String(error));
      assert(error.message.includes(quoted), error.message);
    }
    for (const autoSelectFamilyAttemptDelay of [NaN, -1, "5" as unknown as number]) {
      assertInstanceOf(await rejection(connect({ port: 1, autoSelectFamilyAttemptDelay })), TypeError);
    }
  });
});
