import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { afterAll, beforeAll, describe } from "@std/testing/bdd";
import { listenDatagram } from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { inside } from "../support/inside.ts";
import { missingNamespaces, type Namespace, NamespacePair } from "../support/namespaces.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { RemoteUdp } from "./remote.ts";
import { noMulticastInterface } from "./support.ts";

noDescriptorLeaks();

const reason = noMulticastInterface ?? await missingNamespaces();

const PORT = 5353;

/** What differs between the families. */
interface Family {
  readonly name: string;
  readonly wildcard: string;
  readonly group: string;
  readonly markers: string;
  /** Two addresses of the sender's interface. */
  sources(left: Namespace): [string, string];
}

const IPV4: Family = {
  name: "IPv4",
  wildcard: "0.0.0.0",
  group: "239.255.15.1",
  markers: "239.255.15.2",
  sources: ({ ipv4 }) => [ipv4, "192.0.2.11"],
};

const IPV6: Family = {
  name: "IPv6",
  wildcard: "::",
  group: "ff12::15:1",
  markers: "ff12::15:2",
  sources: ({ ipv6, linkLocal }) => [ipv6, `${linkLocal}%veth0`],
};

let pair: NamespacePair;
beforeAll(async () => {
  if (reason !== null) return;
  pair = await NamespacePair.create();
  await pair.left.run("ip", ["address", "add", "192.0.2.11/24", "dev", pair.left.interface]);
});
afterAll(async () => {
  if (reason === null) await pair[Symbol.asyncDispose]();
});

for (const family of [IPV4, IPV6]) {
  const { wildcard, group, markers, sources } = family;

  describe(`${family.name} multicast between two machines`, TIMEOUT, () => {
    /** Opens a socket on the right that receives only the groups it joins, and joins the group of the markers. */
    async function openMember(namespace = pair.right): Promise<RemoteUdp> {
      const member = await RemoteUdp.open(namespace, { hostname: wildcard, port: PORT, reuseAddress: true });
      await member.call("own");
      await member.call("join", markers, { interface: namespace.interface });
      return member;
    }

    /** Somebody on the left who sends. */
    async function openSender(hostname = sources(pair.left)[0]): Promise<RemoteUdp> {
      const sender = await RemoteUdp.open(pair.left, { hostname });
      await sender.call("multicastInterface", pair.left.interface);
      return sender;
    }

    /** Sends to the group and then the marker. */
    async function say(sender: RemoteUdp, text: string): Promise<void> {
      await sender.call("send", text, group, PORT);
      await sender.call("send", "marker", markers, PORT);
    }

    itUnless(reason, "reaches members, from the address it was sent from, until they leave", async () => {
      await using member = await openMember();
      await using outsider = await openMember();
      await using sender = await openSender();
      const membership = await member.call("join", group, { interface: pair.right.interface });
      await say(sender, "joined");
      assertEquals(await member.call("receiveText"), ["joined", sources(pair.left)[0]]);
      assertEquals(await member.receiveUntilMarker(), []);
      assertEquals(await outsider.receiveUntilMarker(), []);
      await member.call("leave", membership);
      await outsider.call("join", group, { interface: pair.right.interface });
      await say(sender, "left");
      assertEquals(await member.receiveUntilMarker(), []);
      assertEquals(await outsider.receiveUntilMarker(), ["left"]);
      await assertRejects(() => member.call("leave", membership), Error, "EADDRNOTAVAIL");
    });

    itUnless(reason, "is joined on an interface by name, index or address, and on no other", async () => {
      await using member = await openMember();
      await using sender = await openSender();
      const { stdout } = await pair.right.run("cat", [`/sys/class/net/${pair.right.interface}/ifindex`]);
      for (const networkInterface of [pair.right.interface, Number(stdout), pair.right.ipv4]) {
        const membership = await member.call("join", group, { interface: networkInterface });
        await say(sender, "received");
        assertEquals(await member.receiveUntilMarker(), ["received"], String(networkInterface));
        await member.call("leave", membership);
      }
      await member.call("join", group, { interface: "lo" });
      await say(sender, "not on lo");
      assertEquals(await member.receiveUntilMarker(), []);
    });

    itUnless(reason, "is filtered by source", async () => {
      const [one, other] = sources(pair.left);
      await using member = await openMember();
      await using sender = await openSender(one);
      await using second = await openSender(other);
      const joinOptions = { interface: pair.right.interface };
      const only = await member.call("join", group, { ...joinOptions, source: bare(one) });
      await second.call("send", "from the second", group, PORT);
      await say(sender, "from the first");
      assertEquals(await member.receiveUntilMarker(), ["from the first"]);
      await member.call("leave", only);
      const all = await member.call("join", group, joinOptions);
      await member.call("block", all, bare(other));
      await say(second, "blocked");
      assertEquals(await member.receiveUntilMarker(), []);
      await member.call("unblock", all, bare(other));
      await say(second, "unblocked");
      assertEquals(await member.receiveUntilMarker(), ["unblocked"]);
    });

    itUnless(reason, "stays on its machine with a TTL of 0", async () => {
      await using here = await openMember(pair.left);
      await using there = await openMember(pair.right);
      for (const member of [here, there]) await member.call("join", group, { interface: pair.left.interface });
      await using sender = await openSender();
      // Linux checks the TTL only if a socket on this machine is a member too.
      await sender.call("multicastLoopback", true);
      await sender.call("multicastTTL", 0);
      await sender.call("send", "near", group, PORT);
      await sender.call("multicastTTL", 1);
      await say(sender, "far");
      assertEquals(await here.receiveUntilMarker(), ["near", "far"]);
      assertEquals(await there.receiveUntilMarker(), ["far"]);
    });

    itUnless(reason, "is looped back to its own machine only while loopback is on", async () => {
      await using here = await openMember(pair.left);
      await using there = await openMember(pair.right);
      for (const member of [here, there]) await member.call("join", group, { interface: pair.left.interface });
      await using sender = await openSender();
      await sender.call("send", "off", group, PORT);
      await sender.call("multicastLoopback", true);
      await say(sender, "on");
      assertEquals(await here.receiveUntilMarker(), ["on"]);
      assertEquals(await there.receiveUntilMarker(), ["off", "on"]);
    });
  });
}

/** An address without its zone. */
function bare(address: string): string {
  return address.replace(/%.*/, "");
}

describe("A join that names no interface", TIMEOUT, () => {
  itUnless(reason, "says that there is no route to the group, or that the group is joined already", async () => {
    const udp = inside(pair.left.name, () => listenDatagram({ transport: "udp", hostname: "0.0.0.0" }));
    using _udp = udp;
    const join = () => inside(pair.left.name, () => udp.joinMulticast(IPV4.group));
    const none = "no such device (ENODEV); the system found no interface for the group; pass one as interface";
    assertThrows(join, Deno.errors.NotFound, none);
    const route = ["239.0.0.0/8", "dev", pair.left.interface];
    assert((await pair.left.run("ip", ["route", "add", ...route])).success);
    join();
    const twice = "address already in use (EADDRINUSE); the socket has already joined this group on this interface";
    assertThrows(join, Deno.errors.AddrInUse, twice);
    assert((await pair.left.run("ip", ["route", "delete", ...route])).success);
  });
});
