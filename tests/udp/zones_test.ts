import { assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { isSocketError, resolveAddress, type UdpListenOptions, type UdpSocket } from "../../mod.ts";
import { bytes, text } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { inside } from "../support/inside.ts";
import { at, LOOPBACK } from "../support/loopback.ts";
import { missingNamespaces, type Namespace, NamespacePair } from "../support/namespaces.ts";
import { run } from "../support/process.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT, TIMEOUT_MS } from "../support/timeout.ts";
import { noMulticastInterface, openUdp, receiveText } from "./support.ts";
import { noInterfaceChoice } from "../support/systems.ts";

noDescriptorLeaks();

const reason = await missingNamespaces();

let pair: NamespacePair;
beforeAll(async () => {
  if (reason === null) pair = await NamespacePair.create();
});
afterAll(async () => {
  await pair?.[Symbol.asyncDispose]();
});

async function ip(...args: string[]): Promise<string> {
  const { success, stdout, report } = await run("ip", args);
  if (!success) throw new Error(report);
  return stdout;
}

/** Lays a second cable, whose ends have this name: fe80::a on the left, fe80::b on the right. */
async function layCable(name: string): Promise<void> {
  const { left, right } = pair;
  await ip("-n", left.name, "link", "add", name, "type", "veth", "peer", "name", name, "netns", right.name);
  for (const [namespace, address] of [[left, "fe80::a"], [right, "fe80::b"]] as const) {
    await ip("-n", namespace.name, "link", "set", name, "addrgenmode", "none");
    await ip("-n", namespace.name, "address", "add", `${address}/64`, "dev", name, "nodad");
    await ip("-n", namespace.name, "link", "set", name, "up");
  }
  for (const { name: namespace } of [left, right]) await untilUp(namespace, name);
}

async function untilUp(namespace: string, name: string): Promise<void> {
  const limit = performance.now() + TIMEOUT_MS;
  while (!(await ip("-n", namespace, "link", "show", name)).includes("state UP")) {
    if (performance.now() > limit) throw new Error(`${name} of ${namespace} did not come up`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function cutCable(name: string): Promise<void> {
  await ip("-n", pair.left.name, "link", "delete", name);
}

async function indexOf(namespace: Namespace, name: string): Promise<number> {
  return Number((await namespace.run("cat", [`/sys/class/net/${name}/ifindex`])).stdout);
}

const left = (options: Partial<UdpListenOptions>) => inside(pair.left.name, () => openUdp(options));
const right = (options: Partial<UdpListenOptions>) => inside(pair.right.name, () => openUdp(options));

/** Sends from inside the left namespace, where zones are looked up. */
function sendLeft(socket: UdpSocket, ...args: Parameters<UdpSocket["send"]>): Promise<number> {
  return inside(pair.left.name, () => socket.send(...args));
}

describe("A zone", TIMEOUT, () => {
  itUnless(reason, "by name is the interface that has the name now, after the first one was removed", async () => {
    await layCable("w0");
    using sender = left({ hostname: "::" });
    const before = await indexOf(pair.left, "w0");
    {
      using receiver = right({ hostname: "::" });
      await sendLeft(sender, bytes("one"), at("fe80::b%w0", receiver.addr.port));
      assertEquals(await receiveText(receiver), "one");
    }
    await cutCable("w0");
    await layCable("w0");
    assertNotEquals(await indexOf(pair.left, "w0"), before);
    using receiver = right({ hostname: "::" });
    const to = at("fe80::b%w0", receiver.addr.port);
    await sendLeft(sender, bytes("two"), to);
    assertEquals(await receiveText(receiver), "two");
    await inside(pair.left.name, () => sender.sendMany([{ data: bytes("three"), addr: to }]));
    assertEquals(await receiveText(receiver), "three");
    inside(pair.left.name, () => sender.connect(to));
    await sender.send(bytes("four"));
    assertEquals(await receiveText(receiver), "four");
    await cutCable("w0");
    using another = left({ hostname: "::" });
    const error = await sendLeft(another, bytes("gone"), to).then(() => null, (error) => error);
    assertEquals(isSocketError(error) && error.code, "ENODEV");
  });

  itUnless(reason, "of digits is the interface of that name, and an index where none has it", async () => {
    await layCable("1");
    using receiver = right({ hostname: "::" });
    using sender = left({ hostname: "::" });
    const index = await indexOf(pair.left, "1");
    assertNotEquals(index, 1, "1 is loopback's index");
    for (const zone of ["1", String(index)]) {
      await sendLeft(sender, bytes(zone), at(`fe80::b%${zone}`, receiver.addr.port));
      assertEquals(await receiveText(receiver), zone);
    }
    using bound = left({ hostname: "fe80::a%1" });
    assertEquals(bound.addr.hostname, "fe80::a%1");
    await cutCable("1");
  });

  itUnless(reason, "of the source chooses the interface", async () => {
    await layCable("w0");
    using receiver = right({ hostname: "::" });
    using sender = left({ hostname: "::" });
    const to = at("fe80::b", receiver.addr.port);
    const index = await indexOf(pair.left, "w0");
    // Without one it goes by the first interface with link-local addresses, which is another.
    await sendLeft(sender, bytes("lost"), to);
    for (const options of [{ source: "fe80::a%w0" }, { source: "fe80::a", interfaceIndex: index }]) {
      await sendLeft(sender, bytes("chosen"), to, options);
      const [data, { hostname }] = await receiver.receive();
      assertEquals(text(data), "chosen");
      assertEquals(hostname.replace(/%.*/, ""), "fe80::a");
    }
    await assertRejects(
      () => sendLeft(sender, bytes("x"), to, { source: "fe80::a%w0", interfaceIndex: 1 }),
      TypeError,
      `The zone of the source fe80::a%w0 is interface ${index}, and interfaceIndex is 1`,
    );
    await cutCable("w0");
  });

  itUnless(reason, "of a group, or else of its source, chooses the interface of a membership", () => {
    const socket = left({ hostname: "::" });
    using _socket = socket;
    const groups = () => inside(pair.left.name, () => Deno.readTextFileSync("/proc/thread-self/net/igmp6"));
    const joined = (group: string) =>
      groups().split("\n").filter((line) => line.includes(group)).map((line) => line.trim().split(/\s+/)[1]);
    inside(pair.left.name, () => {
      socket.joinMulticast("ff12::77:1%veth0");
      socket.joinMulticast("ff12::77:2", { source: `${pair.right.linkLocal}%veth0` });
      socket.joinMulticast("ff12::77:3%lo");
    });
    assertEquals(joined("ff120000000000000000000000770001"), ["veth0"]);
    assertEquals(joined("ff120000000000000000000000770002"), ["veth0"]);
    assertEquals(joined("ff120000000000000000000000770003"), ["lo"]);
  });

  it("beyond 32 bits is refused", async () => {
    using socket = openUdp({ hostname: "::" });
    for (const zone of ["4294967296", "18446744073709551617", "99999999999999999999999999"]) {
      await assertRejects(() => socket.send(bytes("x"), at(`fe80::1%${zone}`, 9)), RangeError, zone);
      await assertRejects(
        () => socket.send(bytes("x"), at("::1", 9), { source: `fe80::1%${zone}` }),
        RangeError,
        zone,
      );
      await assertRejects(() => resolveAddress("udp", `[fe80::1%${zone}]:9`), RangeError, zone);
      assertThrows(() => openUdp({ hostname: `fe80::1%${zone}` }), RangeError, zone);
    }
  });
});

describe("interfaceIndex", TIMEOUT, () => {
  const groups = [["239.255.8.1", "0.0.0.0"], ["ff12::8:1", "::"], ["239.255.8.1", "::"]] as const;
  for (const [group, hostname] of groups) {
    itUnless(
      (group.includes(":") ? null : noInterfaceChoice) ?? noMulticastInterface ?? reason,
      `alone chooses the interface of a datagram: ${group} from ${hostname}`,
      async () => {
        const receiver = right({ hostname: group.includes(":") ? "::" : "0.0.0.0" });
        using _receiver = receiver;
        inside(pair.right.name, () => receiver.joinMulticast(group, { interface: "veth0" }));
        using sender = left({ hostname });
        const interfaceIndex = await indexOf(pair.left, "veth0");
        const to = at(group, receiver.addr.port);
        inside(pair.left.name, () => sender.setMulticastInterface("lo"));
        await sendLeft(sender, bytes("by veth0"), to, { interfaceIndex });
        assertEquals(await receiveText(receiver), "by veth0");
      },
    );
  }

  itUnless(reason, "goes with connect() and without an address, to a link-local peer", async () => {
    using receiver = right({ hostname: "::" });
    using sender = left({ hostname: "::" });
    const interfaceIndex = await indexOf(pair.left, "veth0");
    await sendLeft(sender, bytes("one"), at(pair.right.linkLocal, receiver.addr.port), { interfaceIndex });
    assertEquals(await receiveText(receiver), "one");
    sender.connect(at(pair.right.ipv6, receiver.addr.port));
    await sendLeft(sender, bytes("two"), undefined, { interfaceIndex });
    assertEquals(await receiveText(receiver), "two");
  });

  itUnless(noInterfaceChoice, "that is no index is refused, with a source and without", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    for (const source of [{}, { source: LOOPBACK }]) {
      for (const value of ["x", NaN, 1.9, null, {}, 2n]) {
        const options = { ...source, interfaceIndex: value as number };
        await assertRejects(() => sender.send(bytes("x"), receiver.addr, options), TypeError, "interfaceIndex");
      }
      for (const value of [-1, 2 ** 31, 2 ** 32 + 1]) {
        const options = { ...source, interfaceIndex: value };
        await assertRejects(() => sender.send(bytes("x"), receiver.addr, options), RangeError, "interfaceIndex");
      }
    }
    await assertRejects(
      () => sender.send(bytes("x"), receiver.addr, { interfaceIndex: 0x7fff_fff0 }),
      Error,
      "no interface has the index 2147483632",
    );
    await sender.send(bytes("none of those"), receiver.addr);
    assertEquals(await receiveText(receiver), "none of those");
  });
});
