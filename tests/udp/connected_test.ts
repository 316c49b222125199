import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { isSocketError } from "../../mod.ts";
import { bytes } from "../support/bytes.ts";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { at, freeUdpPort, LOOPBACK } from "../support/loopback.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { openUdp, receiveText, receiveUntilMarker } from "./support.ts";
import { noOtherThanPeer } from "../support/systems.ts";
import { itUnless } from "../support/skipping.ts";

noDescriptorLeaks();

describe("A connected socket", TIMEOUT, () => {
  it("sends to its peer without an address", async () => {
    using peer = openUdp();
    using socket = openUdp();
    assertEquals(socket.remoteAddr, null);
    socket.connect(peer.addr);
    assertEquals(socket.remoteAddr, peer.addr);
    await socket.send(bytes("hello"));
    const [, from] = await peer.receive();
    assertEquals(from, socket.addr);
  });

  it("receives only from its peer", async () => {
    using peer = openUdp();
    using stranger = openUdp();
    using socket = openUdp();
    socket.connect(peer.addr);
    await stranger.send(bytes("from a stranger"), socket.addr);
    await peer.send(bytes("from the peer"), socket.addr);
    await peer.send(bytes("marker"), socket.addr);
    assertEquals(await receiveUntilMarker(socket), ["from the peer"]);
  });

  it("can be connected to another peer", async () => {
    using one = openUdp();
    using other = openUdp();
    using socket = openUdp();
    const { port } = socket.addr;
    for (const peer of [one, other, one]) {
      socket.connect(peer.addr);
      assertEquals([socket.remoteAddr, socket.addr.port], [peer.addr, port]);
      await socket.send(bytes("hello"));
      assertEquals(await receiveText(peer), "hello");
    }
  });

  itUnless(noOtherThanPeer, "can send to another address, if the system allows it", async () => {
    using peer = openUdp();
    using third = openUdp();
    using socket = openUdp();
    socket.connect(peer.addr);
    await socket.send(bytes("hello"), third.addr);
    assertEquals(await receiveText(third), "hello");
  });

  it("has the source address as its local address if it was bound to the wildcard", () => {
    using peer = openUdp();
    using socket = openUdp({ hostname: "0.0.0.0" });
    const { port } = socket.addr;
    socket.connect(peer.addr);
    assertEquals(socket.addr, at(LOOPBACK, port));
  });

  it("reports a refused datagram, and stays usable", async () => {
    using socket = openUdp();
    const closed = openUdp();
    const { addr } = closed;
    closed.close();
    socket.connect(addr);
    await socket.send(bytes("hello"));
    const error = await assertRejects(() => socket.receive(), Deno.errors.ConnectionRefused);
    assert(isSocketError(error));
    assertEquals([error.code, error.syscall, error.timeout], ["ECONNREFUSED", "recvmsg", false]);
    using reopened = openUdp({ port: addr.port });
    await socket.send(bytes("hello"));
    assertEquals(await receiveText(reopened), "hello");
  });

  it("reports it to a waiting receive", async () => {
    using socket = openUdp();
    const closed = openUdp();
    socket.connect(closed.addr);
    closed.close();
    const waiting = assertRejects(() => socket.receive(), Deno.errors.ConnectionRefused);
    await socket.send(bytes("hello"));
    await waiting;
  });
});

describe("connect(null)", TIMEOUT, () => {
  for (const [what, port] of [["that the system chose", 0], ["that was asked for", "asked"]] as const) {
    it(`dissolves the association and keeps a port ${what}`, async () => {
      const chosen = port === 0 ? 0 : freeUdpPort();
      using peer = openUdp();
      using stranger = openUdp();
      using socket = openUdp({ port: chosen });
      const before = socket.addr;
      socket.connect(peer.addr);
      socket.connect(null);
      assertEquals([socket.remoteAddr, socket.addr], [null, before]);
      await stranger.send(bytes("from anyone"), before);
      assertEquals(await receiveText(socket), "from anyone");
      await assertRejects(() => socket.send(bytes("to closed")), TypeError, "not connected");
    });
  }

  it("keeps the port of a socket bound to the wildcard, of either family", () => {
    for (const hostname of ["0.0.0.0", "::", "::1"]) {
      using peer = openUdp({ hostname: hostname === "::1" ? "::1" : LOOPBACK });
      using socket = openUdp({ hostname });
      const before = socket.addr;
      socket.connect(peer.addr);
      socket.connect(null);
      assertEquals(socket.addr, before);
    }
  });

  it("does nothing to a socket that is not connected", () => {
    using socket = openUdp();
    const { addr } = socket;
    socket.connect(null);
    assertEquals([socket.addr, socket.remoteAddr], [addr, null]);
  });

  it("can be reversed", async () => {
    using peer = openUdp();
    using socket = openUdp();
    for (let round = 0; round < 3; round++) {
      socket.connect(peer.addr);
      await socket.send(bytes("hello"));
      assertEquals(await receiveText(peer), "hello");
      socket.connect(null);
    }
  });
});

describe("connect()", () => {
  it("refuses names, the other family and closed sockets", () => {
    using socket = openUdp();
    assertThrows(() => socket.connect(at("localhost", 9)), TypeError, '"localhost"');
    assertThrows(() => socket.connect(at("::1", 9)), TypeError, "::1");
    assertThrows(() => socket.connect(undefined as unknown as null), TypeError, "undefined");
    assertEquals(socket.remoteAddr, null);
    const closed = openUdp();
    closed.close();
    assertThrows(() => closed.connect(at(LOOPBACK, 9)), Deno.errors.BadResource);
    assertThrows(() => closed.connect(null), Deno.errors.BadResource);
  });
});
