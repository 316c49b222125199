import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { connect, connectAny, type TcpConn, type TcpConnectOptions } from "../../mod.ts";
import type { InetAddress } from "../../ffi/struct/sockaddr.ts";
import { interleave, raceAddresses } from "../../ffi/tcp/happy_eyeballs.ts";
import { formatHost, parseHost } from "../../ffi/address/address.ts";
import { CountedSignal } from "../conformance/stream/signals.ts";
import { assertTimedOut } from "../support/assertions.ts";
import { descriptorCount, noDescriptorLeaks } from "../support/descriptors.ts";
import { freePort, LOOPBACK, withoutIPv6 } from "../support/loopback.ts";
import { after, isPending, rejection } from "../support/promises.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { Blackhole, NO_BLACKHOLE } from "./blackhole.ts";
import { listenTcp } from "./support.ts";

noDescriptorLeaks();

const NO_IPV6 = withoutIPv6();

/** Nobody waits so long in a test. */
const FOREVER = 600_000;

function addresses(port: number, ...hosts: string[]): InetAddress[] {
  return hosts.map((host) => parseHost(host, port)!);
}

/** Dials addresses and notes down which were tried, in order. */
class Dialler {
  readonly tried: string[] = [];

  readonly dial = (address: InetAddress, signal: AbortSignal): Promise<TcpConn> => {
    const hostname = formatHost(address);
    this.tried.push(hostname);
    return connect({ hostname, port: address.port, signal });
  };
}

describe("interleave()", () => {
  const order = (...hosts: string[]) => interleave(addresses(1, ...hosts)).map(formatHost);

  it("alternates the families, beginning with the first, and keeps the order within each", () => {
    assertEquals(order("::1", "::2", "::3", "0.0.0.1", "0.0.0.2"), ["::1", "0.0.0.1", "::2", "0.0.0.2", "::3"]);
    assertEquals(order("0.0.0.1", "0.0.0.2", "0.0.0.3", "::1"), ["0.0.0.1", "::1", "0.0.0.2", "0.0.0.3"]);
  });

  it("keeps the order of addresses of one family, and an empty list", () => {
    assertEquals(order("::2", "::1"), ["::2", "::1"]);
    assertEquals(order(), []);
  });
});

describe("raceAddresses()", TIMEOUT, () => {
  itUnless(
    NO_BLACKHOLE,
    "starts the next when the first hangs, keeps the first that answers, closes the rest",
    async () => {
      using listener = listenTcp();
      const { port } = listener.addr;
      using _hangs = await Blackhole.open("127.0.0.2", port);
      using _hangsToo = await Blackhole.open("127.0.0.3", port);
      const before = descriptorCount();
      const { dial, tried } = new Dialler();
      const hosts = addresses(port, "127.0.0.2", "127.0.0.3", LOOPBACK, "127.0.0.4");
      using conn = await raceAddresses(hosts, 10, new AbortController().signal, dial);
      assertEquals(conn.remoteAddr.hostname, LOOPBACK);
      assertEquals(tried.slice(0, 3), ["127.0.0.2", "127.0.0.3", LOOPBACK]);
      assertEquals(descriptorCount(), before + 1);
    },
  );

  itUnless(NO_BLACKHOLE ?? NO_IPV6, "races both families: IPv6 hangs and IPv4 connects", async () => {
    using listener = listenTcp();
    const { port } = listener.addr;
    using _hangs = await Blackhole.open("::1", port);
    const before = descriptorCount();
    const { dial, tried } = new Dialler();
    const hosts = addresses(port, "::1", "::1", LOOPBACK);
    using conn = await raceAddresses(hosts, 10, new AbortController().signal, dial);
    assertEquals([conn.remoteAddr.hostname, tried.slice(0, 2)], [LOOPBACK, ["::1", LOOPBACK]]);
    assertEquals(descriptorCount(), before + 1);
  });

  it("starts the next attempt at once when one fails, and none after a success", async () => {
    using listener = listenTcp();
    const { dial, tried } = new Dialler();
    const hosts = addresses(listener.addr.port, "127.0.0.2", LOOPBACK, "127.0.0.3");
    using conn = await raceAddresses(hosts, FOREVER, new AbortController().signal, dial);
    assertEquals([conn.remoteAddr, tried], [listener.addr, ["127.0.0.2", LOOPBACK]]);
  });

  it("rejects with the most specific error when all fail", async () => {
    const { dial, tried } = new Dialler();
    const hosts = addresses(freePort(), "255.255.255.255", LOOPBACK, "127.0.0.2");
    const { signal } = new AbortController();
    const error = await rejection(raceAddresses(hosts, FOREVER, signal, dial));
    assertInstanceOf(error, Deno.errors.ConnectionRefused);
    assertEquals(tried.length, 3);
  });

  itUnless(NO_BLACKHOLE, "ends every attempt when it is aborted", async () => {
    using blackhole = await Blackhole.open("127.0.0.2");
    const before = descriptorCount();
    const { dial, tried } = new Dialler();
    const counted = new CountedSignal();
    const hosts = addresses(blackhole.addr.port, "127.0.0.2", "127.0.0.2", "127.0.0.2");
    const racing = rejection(raceAddresses(hosts, 10, counted.signal, dial));
    while (tried.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    assert(await isPending(racing));
    assertEquals([counted.count, descriptorCount()], [1, before + 3]);
    const reason = new Error("enough");
    counted.abort(reason);
    assertStrictEquals(await racing, reason);
    assertEquals([counted.count, descriptorCount()], [0, before]);
  });
});

describe("connectAny()", TIMEOUT, () => {
  itUnless(NO_BLACKHOLE, "dials ten at once: the first wins, the rest are cancelled and closed", async () => {
    using blackhole = await Blackhole.open(LOOPBACK);
    using listener = listenTcp();
    const before = descriptorCount();
    const networks: string[] = [];
    const control: TcpConnectOptions["control"] = (_, network) => void networks.push(network);
    const candidates = Array.from({ length: 10 }, (_, index) => ({
      port: index === 6 ? listener.addr.port : blackhole.addr.port,
      control,
    }));
    using conn = await connectAny(candidates);
    assertEquals(conn.remoteAddr, listener.addr);
    assertEquals(networks.length, 10);
    assertEquals(descriptorCount(), before + 1);
  });

  it("closes all other connections", async () => {
    using listener = listenTcp();
    const before = descriptorCount();
    const { port } = listener.addr;
    using winner = await connectAny(Array.from({ length: 10 }, () => ({ port })));
    assertEquals(descriptorCount(), before + 1);
    await winner.write(Uint8Array.of(7));
    await winner.closeWrite();
    // Whoever got through and lost has gone; the winner is the one that says something.
    let received = 0;
    while (received === 0) {
      using accepted = await listener.accept();
      received += await accepted.read(new Uint8Array(8)) ?? 0;
    }
    assertEquals(received, 1);
  });

  it("rejects with the error of each when none succeeds", async () => {
    const port = freePort();
    const before = descriptorCount();
    const error = await rejection(connectAny([{ port }, { port, hostname: "127.0.0.2" }, { port, localAddress: {} }]));
    assertInstanceOf(error, AggregateError);
    assertEquals(error.errors.length, 3);
    for (const each of error.errors) assertInstanceOf(each, Deno.errors.ConnectionRefused);
    assertEquals(descriptorCount(), before);
    assertInstanceOf(await rejection(connectAny([])), AggregateError);
  });

  it("refuses a bad port among them before any dial", async () => {
    using listener = listenTcp();
    let opened = 0;
    const control = () => void opened++;
    const candidates = [{ port: listener.addr.port, control }, { port: 65536, control }];
    assertInstanceOf(await rejection(connectAny(candidates)), RangeError);
    assertEquals(opened, 0);
  });

  it("refuses a bad deadline among them before any dial, of a Unix socket too", async () => {
    using listener = listenTcp();
    let opened = 0;
    const good = { port: listener.addr.port, control: () => void opened++ };
    const deadline = "soon" as unknown as Date;
    for (const bad of [{ port: 1, deadline }, { transport: "unix", path: "/nowhere", deadline } as const]) {
      assertInstanceOf(await rejection(connectAny([good, bad])), TypeError);
    }
    assertEquals(opened, 0);
  });

  itUnless(
    NO_BLACKHOLE,
    "obeys its own signal and those of the candidates, and leaves no listener on either",
    async () => {
      using blackhole = await Blackhole.open(LOOPBACK);
      const before = descriptorCount();
      const { port } = blackhole.addr;
      const [all, one] = [new CountedSignal(), new CountedSignal()];
      const deadline = after(FOREVER);
      const racing = rejection(connectAny([{ port, signal: one.signal }, { port, deadline }], { signal: all.signal }));
      assert(await isPending(racing));
      one.abort("one");
      assert(await isPending(racing));
      assertEquals(descriptorCount(), before + 1);
      all.abort("all");
      assertEquals(await racing, "all");
      assertEquals([all.count, one.count, descriptorCount()], [0, 0, before]);
      assertEquals(await rejection(connectAny([{ port }], { signal: all.signal })), "all");
    },
  );

  itUnless(NO_BLACKHOLE, "keeps the deadline of each", async () => {
    using blackhole = await Blackhole.open(LOOPBACK);
    const { port } = blackhole.addr;
    const error = await rejection(connectAny([{ port, deadline: after(10) }, { port, deadline: after(20) }]));
    assertInstanceOf(error, AggregateError);
    assertEquals(error.errors.length, 2);
    for (const each of error.errors) assertTimedOut(each);
  });
});
