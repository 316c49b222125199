import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { connect, type TcpConn } from "../../mod.ts";
import type { InetAddress } from "../../ffi/struct/sockaddr.ts";
import { parseHost } from "../../ffi/address/address.ts";
import { raceAddresses } from "../../ffi/tcp/happy_eyeballs.ts";
import { assertTimedOut } from "../support/assertions.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { freePort, LOOPBACK } from "../support/loopback.ts";
import { rejection } from "../support/promises.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { Blackhole, NO_BLACKHOLE } from "./blackhole.ts";
import { listenTcp } from "./support.ts";

noDescriptorLeaks();

function addresses(port: number, ...hosts: string[]): InetAddress[] {
  return hosts.map((host) => parseHost(host, port)!);
}

describe("Dialling from a local port", TIMEOUT, () => {
  itUnless(
    NO_BLACKHOLE,
    "waits for an address that hangs, for its share of the time, before it tries the next",
    async () => {
      using blackhole = await Blackhole.open(LOOPBACK);
      const port = freePort();
      const localAddress = { hostname: LOOPBACK, port };
      const options = { hostname: LOOPBACK, port: blackhole.addr.port, localAddress, deadline: 30 };
      assertTimedOut(await rejection(connect(options)));
    },
  );

  it("is told of each address how many are left", async () => {
    const left: number[] = [];
    const dial = (_address: InetAddress, _signal: AbortSignal, count: number): Promise<TcpConn> => {
      left.push(count);
      return Promise.reject(new Deno.errors.ConnectionRefused("no"));
    };
    const { signal } = new AbortController();
    await rejection(raceAddresses(addresses(1, "127.0.0.2", "127.0.0.3", "127.0.0.4"), Infinity, signal, dial));
    assertEquals(left, [3, 2, 1]);
  });

  it("reaches a listener from that port, again and again", async () => {
    using listener = listenTcp();
    const port = freePort();
    for (let again = 0; again < 3; again++) {
      const localAddress = { hostname: LOOPBACK, port };
      using conn = await connect({ hostname: LOOPBACK, port: listener.addr.port, localAddress, reuseAddress: true });
      using accepted = await listener.accept();
      assertEquals(accepted.remoteAddr.port, port);
      // A reset leaves no connection that lingers on the port.
      conn.setLinger(0);
      accepted.setLinger(0);
    }
  });
});

describe("A time beyond what a timer holds", TIMEOUT, () => {
  const BEYOND = 2 ** 31 + 1_000;

  it("between attempts does not begin the next at once", async () => {
    using listener = listenTcp();
    const port = listener.addr.port;
    const tried: string[] = [];
    const dial = async ({ address }: InetAddress, signal: AbortSignal): Promise<TcpConn> => {
      tried.push(address.join("."));
      await new Promise((resolve) => setTimeout(resolve, 20));
      return await connect({ hostname: address.join("."), port, signal });
    };
    const { signal } = new AbortController();
    using conn = await raceAddresses(addresses(port, LOOPBACK, "127.0.0.2"), BEYOND, signal, dial);
    assertEquals([conn.remoteAddr.hostname, tried], [LOOPBACK, [LOOPBACK]]);
  });

  it("as a deadline is none yet", async () => {
    using listener = listenTcp();
    using conn = await connect({ port: listener.addr.port, deadline: BEYOND });
    conn.setReadDeadline(BEYOND);
    const reading = conn.read(new Uint8Array(1));
    using accepted = await listener.accept();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await accepted.write(Uint8Array.of(1));
    assertEquals(await reading, 1);
  });

  it("as the delay between attempts is taken", async () => {
    const error = await rejection(connect({ port: freePort(), autoSelectFamilyAttemptDelay: BEYOND }));
    assertInstanceOf(error, Deno.errors.ConnectionRefused);
    assert(error instanceof Error);
  });
});
