import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { listenDatagram, sockopt } from "../../mod.ts";
import { bytes } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { at, LOOPBACK } from "../support/loopback.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { noMulticastInterface, openMember, openSender, openUdp, receiveText, receiveUntilMarker } from "./support.ts";
import { noSharedLoad } from "../support/systems.ts";
import { itUnless } from "../support/skipping.ts";

noDescriptorLeaks();

const GROUP = "239.255.14.1";
const OTHER = "239.255.14.2";
const ON_LOOPBACK = { interface: LOOPBACK };

describe("Two sockets on one port", TIMEOUT, () => {
  itUnless(noSharedLoad, "send to a group from the port that the other listens on", async () => {
    using first = openMember({ hostname: GROUP });
    using second = openMember({ hostname: GROUP, port: first.addr.port });
    for (const member of [first, second]) member.joinMulticast(GROUP, ON_LOOPBACK);
    using listening = openUdp({ reusePort: true });
    using sending = openSender({ port: listening.addr.port, reusePort: true });
    await sending.send(bytes("test message"), at(GROUP, first.addr.port));
    for (const member of [first, second]) {
      const [data, from] = await member.receive();
      assertEquals([new TextDecoder().decode(data), from], ["test message", listening.addr]);
    }
  });
});

describe("A socket bound to a group", TIMEOUT, () => {
  it("receives from that group only", async () => {
    using bound = openMember({ hostname: GROUP });
    const { port } = bound.addr;
    using wildcard = openMember({ port });
    using sender = openSender();
    for (const socket of [bound, wildcard]) {
      for (const group of [GROUP, OTHER]) socket.joinMulticast(group, ON_LOOPBACK);
    }
    await sender.send(bytes("to the other group"), at(OTHER, port));
    await sender.send(bytes("to the host"), at(LOOPBACK, port));
    await sender.send(bytes("marker"), at(GROUP, port));
    assertEquals(await receiveUntilMarker(bound), []);
    assertEquals(await receiveUntilMarker(wildcard), ["to the other group", "to the host"]);
  });

  it("has the group as its address", () => {
    using bound = openUdp({ hostname: GROUP });
    assertEquals(bound.addr.hostname, GROUP);
  });
});

describe("Multicast that a socket sends", TIMEOUT, () => {
  it("is looped back to this host only on request", () => {
    using plain = openUdp();
    using asked = openUdp({ loopback: true });
    assertFalse(plain.socket.getOption(sockopt.IP_MULTICAST_LOOP));
    assert(asked.socket.getOption(sockopt.IP_MULTICAST_LOOP));
    plain.setMulticastLoopback(true);
    assert(plain.socket.getOption(sockopt.IP_MULTICAST_LOOP));
    using v6 = openUdp({ hostname: "::1" });
    assertFalse(v6.socket.getOption(sockopt.IPV6_MULTICAST_LOOP));
    v6.setMulticastLoopback(true);
    assert(v6.socket.getOption(sockopt.IPV6_MULTICAST_LOOP));
  });

  it("passes one router, or as many as set", async () => {
    using v4 = openUdp();
    using v6 = openUdp({ hostname: "::1" });
    const hops =
      () => [v4.socket.getOption(sockopt.IP_MULTICAST_TTL), v6.socket.getOption(sockopt.IPV6_MULTICAST_HOPS)];
    assertEquals(hops(), [1, 1]);
    v4.setMulticastTTL(7);
    v6.setMulticastTTL(8);
    assertEquals(hops(), [7, 8]);
    const [membership, membership6] = [
      v4.joinMulticast(GROUP, ON_LOOPBACK),
      v6.joinMulticast("ff02::1:5", { interface: "lo" }),
    ];
    await membership.setTTL(0);
    await membership6.setTTL(255);
    assertEquals(hops(), [0, 255]);
    await membership.setLoopback(true);
    await membership6.setLoopback(true);
    assert(v4.socket.getOption(sockopt.IP_MULTICAST_LOOP) && v6.socket.getOption(sockopt.IPV6_MULTICAST_LOOP));
  });

  it("has a unicast TTL of its own", () => {
    using v4 = openUdp();
    using v6 = openUdp({ hostname: "::1" });
    v4.setTTL(9);
    v6.setTTL(10);
    assertEquals([v4.socket.getOption(sockopt.IP_TTL), v6.socket.getOption(sockopt.IPV6_UNICAST_HOPS)], [9, 10]);
    assertEquals(v4.socket.getOption(sockopt.IP_MULTICAST_TTL), 1);
  });

  itUnless(noMulticastInterface, "is sent through the chosen interface", async () => {
    using member = openMember();
    member.joinMulticast(GROUP, ON_LOOPBACK);
    for (const networkInterface of ["lo", LOOPBACK, 1]) {
      using sender = listenDatagram({ transport: "udp", loopback: true });
      sender.setMulticastInterface(networkInterface);
      await sender.send(bytes("by loopback"), at(GROUP, member.addr.port));
      const [data, from] = await member.receive();
      assertEquals([new TextDecoder().decode(data), from.port], ["by loopback", sender.addr.port]);
      // Of a name or an index Linux takes the interface and not its address, where that is one of the host alone.
      if (networkInterface === LOOPBACK) assertEquals(from.hostname, LOOPBACK);
    }
    using v6 = openUdp({ hostname: "::1" });
    v6.setMulticastInterface("lo");
    assertEquals(v6.socket.getOption(sockopt.IPV6_MULTICAST_IF), 1);
    v6.setMulticastInterface(0);
    assertEquals(v6.socket.getOption(sockopt.IPV6_MULTICAST_IF), 0);
  });
});

describe("Broadcast", TIMEOUT, () => {
  it("is allowed by default", async () => {
    using receiver = openUdp({ hostname: "0.0.0.0" });
    using sender = openUdp();
    const everyone = at("127.255.255.255", receiver.addr.port);
    assert(sender.socket.getOption(sockopt.SO_BROADCAST));
    await sender.send(bytes("everyone"), everyone);
    assertEquals(await receiveText(receiver), "everyone");
    using quiet = openUdp({ broadcast: false });
    assertFalse(quiet.socket.getOption(sockopt.SO_BROADCAST));
    quiet.setBroadcast(true);
    await quiet.send(bytes("after all"), everyone);
    assertEquals(await receiveText(receiver), "after all");
  });

  it("is PermissionDenied if it is switched off, with a hint", async () => {
    using sender = openUdp({ broadcast: false });
    let refusal: unknown;
    await sender.send(bytes("everyone"), at("127.255.255.255", 9)).catch((error) => refusal = error);
    assertThrows(
      () => {
        throw refusal;
      },
      Deno.errors.PermissionDenied,
      "broadcast: true",
    );
  });
});
