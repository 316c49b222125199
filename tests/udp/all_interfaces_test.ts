import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { listenDatagram } from "../../mod.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { inside } from "../support/inside.ts";
import { missingNamespaces, type Namespace, NamespacePair } from "../support/namespaces.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { RemoteUdp } from "./remote.ts";
import { noMulticastInterface } from "./support.ts";
import { linuxTable } from "../support/systems.ts";

noDescriptorLeaks();

const reason = await missingNamespaces() ?? (linuxTable ? null : "the double has no routing socket");
const PORT = 5_353;

interface Family {
  readonly name: string;
  readonly wildcard: string;
  readonly group: string;
  readonly markers: string;
}

const FAMILIES: readonly Family[] = [
  { name: "IPv4", wildcard: "0.0.0.0", group: "239.255.15.10", markers: "239.255.15.11" },
  { name: "IPv6", wildcard: "::", group: "ff12::15:10", markers: "ff12::15:11" },
];

async function ip({ name }: Namespace, ...args: string[]): Promise<string> {
  const { success, stdout, report } = await pair.left.run("ip", ["-n", name, ...args]);
  assert(success, report);
  return stdout;
}

async function indexOf(namespace: Namespace, name: string): Promise<number> {
  return JSON.parse(await ip(namespace, "-json", "link", "show", "dev", name))[0].ifindex;
}

/** Pulls a cable of this name from one namespace to the other, up at both ends. */
async function addCable(name: string, from: Namespace, to: Namespace, host: number): Promise<void> {
  await ip(from, "link", "add", name, "type", "veth", "peer", "name", name, "netns", to.name);
  for (const [namespace, end] of [[from, 1], [to, 2]] as const) {
    await ip(namespace, "link", "set", name, "addrgenmode", "none");
    await ip(namespace, "address", "add", `198.51.100.${host * 4 + end}/30`, "dev", name);
    await ip(namespace, "address", "add", `fe80::${host}:${end}/64`, "dev", name, "nodad");
    await ip(namespace, "link", "set", name, "up");
  }
}

/** Asks until a membership stands on just these interfaces. */
async function untilJoined(member: RemoteUdp, membership: number, indexes: readonly number[]): Promise<void> {
  const wanted = JSON.stringify([...indexes].sort((one, other) => one - other));
  for (let round = 0; round < 2_000; round++) {
    const { interfaces } = await member.call("joined", membership);
    if (JSON.stringify(interfaces) === wanted) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`Not joined on ${wanted}, but on ${JSON.stringify(await member.call("joined", membership))}`);
}

let pair: NamespacePair;
beforeAll(async () => {
  if (reason === null) pair = await NamespacePair.create();
});
afterAll(async () => {
  if (reason === null) await pair[Symbol.asyncDispose]();
});

for (const { name, wildcard, group, markers } of FAMILIES) {
  describe(`an ${name} membership of all interfaces`, TIMEOUT, () => {
    async function openMember(namespace = pair.left): Promise<[RemoteUdp, number]> {
      const member = await RemoteUdp.open(namespace, { hostname: wildcard, port: PORT, reuseAddress: true });
      await member.call("own");
      return [member, await member.call("join", group, { interface: "all" })];
    }

    /** Sends by an interface, over and over where that is not up yet, until the member has received it. */
    async function reaches(member: RemoteUdp, sender: RemoteUdp, by: string, text: string): Promise<void> {
      await sender.call("multicastInterface", by);
      const receiving = member.call("receiveText");
      let received: string | undefined;
      receiving.then(([got]) => received = got, () => {});
      while (received === undefined) {
        // A route of IPv6 multicast appears some time after the carrier.
        await sender.call("send", text, group, PORT).catch(() => {});
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      await receiving;
      assertEquals(received, text);
      await empty(member, sender);
    }

    /** Takes what was sent twice. */
    async function empty(member: RemoteUdp, sender: RemoteUdp): Promise<string[]> {
      const marking = await member.call("join", markers, { interface: "veth0" });
      await sender.call("multicastInterface", "veth0");
      await sender.call("send", "marker", markers, PORT);
      const found = await member.receiveUntilMarker();
      await member.call("leave", marking);
      return found;
    }

    itUnless(
      noMulticastInterface ?? reason,
      "follows interfaces that come, go, return and are switched off and on",
      async () => {
        const [opened, membership] = await openMember();
        await using member = opened;
        await using sender = await RemoteUdp.open(pair.right, { hostname: wildcard });
        const first = await indexOf(pair.left, "veth0");
        await untilJoined(member, membership, [first]);
        await reaches(member, sender, "veth0", "by the first");
        await addCable("cable1", pair.left, pair.right, 1);
        await untilJoined(member, membership, [first, await indexOf(pair.left, "cable1")]);
        await reaches(member, sender, "cable1", "by one that came later");
        await ip(pair.left, "link", "set", "cable1", "down");
        await ip(pair.left, "link", "set", "cable1", "up");
        if (name === "IPv6") await ip(pair.left, "address", "replace", "fe80::1:1/64", "dev", "cable1", "nodad");
        await reaches(member, sender, "cable1", "by one that was down");
        await ip(pair.left, "link", "delete", "cable1");
        await untilJoined(member, membership, [first]);
        await addCable("cable1", pair.left, pair.right, 1);
        await untilJoined(member, membership, [first, await indexOf(pair.left, "cable1")]);
        await reaches(member, sender, "cable1", "by one that returned");
        await member.call("leave", membership);
        for (const by of ["cable1", "veth0"]) {
          await sender.call("multicastInterface", by);
          await sender.call("send", "after the end", group, PORT);
        }
        assertEquals(await empty(member, sender), []);
        await addCable("cable2", pair.left, pair.right, 2);
        assertEquals((await member.call("joined", membership)).interfaces, []);
        for (const cable of ["cable1", "cable2"]) await ip(pair.left, "link", "delete", cable);
      },
    );

    itUnless(noMulticastInterface ?? reason, "hears two hosts by two cables", async () => {
      await using other = await NamespacePair.create();
      await addCable("cable3", pair.left, other.right, 3);
      const [opened, membership] = await openMember();
      await using member = opened;
      await untilJoined(member, membership, [await indexOf(pair.left, "veth0"), await indexOf(pair.left, "cable3")]);
      await using near = await RemoteUdp.open(pair.right, { hostname: wildcard });
      await using far = await RemoteUdp.open(other.right, { hostname: wildcard });
      await reaches(member, near, "veth0", "from the one");
      await far.call("multicastInterface", "cable3");
      const receiving = member.call("receiveText");
      let done = false;
      receiving.finally(() => done = true);
      while (!done) {
        await far.call("send", "from the other", group, PORT).catch(() => {});
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      assertEquals((await receiving)[0], "from the other");
    });

    itUnless(noMulticastInterface ?? reason, "blocks a source on interfaces that come later too", async () => {
      const [opened, membership] = await openMember();
      await using member = opened;
      await using sender = await RemoteUdp.open(pair.right, { hostname: wildcard });
      const source = name === "IPv4" ? "198.51.100.18" : "fe80::4:2";
      await member.call("block", membership, source);
      await assertRejects(() => member.call("block", membership, source), Error, "already blocked");
      await addCable("cable4", pair.left, pair.right, 4);
      const both = [await indexOf(pair.left, "veth0"), await indexOf(pair.left, "cable4")];
      await untilJoined(member, membership, both);
      // The markers come by the same cable, and their group blocks nobody.
      await member.call("join", markers, { interface: "cable4" });
      await sender.call("multicastInterface", "cable4");
      const sendBoth = async (text: string) => {
        for (let sent = false; !sent;) {
          sent = await sender.call("send", text, group, PORT).then(() => true, () => false);
          if (sent) await sender.call("send", "marker", markers, PORT);
          else await new Promise((resolve) => setTimeout(resolve, 20));
        }
      };
      await sendBoth("blocked");
      assertEquals(await member.receiveUntilMarker(), []);
      await member.call("unblock", membership, source);
      await sendBoth("unblocked");
      assertEquals(await member.receiveUntilMarker(), ["unblocked"]);
      await assertRejects(() => member.call("unblock", membership, source), Error, "not blocked");
      await ip(pair.left, "link", "delete", "cable4");
    });
  });
}

describe("more interfaces than the system allows memberships", TIMEOUT, () => {
  const LIMIT = 20;

  async function addTaps(namespace: Namespace, from: number, to: number): Promise<void> {
    for (let number = from; number < to; number++) {
      await ip(namespace, "tuntap", "add", "dev", `tap${number}`, "mode", "tap");
      await ip(namespace, "link", "set", `tap${number}`, "up");
    }
  }

  itUnless(
    reason,
    "are an error that names the limit and leaves nothing joined, and of later ones the error tells",
    async () => {
      await using other = await NamespacePair.create();
      const { left } = other;
      await addTaps(left, 0, LIMIT);
      await using member = await RemoteUdp.open(left, { hostname: "0.0.0.0", port: PORT });
      const { group } = FAMILIES[0]!;
      const error = await assertRejects(() => member.call("join", group, { interface: "all" }), Error);
      assert(/ENOBUFS.*igmp_max_memberships \(20 by default\).*after 20 others/.test(error.message), error.message);
      const igmp = await left.run("cat", ["/proc/net/igmp"]);
      assertEquals(igmp.stdout.match(/0A0FFFEF/g), null);
      await ip(left, "link", "delete", "tap0");
      const membership = await member.call("join", group, { interface: "all" });
      assertEquals((await member.call("joined", membership)).interfaces.length, LIMIT);
      assertEquals((await member.call("joined", membership)).code, null);
      await addTaps(left, 90, 91);
      let code: string | null = null;
      while (code === null) ({ code } = await member.call("joined", membership));
      assertEquals(code, "ENOBUFS");
      await member.call("leave", membership);
      assertEquals((await left.run("cat", ["/proc/net/igmp"])).stdout.match(/0A0FFFEF/g), null);
    },
  );
});

describe("a membership of all interfaces", TIMEOUT, () => {
  itUnless(reason, "is left where a using declaration ends, and that is silent where it has been left", async () => {
    const group = "239.255.15.15";
    const leaving = inside(pair.left.name, () => {
      using udp = listenDatagram({ transport: "udp", hostname: "0.0.0.0" });
      const joinOne = () => udp.joinMulticast(group, { interface: "veth0" });
      {
        using membership = udp.joinMulticast(group, { interface: "all" });
        assertEquals(membership.interfaces?.length, 1);
        assertThrows(joinOne, Deno.errors.AddrInUse);
      }
      joinOne()[Symbol.dispose]();
      using membership = udp.joinMulticast(group, { interface: "all" });
      return membership.leave();
    });
    await leaving;
  });

  itUnless(reason, "does not keep the process alive, and ends with its socket", async () => {
    const program = `
      import { listenDatagram } from ${JSON.stringify(new URL("../../mod.ts", import.meta.url).href)};
      const isSocket = ({ name }) => {
        try { return Deno.readLinkSync("/proc/self/fd/" + name).startsWith("socket:"); } catch { return false; }
      };
      const sockets = () => Array.from(Deno.readDirSync("/proc/self/fd")).filter(isSocket).length;
      const udp = listenDatagram({ transport: "udp", hostname: "0.0.0.0" });
      await new Promise((resolve) => setTimeout(resolve, 20));
      const before = sockets();
      udp.joinMulticast("239.255.15.12", { interface: "all" });
      udp.joinMulticast("239.255.15.13", { interface: "all" });
      await new Promise((resolve) => setTimeout(resolve, 20));
      const during = sockets();
      udp.close();
      const after = sockets();
      await new Promise((resolve) => setTimeout(resolve, 20));
      const again = listenDatagram({ transport: "udp", hostname: "0.0.0.0" });
      again.joinMulticast("239.255.15.12", { interface: "all" });
      console.log(during - before, after - before);`;
    const path = await Deno.makeTempFile({ suffix: ".ts" });
    try {
      await Deno.writeTextFile(path, program);
      const finished = await pair.left.run(Deno.execPath(), ["run", "-A", "--no-prompt", path]);
      assertEquals([finished.stdout.trim(), finished.code], ["1 -1", 0], finished.report);
    } finally {
      await Deno.remove(path);
    }
  });

  itUnless(reason, "needs permission for the group alone, but to tell the interfaces", async () => {
    const program = `
      import { listenDatagram } from ${JSON.stringify(new URL("../../mod.ts", import.meta.url).href)};
      using udp = listenDatagram({ transport: "udp", hostname: "0.0.0.0" });
      const membership = udp.joinMulticast("239.255.15.14", { interface: "all" });
      try { membership.interfaces; } catch (error) { console.log(error.name); }
      await membership.leave();`;
    const path = await Deno.makeTempFile({ suffix: ".ts" });
    try {
      await Deno.writeTextFile(path, program);
      const flags = ["run", "--no-prompt", "--allow-ffi", "--allow-net=0.0.0.0"];
      const finished = await pair.left.run(Deno.execPath(), [...flags, path]);
      assertEquals([finished.stdout.trim(), finished.code], ["NotCapable", 0], finished.report);
    } finally {
      await Deno.remove(path);
    }
  });

  it("refuses a group that is none, and a zone, before anything is joined", () => {
    using udp = listenDatagram({ transport: "udp", hostname: "127.0.0.1" });
    assertThrows(() => udp.joinMulticast("127.0.0.1", { interface: "all" }), TypeError, "Not a multicast group");
    assertThrows(() => udp.joinMulticast("ff02::1", { interface: "all" }), TypeError, "of the other family");
    using v6 = listenDatagram({ transport: "udp", hostname: "::1" });
    assertThrows(() => v6.joinMulticast("ff02::fb%lo", { interface: "all" }), TypeError, "names one interface");
  });
});
