import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { isSocketError, type UdpSocket } from "../../mod.ts";
import { bytes } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { at, LOOPBACK } from "../support/loopback.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import {
  noMulticastInterface,
  notOwnGroups,
  openMember,
  openSender,
  openUdp,
  receiveText,
  receiveUntilMarker,
} from "./support.ts";

noDescriptorLeaks();

const GROUP = "239.255.11.1";
/** The group of sockets that receive nothing else. */
const MARKERS = "239.255.11.2";
const ON_LOOPBACK = { interface: LOOPBACK };

/** Sends to GROUP and then the marker. */
async function say(sender: UdpSocket, port: number, ...words: string[]): Promise<void> {
  for (const word of words) await sender.send(bytes(word), at(GROUP, port));
  await sender.send(bytes("marker"), at(MARKERS, port));
}

/** How many memberships a socket may hold; Infinity where the system does not say. */
function membershipLimit(): number {
  try {
    return Number(Deno.readTextFileSync("/proc/sys/net/ipv4/igmp_max_memberships"));
  } catch {
    return Infinity;
  }
}

const limit = membershipLimit();
const unlimited = limit <= 100 ? null : "no small limit of memberships";

describe("Membership", TIMEOUT, () => {
  itUnless(notOwnGroups, "decides what is received: a socket that has not joined receives nothing", async () => {
    using member = openMember();
    const { port } = member.addr;
    using outsider = openMember({ port });
    using sender = openSender();
    member.joinMulticast(GROUP, ON_LOOPBACK);
    for (const socket of [member, outsider]) socket.joinMulticast(MARKERS, ON_LOOPBACK);
    await say(sender, port, "to members");
    assertEquals(await receiveUntilMarker(member), ["to members"]);
    assertEquals(await receiveUntilMarker(outsider), []);
  });

  itUnless(notOwnGroups, "ends with leave, and can be joined again", async () => {
    using member = openMember();
    const { port } = member.addr;
    using other = openMember({ port });
    using sender = openSender();
    for (const socket of [member, other]) socket.joinMulticast(MARKERS, ON_LOOPBACK);
    other.joinMulticast(GROUP, ON_LOOPBACK);
    const first = member.joinMulticast(GROUP, ON_LOOPBACK);
    await say(sender, port, "joined");
    assertEquals(await receiveUntilMarker(member), ["joined"]);
    await first.leave();
    await say(sender, port, "left");
    assertEquals(await receiveUntilMarker(member), []);
    using _second = member.joinMulticast(GROUP, ON_LOOPBACK);
    await say(sender, port, "joined again");
    assertEquals(await receiveUntilMarker(member), ["joined again"]);
    assertEquals(await receiveUntilMarker(other), ["joined"]);
  });

  it("ends once: a second leave is AddrNotAvailable, and does not end a later membership", async () => {
    using member = openMember();
    const { port } = member.addr;
    using sender = openSender();
    member.joinMulticast(MARKERS, ON_LOOPBACK);
    const first = member.joinMulticast(GROUP, ON_LOOPBACK);
    await first.leave();
    member.joinMulticast(GROUP, ON_LOOPBACK);
    const error = await assertRejects(() => first.leave(), Deno.errors.AddrNotAvailable, GROUP);
    assert(isSocketError(error));
    assertEquals([error.code, error.syscall], ["EADDRNOTAVAIL", "setsockopt"]);
    await say(sender, port, "still here");
    assertEquals(await receiveUntilMarker(member), ["still here"]);
  });

  it("ends with its block, silently if it has already ended", async () => {
    using member = openMember();
    {
      using left = member.joinMulticast(GROUP, ON_LOOPBACK);
      await left.leave();
    }
    {
      using _membership = member.joinMulticast(GROUP, ON_LOOPBACK);
    }
    using again = member.joinMulticast(GROUP, ON_LOOPBACK);
    assertEquals(again.group, GROUP);
    member.close();
    await assertRejects(() => again.leave(), Deno.errors.BadResource);
  });

  it("is AddrInUse if joined twice on one interface", () => {
    using member = openMember();
    member.joinMulticast(GROUP, ON_LOOPBACK);
    const error = assertThrows(() => member.joinMulticast(GROUP, ON_LOOPBACK), Deno.errors.AddrInUse, GROUP);
    assert(isSocketError(error) && error.code === "EADDRINUSE");
  });

  for (const networkInterface of ["lo", LOOPBACK, 1]) {
    itUnless(noMulticastInterface, `takes the interface as ${JSON.stringify(networkInterface)}`, async () => {
      using member = openMember();
      using sender = openUdp({ loopback: true });
      sender.setMulticastInterface(networkInterface);
      member.joinMulticast(GROUP, { interface: networkInterface });
      await sender.send(bytes("hello"), at(GROUP, member.addr.port));
      const [data, from] = await member.receive();
      assertEquals([new TextDecoder().decode(data), from], ["hello", sender.addr]);
    });
  }

  itUnless(unlimited, "beyond the system's limit fails with ENOBUFS and the limit's name", () => {
    using member = openMember();
    for (let index = 0; index < limit; index++) member.joinMulticast(`239.255.12.${index}`, ON_LOOPBACK);
    const error = assertThrows(() => member.joinMulticast(GROUP, ON_LOOPBACK), Error, "igmp_max_memberships");
    assert(isSocketError(error) && error.code === "ENOBUFS");
  });

  it("takes the interface from an IPv6 group's zone", async () => {
    using socket = openUdp({ hostname: "::" });
    using membership = socket.joinMulticast("ff02::1:6%lo");
    assertEquals(membership.group, "ff02::1:6%lo");
    assertThrows(() => socket.joinMulticast("ff02::1:6", { interface: "lo" }), Deno.errors.AddrInUse);
    await membership.leave();
    using _again = socket.joinMulticast("ff02::1:6", { interface: 1 });
  });

  it("is the result of Deno's own methods too", async () => {
    using member = openMember();
    using sender = openSender();
    const membership = await member.joinMulticastV4(GROUP, LOOPBACK);
    await sender.send(bytes("hello"), at(GROUP, member.addr.port));
    assertEquals(await receiveText(member), "hello");
    await membership.leave();
    using v6 = openUdp({ hostname: "::" });
    const membership6 = await v6.joinMulticastV6("ff02::1:5", 1);
    assertEquals(membership6.group, "ff02::1:5");
    await membership6.leave();
    await assertRejects(() => membership6.leave(), Deno.errors.AddrNotAvailable);
  });
});
