import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { sockopt } from "../../mod.ts";
import { bytes } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { at } from "../support/loopback.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { openUdp, receiveText } from "./support.ts";

noDescriptorLeaks();

describe('A socket bound to "::"', TIMEOUT, () => {
  it("receives from both families and answers both", async () => {
    using both = openUdp({ hostname: "::" });
    assertEquals(both.addr.hostname, "::");
    for (const [hostname, seen] of [["127.0.0.1", "::ffff:127.0.0.1"], ["::1", "::1"]] as const) {
      using sender = openUdp({ hostname });
      await sender.send(bytes("hello"), at(hostname, both.addr.port));
      const [, from] = await both.receive();
      assertEquals(from, at(seen, sender.addr.port));
      await both.send(bytes("answer"), from);
      assertEquals(await receiveText(sender), "answer");
    }
  });

  it("sends to IPv4 addresses as they are written", async () => {
    using both = openUdp({ hostname: "::" });
    using receiver = openUdp();
    await both.send(bytes("hello"), receiver.addr);
    assertEquals(await receiveText(receiver), "hello");
    both.connect(receiver.addr);
    await both.send(bytes("connected"));
    assertEquals(await receiveText(receiver), "connected");
  });

  it("does not use IPv4 with ipv6Only", async () => {
    using only = openUdp({ hostname: "::", ipv6Only: true });
    const { port } = only.addr;
    using v4 = openUdp({ hostname: "0.0.0.0", port });
    assertEquals([only.socket.getOption(sockopt.IPV6_V6ONLY), v4.addr.port], [true, port]);
    using sender = openUdp();
    await sender.send(bytes("to IPv4"), at("127.0.0.1", port));
    assertEquals(await receiveText(v4), "to IPv4");
    await assertRejects(() => only.send(bytes("no"), sender.addr), Deno.errors.NetworkUnreachable);
  });

  it("has the port for both families without it", () => {
    using both = openUdp({ hostname: "::" });
    assertEquals(both.socket.getOption(sockopt.IPV6_V6ONLY), false);
    assertThrows(() => openUdp({ hostname: "0.0.0.0", port: both.addr.port }), Deno.errors.AddrInUse);
  });
});

describe("A socket bound to an IPv6 address", TIMEOUT, () => {
  it("accepts it in brackets and in any spelling", () => {
    for (const hostname of ["::1", "[::1]", "0:0:0:0:0:0:0:1", "0000::0001"]) {
      using socket = openUdp({ hostname });
      assertEquals(socket.addr.hostname, "::1");
    }
  });

  it("sends to it in any spelling", async () => {
    using receiver = openUdp({ hostname: "::1" });
    using sender = openUdp({ hostname: "::1" });
    for (const hostname of ["::1", "[::1]", "0:0:0:0:0:0:0:1"]) {
      await sender.send(bytes(hostname), at(hostname, receiver.addr.port));
      assertEquals(await receiveText(receiver), hostname);
    }
  });
});
