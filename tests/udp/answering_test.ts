import { assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { type Datagram, DatagramBatch, type UdpListenOptions, type UdpSocket } from "../../mod.ts";
import { bytes } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { inside } from "../support/inside.ts";
import { at } from "../support/loopback.ts";
import { missingNamespaces, NamespacePair } from "../support/namespaces.ts";
import { start } from "../support/process.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { noMulticastInterface, openUdp } from "./support.ts";
import { noDualStackOptions, noInterfaceChoice } from "../support/systems.ts";

noDescriptorLeaks();

const reason = await missingNamespaces();
const ANSWERER = new URL("./programs/answer_local.ts", import.meta.url).pathname;

let pair: NamespacePair;
beforeAll(async () => {
  if (reason === null) pair = await NamespacePair.create();
});
afterAll(async () => {
  await pair?.[Symbol.asyncDispose]();
});

const left = (options: Partial<UdpListenOptions>) => inside(pair.left.name, () => openUdp(options));

/** Asks a server on the right at an address, and returns who answered, and what the answer says of the question. */
async function ask(client: UdpSocket, hostname: string, port: number): Promise<[answerer: string, details: Datagram]> {
  await client.send(bytes("who?"), at(hostname, port));
  const [data, { hostname: answerer }] = await client.receive();
  return [answerer.replace(/%.*/, ""), JSON.parse(new TextDecoder().decode(data))];
}

/** A question that cannot be answered from the address that it was sent to. */
interface Question {
  readonly name: string;
  readonly server: string;
  readonly client: string;
  readonly to: string;
  readonly answerer: string;
  readonly localAddress: string;
}

const V4 = { client: "192.0.2.1", answerer: "192.0.2.2" } as const;
const V6 = { client: "2001:db8::1", answerer: "2001:db8::2", server: "::" } as const;
const LINK = { client: "fe80::1%veth0", answerer: "fe80::2", server: "::" } as const;
const MAPPED = "::ffff:192.0.2.2";

const QUESTIONS: readonly Question[] = [
  { name: "an IPv4 group", ...V4, server: "0.0.0.0", to: "239.255.17.1", localAddress: "192.0.2.2" },
  { name: "a subnet's broadcast address", ...V4, server: "0.0.0.0", to: "192.0.2.255", localAddress: "192.0.2.2" },
  { name: "an IPv4 address", ...V4, server: "0.0.0.0", to: "192.0.2.2", localAddress: "192.0.2.2" },
  { name: "an IPv4 group, on a dual-stack socket", ...V4, server: "::", to: "239.255.17.1", localAddress: MAPPED },
  { name: "a broadcast address, on a dual-stack socket", ...V4, server: "::", to: "192.0.2.255", localAddress: MAPPED },
  { name: "an IPv6 group", ...V6, to: "ff15::17:1", localAddress: "2001:db8::2" },
  { name: "an IPv6 address", ...V6, to: "2001:db8::2", localAddress: "2001:db8::2" },
  { name: "a link-local group, from a link-local address", ...LINK, to: "ff12::17:1", localAddress: "fe80::2%veth0" },
  { name: "a link-local address", ...LINK, to: "fe80::2", localAddress: "fe80::2%veth0" },
];

describe("A question to", TIMEOUT, () => {
  for (const { name, server, client: hostname, to, answerer, localAddress } of QUESTIONS) {
    const dual = server === "::" && localAddress === MAPPED ? noDualStackOptions : null;
    itUnless(
      dual ?? (localAddress.includes(":") ? null : noInterfaceChoice) ?? noMulticastInterface ?? reason,
      `${name} is answered from localAddress, and known as it was sent`,
      async () => {
        const args = [
          "netns",
          "exec",
          pair.right.name,
          Deno.execPath(),
          "run",
          "-A",
          "--no-prompt",
          ANSWERER,
          server,
          to,
        ];
        await using child = start("ip", args);
        const [, port] = await child.waitForLine(/^port (\d+)$/);
        const client = left({ hostname });
        using _client = client;
        inside(pair.left.name, () => client.setMulticastInterface("veth0"));
        const zone = to.startsWith("fe80") ? `%${inside(pair.left.name, () => indexOfVeth())}` : "";
        // Once for receiveMessage, and once for receiveMany.
        for (let round = 0; round < 2; round++) {
          const [from, details] = await ask(client, `${to}${zone}`, Number(port));
          assertEquals([from, details.localAddress], [answerer, localAddress]);
          assertEquals(details.destination, server === "::" && !to.includes(":") ? `::ffff:${to}` : to);
        }
      },
    );
  }

  itUnless(reason, "a group cannot be answered from the group, which is why", async () => {
    using socket = left({ hostname: "0.0.0.0" });
    const error = await assertRejects(
      () => socket.send(bytes("x"), at(pair.right.ipv4, 9), { source: "239.255.17.1" }),
      Error,
      "EINVAL",
    );
    assertEquals(error.message.includes("source must be a local address"), false);
  });

  it("a loopback address of many is answered from that one", async () => {
    using server = openUdp({ hostname: "0.0.0.0", packetInfo: true });
    using client = openUdp();
    const batch = new DatagramBatch();
    for (const to of ["127.0.0.1", "127.0.0.2", "127.1.2.3"]) {
      await client.send(bytes("who?"), at(to, server.addr.port));
      await server.receiveMany(batch);
      const [{ addr, destination, localAddress }] = [...batch] as [Datagram];
      assertEquals([destination, localAddress], [to, to]);
      await server.send(bytes("me"), addr, { source: localAddress! });
      assertEquals((await client.receive())[1].hostname, to);
    }
  });
});

/** The index of veth0 in the namespace that this thread is in. */
function indexOfVeth(): number {
  const rows = Deno.readTextFileSync("/proc/thread-self/net/if_inet6").trim().split("\n");
  return parseInt(rows.map((row) => row.split(/\s+/)).find((row) => row[5] === "veth0")![1]!, 16);
}
