import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { type DatagramError, isSocketError, listenDatagram, type SendOptions, type UdpSocket } from "../../mod.ts";
import { pattern } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { inside } from "../support/inside.ts";
import { at } from "../support/loopback.ts";
import { missingNamespaces } from "../support/namespaces.ts";
import { NARROW_MTU, ROUTED, RoutedPair } from "../support/routed.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { missingOptions } from "../support/systems.ts";

noDescriptorLeaks();

const noNamespaces = missingOptions("IP_RECVERR", "IPV6_RECVERR") ?? await missingNamespaces();
const PORT = 33_434;

/** Sends until an error comes: the first packets out of a cable may be lost while the neighbour is looked for. */
async function provoke(socket: UdpSocket, data: Uint8Array, to: Deno.NetAddr, options?: SendOptions) {
  for (let tries = 0; tries < 200; tries++) {
    await socket.send(data, to, options);
    const error = await socket.receiveError({ signal: AbortSignal.timeout(100) }).catch(() => null);
    if (error !== null) return error;
  }
  throw new Error("no error came");
}

function summary({ code, origin, type, icmpCode, offender, mtu }: DatagramError): unknown[] {
  return [code, origin, type, icmpCode, offender, mtu];
}

describe("Errors from a router", TIMEOUT, () => {
  for (const hostname of ["0.0.0.0", "::"]) {
    itUnless(noNamespaces, `are told with who sent them, over IPv4 from ${hostname}`, async () => {
      await using row = await RoutedPair.create();
      const open = (options = {}) =>
        inside(row.left, () => listenDatagram({ transport: "udp", hostname, errors: true, ...options }));
      const shown = (address: string) => hostname === "::" ? `::ffff:${address}` : address;
      using socket = open();
      const { near, right } = ROUTED;
      const expired = await provoke(socket, pattern(20), at(right.ipv4, PORT), { ttl: 1 });
      assertEquals(summary(expired), ["EHOSTUNREACH", "icmp", 11, 0, shown(near.ipv4), undefined]);
      assertEquals(expired.destination, at(shown(right.ipv4), PORT));
      assertEquals(expired.data, pattern(20).subarray(0, expired.data.length));
      const arrived = await provoke(socket, pattern(20), at(right.ipv4, PORT), { ttl: 2 });
      assertEquals(summary(arrived), ["ECONNREFUSED", "icmp", 3, 3, shown(right.ipv4), undefined]);
      using large = open({ dontFragment: true });
      const tooLarge = await provoke(large, pattern(1400), at(right.ipv4, PORT));
      assertEquals(summary(tooLarge), ["EMSGSIZE", "icmp", 3, 4, shown(near.ipv4), NARROW_MTU]);
      // From now on the system itself refuses: the send fails, once, and the queue has it too.
      const error = await assertRejects(() => large.send(pattern(1400), at(right.ipv4, PORT)), Error);
      assert(isSocketError(error));
      assertEquals([error.code, error.mtu], ["EMSGSIZE", NARROW_MTU]);
      const local = await large.receiveError();
      assertEquals([local.code, local.origin, local.mtu, local.offender], ["EMSGSIZE", "local", NARROW_MTU, undefined]);
    });
  }

  itUnless(noNamespaces, "are told with who sent them, over IPv6", async () => {
    await using row = await RoutedPair.create();
    const open = (options = {}) =>
      inside(row.left, () => listenDatagram({ transport: "udp", hostname: "::", errors: true, ...options }));
    using socket = open();
    const { near, right } = ROUTED;
    const expired = await provoke(socket, pattern(20), at(right.ipv6, PORT), { ttl: 1 });
    assertEquals(summary(expired), ["EHOSTUNREACH", "icmp6", 3, 0, near.ipv6, undefined]);
    assertEquals([expired.destination, expired.data], [at(right.ipv6, PORT), pattern(20)]);
    const arrived = await provoke(socket, pattern(20), at(right.ipv6, PORT), { ttl: 2 });
    assertEquals(summary(arrived), ["ECONNREFUSED", "icmp6", 1, 4, right.ipv6, undefined]);
    using large = open({ dontFragment: true });
    const tooLarge = await provoke(large, pattern(1400), at(right.ipv6, PORT));
    assertEquals(summary(tooLarge), ["EMSGSIZE", "icmp6", 2, 0, near.ipv6, NARROW_MTU]);
    assert(tooLarge.data.length > 1000 && tooLarge.data.length < 1400);
    const error = await assertRejects(() => large.send(pattern(1400), at(right.ipv6, PORT)), Error);
    assert(isSocketError(error));
    assertEquals([error.code, error.mtu, (await large.receiveError()).origin], ["EMSGSIZE", NARROW_MTU, "local"]);
  });

  for (const family of ["ipv4", "ipv6"] as const) {
    itUnless(noNamespaces, `do not stop a server whose clients have gone: ${family}`, async () => {
      await using row = await RoutedPair.create();
      const hostname = family === "ipv4" ? "0.0.0.0" : "::";
      using server = inside(row.left, () => listenDatagram({ transport: "udp", hostname, errors: true }));
      const { left, nobody, right } = ROUTED;
      using client = inside(row.right, () => listenDatagram({ transport: "udp", hostname }));
      const receiving = server.receive();
      const unreachable = await provoke(server, pattern(5), at(nobody[family], PORT));
      assertEquals([unreachable.code, unreachable.offender], ["EHOSTUNREACH", ROUTED.near[family]]);
      for (let count = 0; count < 20; count++) {
        await server.sendMany([{ data: pattern(5), addr: at(right[family], PORT) }]);
        await server.send(pattern(5), at(nobody[family], PORT));
      }
      await client.send(pattern(9), at(left[family], server.addr.port));
      const [data, from] = await receiving;
      await server.send(data, from);
      assertEquals((await client.receive())[0], pattern(9));
    });
  }
});
