import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { freebsdNetwork, linuxNetwork, macosNetwork } from "../../ffi/libc/network.ts";
import { encodeNetlinkAddress, isRouteChange, netlinkPort, readNetlinkChanges } from "../../ffi/struct/netlink.ts";
import { generator, randomBytes } from "../support/random.ts";

/** A netlink message: header, and a body that begins with a family and has an index at 4. */
function message(type: number, index: number, { family = 0, bodyLength = 16 } = {}): number[] {
  const bytes = new Uint8Array(16 + bodyLength);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint16(4, type, true);
  if (bodyLength > 0) bytes[16] = family;
  if (bodyLength >= 8) view.setInt32(20, index, true);
  return [...bytes];
}

const NEWLINK = 16;
const DELLINK = 17;
const NEWADDR = 20;
const DELADDR = 21;
const NEWROUTE = 24;

function read(...messages: readonly number[][]) {
  return readNetlinkChanges(linuxNetwork, Uint8Array.from(messages.flat()));
}

describe("readNetlinkChanges()", () => {
  it("tells which interface is gone, and of which something is another", () => {
    assertEquals(read(message(NEWLINK, 3), message(DELLINK, 4), message(NEWADDR, 5), message(DELADDR, 70_000)), [
      { kind: "changed", index: 3 },
      { kind: "removed", index: 4 },
      { kind: "changed", index: 5 },
      { kind: "changed", index: 70_000 },
    ]);
  });

  it("does not take a port that leaves a bridge for an interface that is gone", () => {
    assertEquals(read(message(DELLINK, 4, { family: 7 })), [{ kind: "changed", index: 4 }]);
  });

  it("passes over other messages, and messages too short for an index", () => {
    const short = message(NEWLINK, 0, { bodyLength: 4 });
    assertEquals(read(message(NEWROUTE, 9), short, message(NEWADDR, 6, { bodyLength: 8 })), [
      { kind: "changed", index: 6 },
    ]);
  });

  it("finds the next message at a multiple of four", () => {
    const odd = message(NEWLINK, 2, { bodyLength: 17 });
    assertEquals(read([...odd, 0, 0, 0], message(NEWLINK, 3)).map(({ index }) => index), [2, 3]);
  });

  it("stops at a length that cannot be", () => {
    for (const length of [0, 15, 0x7fff_ffff]) {
      const bad = message(NEWLINK, 2);
      new DataView(Uint8Array.from(bad).buffer).setUint32(0, length, true);
      const bytes = Uint8Array.from([...message(NEWLINK, 1), ...bad]);
      new DataView(bytes.buffer).setUint32(32, length, true);
      assertEquals(readNetlinkChanges(linuxNetwork, bytes), [{ kind: "changed", index: 1 }]);
    }
  });

  it("takes any bytes", () => {
    const below = generator(15);
    for (let round = 0; round < 5_000; round++) {
      const bytes = randomBytes(round % 2 === 0 ? below : () => below(24), below(80));
      for (const { index } of readNetlinkChanges(linuxNetwork, bytes)) assertEquals(Number.isInteger(index), true);
    }
  });
});

describe("struct sockaddr_nl", () => {
  it("has the family, no port and the groups", () => {
    const bytes = encodeNetlinkAddress(linuxNetwork, 0x111);
    assertEquals([...bytes], [16, 0, 0, 0, 0, 0, 0, 0, 0x11, 1, 0, 0]);
    assertEquals(netlinkPort(bytes), 0);
    assertEquals(netlinkPort(Uint8Array.of(16, 0, 0, 0, 0xd2, 4, 0, 0, 0, 0, 0, 0)), 1234);
  });
});

describe("isRouteChange()", () => {
  const header = (type: number) => Uint8Array.of(16, 0, 5, type, 0, 0, 0, 0);

  it("knows the messages of macOS and FreeBSD about interfaces and addresses", () => {
    for (const network of [macosNetwork, freebsdNetwork]) {
      for (const type of [0xc, 0xd, 0xe]) assertEquals(isRouteChange(network, header(type)), true);
      for (const type of [0, 1, 2]) assertEquals(isRouteChange(network, header(type)), false);
      assertEquals(isRouteChange(network, Uint8Array.of(1, 2)), false);
    }
    assertEquals(isRouteChange(freebsdNetwork, header(0x11)), true);
    assertEquals(isRouteChange(macosNetwork, header(0x11)), false);
  });
});
