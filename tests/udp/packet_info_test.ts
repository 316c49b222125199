import { assert, assertEquals, assertGreaterOrEqual, assertLessOrEqual, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import {
  type Datagram,
  DatagramBatch,
  fromFd,
  isSocketError,
  sockopt,
  type UdpListenOptions,
  type UdpSocket,
} from "../../mod.ts";
import { bytes } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { inside } from "../support/inside.ts";
import { at, LOOPBACK } from "../support/loopback.ts";
import { missingNamespaces, type Namespace, NamespacePair } from "../support/namespaces.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { refuses } from "./refusing.ts";
import { RemoteUdp } from "./remote.ts";
import { noMulticastInterface, openUdp, receiveText } from "./support.ts";
import { noDualStackOptions, noInterfaceChoice } from "../support/systems.ts";

noDescriptorLeaks();

const reason = await missingNamespaces();

/** On other systems loopback has one address. */
const oneLoopback = Deno.build.os === "linux" ? null : "loopback has no second address";

/** What a datagram came with, by whichever way it was received. */
type Details = Pick<Datagram, "destination" | "interfaceIndex" | "ttl" | "trafficClass">;

function detailsOf({ destination, interfaceIndex, ttl, trafficClass }: Datagram): Details {
  return { destination, interfaceIndex, ttl, trafficClass };
}

/** Sends one datagram three times, and returns what receiveMessage, receiveMany and, of a run, the second of each have to say. */
async function tell(sender: UdpSocket, receiver: UdpSocket, to: Deno.NetAddr): Promise<Datagram[]> {
  const batch = new DatagramBatch();
  const told: Datagram[] = [];
  await sender.send(bytes("one"), to);
  told.push(await receiver.receiveMessage());
  await sender.sendMany([{ data: bytes("two"), addr: to }]);
  await receiver.receiveMany(batch);
  told.push(...batch);
  await sender.sendSegments(bytes("three!"), 3, to);
  told.push(await receiver.receiveMessage());
  await receiver.receiveMany(batch);
  told.push(...batch);
  assertEquals(told.length, 4);
  return told;
}

/** What differs between the families, and on a socket of both. */
interface Family {
  readonly name: string;
  readonly wildcard: string;
  /** Two addresses of the right interface, as they are sent to and as the receiver sees them. */
  readonly destinations: readonly (readonly [to: string, seen: string])[];
  readonly source: (left: Namespace) => string;
}

const SECOND = { ipv4: "192.0.2.22", ipv6: "2001:db8::22" } as const;

const FAMILIES: readonly Family[] = [{
  name: "IPv4",
  wildcard: "0.0.0.0",
  destinations: [["192.0.2.2", "192.0.2.2"], [SECOND.ipv4, SECOND.ipv4]],
  source: ({ ipv4 }) => ipv4,
}, {
  name: "IPv6",
  wildcard: "::",
  destinations: [["2001:db8::2", "2001:db8::2"], [SECOND.ipv6, SECOND.ipv6]],
  source: ({ ipv6 }) => ipv6,
}, {
  name: "IPv4 to a socket of both",
  wildcard: "::",
  destinations: [["192.0.2.2", "::ffff:192.0.2.2"], [SECOND.ipv4, `::ffff:${SECOND.ipv4}`]],
  source: ({ ipv4 }) => ipv4,
}];

let pair: NamespacePair;
let interfaceIndex: number;

beforeAll(async () => {
  if (reason !== null) return;
  pair = await NamespacePair.create();
  const { name } = pair.right;
  for (const address of [`${SECOND.ipv4}/24`, `${SECOND.ipv6}/64`]) {
    const flags = address.includes(":") ? ["nodad"] : [];
    const { success, report } = await pair.right.run("ip", ["address", "add", address, "dev", "veth0", ...flags]);
    assert(success, report);
  }
  const { stdout } = await pair.right.run("cat", ["/sys/class/net/veth0/ifindex"]);
  interfaceIndex = Number(stdout);
  assert(interfaceIndex > 1, `veth0 of ${name} has index ${stdout}`);
});
afterAll(async () => {
  await pair?.[Symbol.asyncDispose]();
});

describe("The details of a datagram from another namespace", TIMEOUT, () => {
  const open = (side: "left" | "right", options: Partial<UdpListenOptions>): UdpSocket =>
    inside(pair[side].name, () => openUdp(options));

  for (const { name, wildcard, destinations, source } of FAMILIES) {
    for (const receiveOffload of [false, true]) {
      const how = receiveOffload ? `${name}, with offload` : name;
      const dual = name.endsWith("both") ? noDualStackOptions : null;
      itUnless(dual ?? reason, `have address, interface, TTL and class: ${how}`, async () => {
        using receiver = open("right", { hostname: wildcard, packetInfo: true, timestamps: true, receiveOffload });
        using sender = open("left", { hostname: source(pair.left) });
        const six = name === "IPv6";
        for (const [to, destination] of destinations) {
          for (const [ttl, trafficClass] of [[64, 0], [1, 0x20], [255, 0xb8], [128, 0xfc]] as const) {
            sender.setTTL(ttl);
            sender.socket.setOption(six ? sockopt.IPV6_TCLASS : sockopt.IP_TOS, trafficClass);
            const before = Date.now();
            const told = await tell(sender, receiver, at(to, receiver.addr.port));
            const after = Date.now();
            for (const datagram of told) {
              assertEquals(detailsOf(datagram), { destination, interfaceIndex, ttl, trafficClass });
              assertEquals(datagram.addr.port, sender.addr.port);
              // Date.now() is cut to whole milliseconds.
              assertGreaterOrEqual(datagram.timestamp!, before - 1);
              assertLessOrEqual(datagram.timestamp!, after + 1);
            }
          }
        }
      });
    }

    const six = name === "IPv6";
    itUnless(
      (six ? null : noInterfaceChoice) ?? reason,
      `allow answers from the address it was sent to: ${name}`,
      async () => {
        using server = open("right", { hostname: wildcard, packetInfo: true });
        using client = open("left", { hostname: source(pair.left) });
        for (const [to] of [...destinations, ...destinations]) {
          await client.send(bytes("who?"), at(to, server.addr.port));
          const { addr, destination, interfaceIndex: index } = await server.receiveMessage();
          for (const options of [{ source: destination! }, { source: destination!, interfaceIndex: index! }]) {
            await server.send(bytes("me"), addr, options);
            const [, { hostname }] = await client.receive();
            assertEquals(hostname, to);
          }
        }
      },
    );
  }

  itUnless(reason, "allow such answers to another process", async () => {
    using server = open("right", { hostname: "0.0.0.0", packetInfo: true });
    await using client = await RemoteUdp.open(pair.left, { hostname: "0.0.0.0" });
    for (const to of [SECOND.ipv4, pair.right.ipv4]) {
      await client.call("send", "who?", to, server.addr.port);
      const { addr, destination } = await server.receiveMessage();
      assertEquals([addr.hostname, destination], [pair.left.ipv4, to]);
      await server.send(bytes("me"), addr, { source: destination! });
      assertEquals(await client.call("receiveText"), ["me", to]);
    }
  });

  itUnless(reason, "allow answers from link-local addresses through the interface it arrived on", async () => {
    const { linkLocal } = pair.right;
    using server = open("right", { hostname: "::", packetInfo: true });
    using client = inside(pair.left.name, () => openUdp({ hostname: `${pair.left.linkLocal}%veth0` }));
    const zone = inside(pair.left.name, () => Deno.readTextFileSync("/proc/thread-self/net/if_inet6"))
      .split("\n").find((line) => line.endsWith("veth0"))!.split(/\s+/)[1]!;
    await client.send(bytes("who?"), at(`${linkLocal}%${parseInt(zone, 16)}`, server.addr.port));
    const { addr, destination, interfaceIndex: index } = await server.receiveMessage();
    assertEquals([destination, index], [linkLocal, interfaceIndex]);
    await server.send(bytes("me"), addr, { source: destination!, interfaceIndex: index! });
    assertEquals((await client.receive())[1].hostname.replace(/%.*/, ""), linkLocal);
  });

  itUnless(noMulticastInterface ?? reason, "are the group and the interface of a multicast datagram", async () => {
    for (
      const [group, hostname, local] of [["239.255.16.1", "0.0.0.0", "ipv4"], ["ff12::16:1", "::", "ipv6"]] as const
    ) {
      const receiver = inside(pair.right.name, () => {
        const socket = openUdp({ hostname, packetInfo: true });
        socket.joinMulticast(group, { interface: "veth0" });
        return socket;
      });
      using _receiver = receiver;
      const sender = inside(pair.left.name, () => {
        const socket = openUdp({ hostname: pair.left[local] });
        socket.setMulticastInterface("veth0");
        return socket;
      });
      using _sender = sender;
      sender.setMulticastTTL(7);
      await sender.send(bytes("all"), at(group, receiver.addr.port));
      const told = await receiver.receiveMessage();
      assertEquals(detailsOf(told), { destination: group, interfaceIndex, ttl: 7, trafficClass: 0 });
    }
  });
});

/** Waits until the clock has passed a time. */
async function laterThan(time: number): Promise<void> {
  while (Date.now() <= time) await new Promise((resolve) => setTimeout(resolve, 1));
}

describe("A timestamp", TIMEOUT, () => {
  it("is of the datagram's arrival, not of its receive, and never runs back", async () => {
    using receiver = openUdp({ timestamps: true });
    using sender = openUdp();
    const batch = new DatagramBatch();
    // The kernel begins to take the time of arrivals some while after it was asked to.
    for (let late = true; late;) {
      await sender.send(bytes("first"), receiver.addr);
      const sent = Date.now();
      await laterThan(sent + 2);
      late = (await receiver.receiveMessage()).timestamp! > sent + 1;
    }
    for (let index = 0; index < 20; index++) await sender.send(bytes("early"), receiver.addr);
    const sent = Date.now();
    await laterThan(sent + 2);
    const stamps = [(await receiver.receiveMessage()).timestamp!];
    await receiver.receiveMany(batch);
    for (const { timestamp } of batch) stamps.push(timestamp!);
    assertEquals(stamps.length, 20);
    assertEquals(stamps, stamps.toSorted((a, b) => a - b));
    assertLessOrEqual(stamps.at(-1)!, sent + 1);
    assert(stamps.some((stamp) => !Number.isInteger(stamp)), "No fraction of a millisecond");
  });
});

describe("A socket with timestamps", TIMEOUT, () => {
  it("has the system's finest", () => {
    const finest = sockopt.SO_TIMESTAMPNS.supported ? sockopt.SO_TIMESTAMPNS : sockopt.SO_TIMESTAMP;
    using receiver = openUdp({ timestamps: true });
    assertEquals(receiver.socket.getOption(finest), true);
    using without = openUdp();
    assertEquals(without.socket.getOption(finest), false);
  });
});

describe("A socket taken over", TIMEOUT, () => {
  it("returns the details that it was opened with, and splits segments", async () => {
    const opened = openUdp({ packetInfo: true, timestamps: true, receiveOffload: true });
    const { addr } = opened;
    using receiver = fromFd(opened.detach()) as UdpSocket;
    using sender = openUdp();
    for (const { data, destination, ttl, timestamp } of await tell(sender, receiver, addr)) {
      assertEquals([data.length, destination, ttl, timestamp! > 0], [3, LOOPBACK, 64, true]);
    }
  });
});

describe("A socket without features", TIMEOUT, () => {
  it("returns no details", async () => {
    using receiver = openUdp();
    using sender = openUdp();
    for (const told of await tell(sender, receiver, receiver.addr)) {
      assertEquals(Object.keys(told).sort(), ["addr", "data", "truncated"]);
    }
  });
});

describe("send() from an address", TIMEOUT, () => {
  itUnless(oneLoopback, "does not affect the next datagram", async () => {
    using server = openUdp({ hostname: "0.0.0.0" });
    using client = openUdp({ hostname: "127.0.0.9" });
    const { addr } = client;
    await server.send(bytes("x"), addr, { source: "127.0.0.5" });
    assertEquals((await client.receive())[1].hostname, "127.0.0.5");
    await server.send(bytes("x"), addr);
    assertEquals((await client.receive())[1].hostname, "127.0.0.1");
    await server.sendSegments(bytes("x"), 1, addr);
    assertEquals((await client.receive())[1].hostname, "127.0.0.1");
  });

  it("is refused by the system if the address is not local", async () => {
    using sender = openUdp({ hostname: "0.0.0.0" });
    using receiver = openUdp();
    const error = await assertRejects(() => sender.send(bytes("x"), receiver.addr, { source: "192.0.2.250" }), Error);
    assert(isSocketError(error), error.message);
    assertEquals([error.syscall, error.address], ["sendmsg", `${LOOPBACK}:${receiver.addr.port}`]);
    await sender.send(bytes("fine"), receiver.addr);
    assertEquals(await receiveText(receiver), "fine");
  });
});

refuses("A source to send from", [
  ["", TypeError, '""'],
  ["localhost", TypeError, '"localhost"'],
  ["::1", TypeError, "::1"],
  [5, TypeError, "5"],
  [null, TypeError, "null"],
], async (source) => {
  using socket = openUdp({ hostname: "0.0.0.0" });
  await socket.send(bytes("x"), at(LOOPBACK, 9), { source });
});
