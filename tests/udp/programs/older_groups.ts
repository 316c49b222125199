/**
 * Joins, filters and leaves groups, and prints as JSON what was received in each state. To be run over a library in which
 * the options of RFC 3678 do not exist.
 *
 * @module
 */
import { isSocketError, listenDatagram, type MulticastMembership, sockopt, type UdpSocket } from "../../../mod.ts";

const GROUP = "239.255.41.1";
const ON_LO = { interface: "lo" };
const outcomes: Record<string, unknown> = {};

const senders = ["127.0.0.1", "127.0.0.2"].map((hostname) => {
  const sender = listenDatagram({ transport: "udp", hostname, loopback: true });
  sender.setMulticastInterface("lo");
  return sender;
});

/** Sends to the group from both addresses, and returns what a member receives before a datagram sent to itself. */
async function received(member: UdpSocket): Promise<string[]> {
  const { port } = member.addr;
  const encoder = new TextEncoder();
  for (const sender of senders) {
    await sender.send(encoder.encode(`from ${sender.addr.hostname}`), { transport: "udp", hostname: GROUP, port });
  }
  await senders[1]!.send(encoder.encode("marker"), { transport: "udp", hostname: "127.0.0.1", port });
  const texts: string[] = [];
  for (;;) {
    const text = new TextDecoder().decode((await member.receive())[0]);
    if (text === "marker") return texts.sort();
    texts.push(text);
  }
}

/** The error of a call. */
async function failure(call: () => unknown): Promise<string> {
  try {
    await call();
    return "nothing";
  } catch (error) {
    return `${(error as Error).name}: ${isSocketError(error) ? error.code : (error as Error).message}`;
  }
}

const member = listenDatagram({ transport: "udp", hostname: "0.0.0.0" });
if (sockopt.IP_MULTICAST_ALL.supported) member.socket.setOption(sockopt.IP_MULTICAST_ALL, false);
const request = new Uint8Array(136);
outcomes["MCAST_JOIN_GROUP"] = (await failure(() => member.socket.setRawOption(0, 42, request))).replace(/.*: /, "");
outcomes["before it joined"] = await received(member);
let membership: MulticastMembership = member.joinMulticast(GROUP, ON_LO);
outcomes["joined"] = await received(member);
outcomes["joined twice"] = await failure(() => member.joinMulticast(GROUP, ON_LO));
membership.blockSource("127.0.0.2");
outcomes["one source blocked"] = await received(member);
membership.unblockSource("127.0.0.2");
outcomes["unblocked"] = await received(member);
await membership.leave();
outcomes["left"] = await received(member);
outcomes["left twice"] = await failure(() => membership.leave());
membership = member.joinMulticast(GROUP, { ...ON_LO, source: "127.0.0.2" });
outcomes["of one source"] = await received(member);
await membership.leave();
outcomes["of one source, left"] = await received(member);
member.close();

/** The groups that this process has joined on loopback, of those that the test uses: /proc/net/igmp6. */
function groups6(): string[][] {
  const rows = Deno.readTextFileSync("/proc/net/igmp6").split("\n").map((line) => line.trim().split(/\s+/));
  return rows.filter(([, , group]) => group === "ff120000000000000000000000410001").map(([, name]) => [
    name!,
    "ff12::41:1",
  ]);
}

const v6 = listenDatagram({ transport: "udp", hostname: "::" });
membership = v6.joinMulticast("ff12::41:1", ON_LO);
outcomes["an IPv6 group"] = groups6();
await membership.leave();
outcomes["an IPv6 group, left"] = groups6();
outcomes["a source of an IPv6 group"] = await failure(() =>
  v6.joinMulticast("ff12::41:1", { ...ON_LO, source: "::1" })
);
if (sockopt.IP_MULTICAST_ALL.supported) v6.socket.setOption(sockopt.IP_MULTICAST_ALL, false);
v6.joinMulticast(GROUP, ON_LO);
outcomes["an IPv4 group on a dual-stack socket"] = await received(v6);
v6.close();
for (const sender of senders) sender.close();
console.log(JSON.stringify(outcomes));
