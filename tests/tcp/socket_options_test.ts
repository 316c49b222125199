import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { connect, listen, Socket, sockopt, type TcpConnectOptions } from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { inside } from "../support/inside.ts";
import { LOOPBACK } from "../support/loopback.ts";
import { missingNamespaces, type Namespace, NamespacePair } from "../support/namespaces.ts";
import { noInterfaceReading, notSettable } from "../support/kernel.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { connectThrough, listenTcp } from "./support.ts";
import { thisSystem } from "../../ffi/libc/host.ts";
import { linuxTable, noInterfaceBinding } from "../support/systems.ts";

noDescriptorLeaks();

const IPPROTO_TCP = 6;
const IPPROTO_MPTCP = 262;

const reason = await missingNamespaces();
const linux = linuxTable ? null : `other options on ${thisSystem().name}`;

function program(name: string): string {
  return new URL(`./programs/${name}.ts`, import.meta.url).pathname;
}

async function runIn<T>(namespace: Namespace, name: string, ...args: string[]): Promise<T> {
  const finished = await namespace.run(Deno.execPath(), ["run", "-A", "--no-prompt", program(name), ...args]);
  assert(finished.success, finished.report);
  return JSON.parse(finished.stdout);
}

/** Whether this machine has MPTCP, and has it switched on. */
async function multipathIsOn(): Promise<boolean> {
  return (await Deno.readTextFile("/proc/sys/net/mptcp/enabled").catch(() => "0")).trim() === "1";
}

interface Dialled {
  code?: string;
  localAddr?: Deno.NetAddr;
  remoteAddr?: Deno.NetAddr;
  protocol?: number;
}

function dialIn(namespace: Namespace, options: TcpConnectOptions): Promise<Dialled> {
  return runIn(namespace, "dial", JSON.stringify(options));
}

let pair: NamespacePair;
beforeAll(async () => {
  if (reason === null) pair = await NamespacePair.create();
});
afterAll(async () => {
  if (reason === null) await pair[Symbol.asyncDispose]();
});

describe("interface of a TCP socket", TIMEOUT, () => {
  itUnless(linux ?? noInterfaceReading(), "is set by name and by index", async () => {
    for (const by of ["lo", 1]) {
      using listener = listenTcp({ interface: by });
      using client = await connect({ port: listener.addr.port, interface: by });
      for (const { socket } of [listener, client]) {
        assertEquals(socket.getOption(sockopt.SO_BINDTODEVICE), "lo");
        assertEquals(socket.getOption(sockopt.SO_BINDTOIFINDEX), 1);
      }
    }
  });

  for (const family of ["ipv4", "ipv6"] as const) {
    itUnless(
      noInterfaceBinding ?? reason,
      `lets a listener accept by that interface alone, over ${family}`,
      async () => {
        const hostname = family === "ipv4" ? "0.0.0.0" : "::";
        const to = pair.right[family];
        for (const [by, reached] of [["lo", false], ["veth0", true]] as const) {
          using listener = inside(pair.right.name, () => listen({ hostname, port: 0, interface: by }));
          const outcome = await dialIn(pair.left, { hostname: to, port: listener.addr.port });
          if (!reached) {
            assertEquals(outcome, { code: "ECONNREFUSED" });
            continue;
          }
          using conn = await listener.accept();
          assertEquals(conn.remoteAddr.hostname, pair.left[family]);
          assertEquals(outcome.remoteAddr?.hostname, to);
        }
      },
    );

    itUnless(noInterfaceBinding ?? reason, `lets a dial go by that interface alone, over ${family}`, async () => {
      const hostname = family === "ipv4" ? "0.0.0.0" : "::";
      using listener = inside(pair.right.name, () => listen({ hostname, port: 0 }));
      const to = { hostname: pair.right[family], port: listener.addr.port };
      assertEquals((await dialIn(pair.left, { ...to, interface: "veth0" })).localAddr?.hostname, pair.left[family]);
      using first = await listener.accept();
      assertEquals(first.remoteAddr.hostname, pair.left[family]);
      // Through lo the packets are lost, or there is no route: either way the dial fails.
      const { code } = await dialIn(pair.left, { ...to, interface: "lo", deadline: 300 });
      assert(code === "ETIMEDOUT" || code === "ENETUNREACH" || code === "EADDRNOTAVAIL", String(code));
    });
  }

  it("is refused before anything is opened where it names none", async () => {
    assertThrows(() => listenTcp({ interface: "nosuch0" }), Deno.errors.NotFound, '"nosuch0"');
    // The kernel would cut it to 15 bytes.
    assertThrows(() => listenTcp({ interface: "lo".padEnd(20, "0") }), Deno.errors.NotFound);
    assertThrows(() => listenTcp({ interface: 0x7fff_fffe }), Deno.errors.NotFound, "no interface has that index");
    for (const by of ["", 0, 1.5, NaN, -1, 2 ** 32 + 1, null, {}] as never[]) {
      assertThrows(() => listenTcp({ interface: by }), TypeError, "Invalid interface: ");
      await assertRejects(() => connect({ port: 1, interface: by }), TypeError, "Invalid interface: ");
    }
  });
});

describe("options of a dial", TIMEOUT, () => {
  itUnless(linux, "stand on the socket", async () => {
    using listener = listenTcp();
    using conn = await connect({ port: listener.addr.port, userTimeout: 4_321, trafficClass: 0x88 });
    assertEquals(conn.socket.getOption(sockopt.TCP_USER_TIMEOUT), 4_321);
    assertEquals(conn.socket.getOption(sockopt.IP_TOS), 0x88);
    using v6 = listenTcp({ hostname: "::" });
    using one = await connect({ hostname: "::1", port: v6.addr.port, trafficClass: 0x20 });
    assertEquals(one.socket.getOption(sockopt.IPV6_TCLASS), 0x20);
    using mapped = await connect({ hostname: "::ffff:127.0.0.1", port: v6.addr.port, trafficClass: 0x28 });
    assertEquals(mapped.socket.getOption(sockopt.IP_TOS), 0x28);
  });

  itUnless(linux, "leave what was not asked for at the system's default", async () => {
    using listener = listenTcp();
    using conn = await connect({ port: listener.addr.port });
    assertEquals(conn.socket.getOption(sockopt.TCP_USER_TIMEOUT), 0);
    assertEquals(conn.socket.getOption(sockopt.IP_TOS), 0);
    assertEquals(conn.socket.getOption(sockopt.SO_PROTOCOL), IPPROTO_TCP);
    assertEquals(conn.socket.getOption(sockopt.SO_BINDTODEVICE), "");
    assertEquals(conn.socket.getOption(sockopt.TCP_FASTOPEN_CONNECT), false);
  });

  itUnless(linux ?? reason, "userTimeout drops a connection with unacknowledged data", async () => {
    await using other = await NamespacePair.create();
    using listener = inside(other.right.name, () => listen({ hostname: "0.0.0.0", port: 0 }));
    const child = other.left.start(Deno.execPath(), [
      "run",
      "-A",
      "--no-prompt",
      program("user_timeout"),
      other.right.ipv4,
      String(listener.addr.port),
    ], { stdin: true });
    await using _child = child;
    using server = await listener.accept();
    await child.waitForLine(/^connected$/);
    await other.right.run("ip", ["link", "set", "veth0", "down"]);
    await child.write("go\n");
    const [, code] = await child.waitForLine(/^failed (\S+)$/);
    assertEquals(code, "ETIMEDOUT");
    assertEquals(server.remoteAddr.hostname, other.left.ipv4);
  });

  it("are checked before anything is dialled", async () => {
    const port = 1;
    await assertRejects(() => connect({ port, userTimeout: -1 }), RangeError, "Invalid userTimeout: -1");
    await assertRejects(() => connect({ port, userTimeout: 2 ** 31 }), RangeError, "Invalid userTimeout: 2147483648");
    await assertRejects(() => connect({ port, userTimeout: 0.5 }), TypeError, "Invalid userTimeout: 0.5");
    await assertRejects(() => connect({ port, trafficClass: 256 }), RangeError, "Invalid trafficClass: 256");
    await assertRejects(() => connect({ port, trafficClass: "8" as never }), TypeError, 'Invalid trafficClass: "8"');
    await assertRejects(() => connect({ port, fastOpen: 5 as never }), TypeError, "Invalid fastOpen: 5");
    await assertRejects(() => connect({ port, multipath: "yes" as never }), TypeError, 'Invalid multipath: "yes"');
    assertThrows(() => listenTcp({ fastOpen: true as never }), TypeError, "Invalid fastOpen: true");
    assertThrows(() => listenTcp({ fastOpen: 65_536 }), RangeError, "Invalid fastOpen: 65536");
    assertThrows(() => listenTcp({ deferAccept: -1 }), RangeError, "Invalid deferAccept: -1");
    assertThrows(() => listenTcp({ multipath: 1 as never }), TypeError, "Invalid multipath: 1");
  });
});

describe("a local address without a port", TIMEOUT, () => {
  const everyPort = notSettable(() => Socket.open("inet", "stream"), sockopt.IP_BIND_ADDRESS_NO_PORT, true);
  itUnless(everyPort ?? reason, "shares the system's ports among destinations", async () => {
    // Two ports to dial from, and six connections to three listeners.
    const ports = ["-qw", "net.ipv4.ip_local_port_range=40000 40001"];
    await using other = await NamespacePair.create();
    assert((await other.left.run("sysctl", ports)).success);
    using one = inside(other.right.name, () => listen({ hostname: "0.0.0.0", port: 0 }));
    using two = inside(other.right.name, () => listen({ hostname: "0.0.0.0", port: 0 }));
    using three = inside(other.right.name, () => listen({ hostname: "0.0.0.0", port: 0 }));
    const args = [one, two, three].map(({ addr }) => String(addr.port));
    const outcome = await runIn(other.left, "many_dials", other.left.ipv4, other.right.ipv4, ...args);
    assertEquals(outcome, { connected: 6, ports: [40_000, 40_001] });
  });
});

describe("deferAccept", TIMEOUT, () => {
  itUnless(linux, "gives out a connection when its first data is there", async () => {
    using listener = listenTcp({ deferAccept: 30 });
    using silent = await connect({ port: listener.addr.port });
    using speaking = await connect({ port: listener.addr.port });
    const accepting = listener.accept();
    await speaking.write(Uint8Array.of(7));
    using accepted = await accepting;
    assertEquals(accepted.remoteAddr.port, speaking.localAddr.port);
    assert(silent.localAddr.port !== speaking.localAddr.port);
  });
});

describe("fastOpen", TIMEOUT, () => {
  itUnless(linux, "takes 0 of a listener: data in the first packet is not accepted, as without it", () => {
    using listener = listenTcp({ fastOpen: 0, deferAccept: 0 });
    assert(listener.addr.port > 0);
  });

  itUnless(
    linux ?? reason,
    "sends the first data with the SYN, whole and in order, whatever becomes of the cookie",
    async () => {
      await using other = await NamespacePair.create();
      assert((await other.left.run("sysctl", ["-qw", "net.ipv4.tcp_fastopen=3"])).success);
      assertEquals(await runIn(other.left, "fast_open"), {
        small: [1, 5, 5],
        large: [1, 1_000_000, 1_000_000],
        withData: 2,
        forgotten: [1, 300_000, 300_000],
        refusal: "ECONNREFUSED",
      });
    },
  );
});

describe("multipath", TIMEOUT, () => {
  const protocolOf = ({ socket }: { socket: { getOption(option: typeof sockopt.SO_PROTOCOL): number } }) =>
    socket.getOption(sockopt.SO_PROTOCOL);

  itUnless(linux, "is MPTCP where both ends have it, and TCP where one has not", async () => {
    for (const hostname of [LOOPBACK, "::1"]) {
      using several = listenTcp({ hostname, multipath: true });
      using plain = listenTcp({ hostname });
      using both = await connectThrough(several);
      assertEquals(protocolOf(both.one), IPPROTO_TCP);
      const dialled = await connect({ hostname, port: several.addr.port, multipath: true });
      using conn = dialled;
      using accepted = await several.accept();
      await conn.write(Uint8Array.of(1, 2, 3));
      assertEquals(await accepted.read(new Uint8Array(8)), 3);
      const expected = await multipathIsOn() ? IPPROTO_MPTCP : IPPROTO_TCP;
      assertEquals([protocolOf(conn), protocolOf(accepted)], [expected, expected]);
      using toPlain = await connect({ hostname, port: plain.addr.port, multipath: true });
      using fromPlain = await plain.accept();
      assertEquals(protocolOf(fromPlain), IPPROTO_TCP);
      await fromPlain.write(Uint8Array.of(9));
      assertEquals(await toPlain.read(new Uint8Array(8)), 1);
    }
  });

  itUnless(linux, "is TCP where another option does without", async () => {
    using listener = listenTcp({ multipath: true });
    using conn = await connect({ port: listener.addr.port, multipath: true, userTimeout: 1_000 });
    assertEquals(conn.socket.getOption(sockopt.TCP_USER_TIMEOUT), 1_000);
  });

  itUnless(linux ?? reason, "is TCP where the system has it switched off", async () => {
    await using other = await NamespacePair.create();
    for (const { name } of [other.left, other.right]) assert(name !== "");
    const off = ["-qw", "net.mptcp.enabled=0"];
    assert((await other.left.run("sysctl", off)).success && (await other.right.run("sysctl", off)).success);
    using listener = inside(other.right.name, () => listen({ hostname: "0.0.0.0", port: 0, multipath: true }));
    assertEquals(protocolOf(listener), IPPROTO_TCP);
    const to = { hostname: other.right.ipv4, port: listener.addr.port };
    assertEquals((await dialIn(other.left, { ...to, multipath: true })).protocol, IPPROTO_TCP);
  });
});
