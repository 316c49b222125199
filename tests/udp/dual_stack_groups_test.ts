import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { sockopt, type UdpListenOptions, type UdpSocket } from "../../mod.ts";
import { bytes, text } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { inside } from "../support/inside.ts";
import { at } from "../support/loopback.ts";
import { missingNamespaces, NamespacePair } from "../support/namespaces.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { noMulticastInterface, openUdp, receiveText, receiveUntilMarker } from "./support.ts";
import { noDualStackOptions } from "../support/systems.ts";

noDescriptorLeaks();

const reason = noMulticastInterface ?? await missingNamespaces();
const notLinux = noDualStackOptions;

const PORT = 5353;
const GROUPS = { ipv4: "224.0.0.251", ipv6: "ff02::fb" } as const;

let pair: NamespacePair;
beforeAll(async () => {
  if (reason === null) pair = await NamespacePair.create();
});
afterAll(async () => {
  await pair?.[Symbol.asyncDispose]();
});

type Side = "left" | "right";

const open = (side: Side, options: Partial<UdpListenOptions>) => inside(pair[side].name, () => openUdp(options));

/** A socket of both families that has joined both groups, as an mDNS responder opens it. */
function openResponder(side: Side): UdpSocket {
  const socket = open(side, { hostname: "::", port: PORT, reuseAddress: true, packetInfo: true });
  inside(pair[side].name, () => {
    socket.setMulticastInterface("veth0");
    socket.setMulticastTTL(255);
    for (const group of Object.values(GROUPS)) socket.joinMulticast(group, { interface: "veth0" });
  });
  return socket;
}

describe('One mDNS socket on "::"', TIMEOUT, () => {
  itUnless(notLinux ?? reason, "receives, sends and answers over both families", async () => {
    using one = openResponder("left");
    using other = openResponder("right");
    for (const [family, group] of Object.entries(GROUPS) as ["ipv4" | "ipv6", string][]) {
      const mapped = family === "ipv4" ? "::ffff:" : "";
      await one.send(bytes("query"), at(group, PORT), { source: pair.left[family] });
      const { data, addr, destination, ttl } = await other.receiveMessage();
      assertEquals([text(data), destination, ttl], ["query", `${mapped}${group}`, 255]);
      assertEquals(addr, at(`${mapped}${pair.left[family]}`, PORT));
      // Answered to the group, and to the one who asked.
      await other.send(bytes("to all"), at(group, PORT));
      assertEquals(await receiveText(one), "to all");
      await other.send(bytes("to one"), addr, { source: `${mapped}${pair.right[family]}` });
      assertEquals(await receiveText(one), "to one");
    }
  });

  itUnless(notLinux ?? reason, "speaks with sockets of one family alone", async () => {
    using both = openResponder("left");
    for (const family of ["ipv4", "ipv6"] as const) {
      using single = open("right", { hostname: family === "ipv4" ? "0.0.0.0" : "::", port: PORT, ipv6Only: true });
      inside(pair.right.name, () => {
        single.setMulticastInterface("veth0");
        single.joinMulticast(GROUPS[family], { interface: "veth0" });
      });
      await single.send(bytes("query"), at(GROUPS[family], PORT));
      assertEquals(await receiveText(both), "query");
      await both.send(bytes("answer"), at(GROUPS[family], PORT));
      assertEquals(await receiveText(single), "answer");
    }
  });

  itUnless(notLinux ?? reason, "blocks, unblocks and leaves an IPv4 group as an IPv4 socket does", async () => {
    using sender = open("left", { hostname: pair.left.ipv4 });
    using member = open("right", { hostname: "::" });
    member.socket.setOption(sockopt.IP_MULTICAST_ALL, false);
    const { port } = member.addr;
    inside(pair.left.name, () => sender.setMulticastInterface("veth0"));
    const received = async (): Promise<string[]> => {
      await sender.send(bytes("to the group"), at("239.255.5.1", port));
      await sender.send(bytes("marker"), at(pair.right.ipv4, port));
      return await receiveUntilMarker(member);
    };
    assertEquals(await received(), []);
    const membership = inside(pair.right.name, () => member.joinMulticast("239.255.5.1", { interface: "veth0" }));
    assertEquals([membership.group, await received()], ["239.255.5.1", ["to the group"]]);
    membership.blockSource(pair.left.ipv4);
    assertEquals(await received(), []);
    membership.unblockSource(pair.left.ipv4);
    assertEquals(await received(), ["to the group"]);
    await membership.leave();
    assertEquals(await received(), []);
    const only = inside(
      pair.right.name,
      () => member.joinMulticast("::ffff:239.255.5.1", { interface: "veth0", source: pair.left.ipv4 }),
    );
    assertEquals([only.group, await received()], ["239.255.5.1", ["to the group"]]);
    await assertRejects(() => Promise.try(() => only.blockSource(pair.left.ipv4)), TypeError, "source-specific");
  });

  itUnless(
    notLinux ?? reason,
    "sends IPv4 with the TTL of setTTL, and loops back what setMulticastLoopback says",
    async () => {
      using receiver = open("right", { hostname: "0.0.0.0", packetInfo: true });
      using sender = open("left", { hostname: "::" });
      for (const ttl of [7, 200]) {
        sender.setTTL(ttl);
        await sender.send(bytes("x"), at(pair.right.ipv4, receiver.addr.port));
        assertEquals((await receiver.receiveMessage()).ttl, ttl);
      }
      using member = open("left", { hostname: "0.0.0.0" });
      inside(pair.left.name, () => {
        sender.setMulticastInterface("veth0");
        member.joinMulticast("239.255.5.2", { interface: "veth0" });
      });
      const heard = async (loopback: boolean): Promise<string[]> => {
        sender.setMulticastLoopback(loopback);
        await sender.send(bytes("looped"), at("239.255.5.2", member.addr.port));
        await sender.send(bytes("marker"), at(pair.left.ipv4, member.addr.port));
        return await receiveUntilMarker(member);
      };
      assertEquals([await heard(false), await heard(true)], [[], ["looped"]]);
    },
  );
});

describe("Options of both families", TIMEOUT, () => {
  itUnless(notLinux, 'are set on "::", and those of IPv6 alone where the socket is for IPv6 only', () => {
    for (const ipv6Only of [false, true]) {
      using socket = openUdp({ hostname: "::", ipv6Only });
      const v4 = () => [
        socket.socket.getOption(sockopt.IP_TTL),
        socket.socket.getOption(sockopt.IP_MULTICAST_TTL),
        socket.socket.getOption(sockopt.IP_MULTICAST_LOOP),
      ];
      const v6 = () => [
        socket.socket.getOption(sockopt.IPV6_UNICAST_HOPS),
        socket.socket.getOption(sockopt.IPV6_MULTICAST_HOPS),
        socket.socket.getOption(sockopt.IPV6_MULTICAST_LOOP),
      ];
      assertEquals(v4(), [64, 1, ipv6Only]);
      socket.setTTL(9);
      socket.setMulticastTTL(8);
      socket.setMulticastLoopback(true);
      assertEquals(v6(), [9, 8, true]);
      assertEquals(v4(), ipv6Only ? [64, 1, true] : [9, 8, true]);
    }
  });

  it("and an IPv4 group need a socket that is not for IPv6 only", () => {
    using socket = openUdp({ hostname: "::", ipv6Only: true });
    const says = 'The group 239.255.5.1 is of the other family; open an IPv4 socket with hostname: "0.0.0.0"';
    assertThrows(() => socket.joinMulticast("239.255.5.1", { interface: "lo" }), TypeError, says);
  });
});
