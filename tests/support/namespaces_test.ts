import { assert, assertEquals, assertFalse, assertStringIncludes } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { missingNamespaces, NamespacePair } from "./namespaces.ts";
import { run } from "./process.ts";
import { itUnless } from "./skipping.ts";

const reason = await missingNamespaces();

/** Receives one datagram in the right namespace that was sent to `hostname` from the left one. */
async function exchange(pair: NamespacePair, hostname: string): Promise<string> {
  const receiver = `
    const socket = Deno.listenDatagram({ transport: "udp", hostname: "::", port: 5000 });
    await socket.joinMulticastV4("239.1.2.3", "${pair.right.ipv4}");
    const index = Number(await Deno.readTextFile("/sys/class/net/${pair.right.interface}/ifindex"));
    await socket.joinMulticastV6("ff02::1234", index);
    console.log("ready");
    const [data, from] = await socket.receive();
    console.log(new TextDecoder().decode(data), from.hostname);
    Deno.exit();`;
  const sender = `
    const socket = Deno.listenDatagram({ transport: "udp", hostname: "${
    hostname.includes(":") ? "::" : "0.0.0.0"
  }", port: 0 });
    await socket.send(new TextEncoder().encode("hello"), { transport: "udp", hostname: "${hostname}", port: 5000 });
    socket.close();`;
  const deno = ["eval", "--unstable-net"];
  await using child = pair.right.start(Deno.execPath(), [...deno, receiver]);
  await child.waitForLine(/^ready$/);
  const sent = await pair.left.run(Deno.execPath(), [...deno, sender]);
  assert(sent.success, sent.report);
  const [line] = await child.waitForLine(/^hello .*/);
  return line.replace("hello ", "");
}

describe("NamespacePair", () => {
  itUnless(reason, "is removed afterwards, and two can exist at a time", async () => {
    let names: string[];
    {
      await using one = await NamespacePair.create();
      await using other = await NamespacePair.create();
      names = [one.left.name, one.right.name, other.left.name, other.right.name];
      assertEquals(new Set(names).size, 4);
      const { stdout } = await run("ip", ["netns", "list"]);
      for (const name of names) assertStringIncludes(stdout, name);
    }
    const { stdout } = await run("ip", ["netns", "list"]);
    for (const name of names) assertFalse(stdout.includes(name));
  });

  itUnless(reason, "carries IPv4 and IPv6 as soon as it is there", async () => {
    await using pair = await NamespacePair.create();
    assertStringIncludes(await exchange(pair, pair.right.ipv4), pair.left.ipv4);
    assertEquals(await exchange(pair, pair.right.ipv6), pair.left.ipv6);
  });

  itUnless(reason, "carries IPv6 multicast as soon as it is there", async () => {
    await using pair = await NamespacePair.create();
    assertEquals(await exchange(pair, "ff02::1234"), pair.left.linkLocal);
  });
});
