import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { encodeGroupRequest, encodeGroupSourceRequest, encodeIpv6Membership } from "../../ffi/struct/group_req.ts";
import type { InetAddress } from "../../ffi/struct/sockaddr.ts";
import { bySystem, hex } from "./support.ts";

const group4: InetAddress = { family: "inet", address: hex("effffffa"), port: 0, scopeId: 0 };
const source4: InetAddress = { family: "inet", address: hex("0a000001"), port: 0, scopeId: 0 };
const group6: InetAddress = { family: "inet6", address: hex("ff02 00*13 fb"), port: 0, scopeId: 0 };
const source6: InetAddress = { family: "inet6", address: hex("fe80 00*13 01"), port: 0, scopeId: 3 };

describe("encodeGroupRequest()", () => {
  const v4 = bySystem({
    linux: "03000000 00000000 0200 0000 effffffa 00*120",
    macos: "03000000 1002 0000 effffffa 00*120",
    freebsd: "03000000 00000000 1002 0000 effffffa 00*120",
  });
  for (const [system, expected] of v4) {
    it(`writes an IPv4 group as ${system.name} lays it out`, () => {
      assertEquals(encodeGroupRequest(system, 3, group4), hex(expected));
    });
  }

  const v6 = bySystem({
    linux: "02010000 00000000 0a00 0000 00000000 ff02 00*13 fb 00*104",
    macos: "02010000 1c1e 0000 00000000 ff02 00*13 fb 00*104",
    freebsd: "02010000 00000000 1c1c 0000 00000000 ff02 00*13 fb 00*104",
  });
  for (const [system, expected] of v6) {
    it(`writes an IPv6 group as ${system.name} lays it out`, () => {
      assertEquals(encodeGroupRequest(system, 0x0102, group6), hex(expected));
    });
  }
});

describe("encodeGroupSourceRequest()", () => {
  const v4 = bySystem({
    linux: "01000000 00000000 0200 0000 effffffa 00*120 0200 0000 0a000001 00*120",
    macos: "01000000 1002 0000 effffffa 00*120 1002 0000 0a000001 00*120",
    freebsd: "01000000 00000000 1002 0000 effffffa 00*120 1002 0000 0a000001 00*120",
  });
  for (const [system, expected] of v4) {
    it(`writes an IPv4 group and its source as ${system.name} lays them out`, () => {
      assertEquals(encodeGroupSourceRequest(system, 1, group4, source4), hex(expected));
    });
  }

  const v6 = bySystem({
    linux: `01000000 00000000 0a00 0000 00000000 ff02 00*13 fb 00*104
            0a00 0000 00000000 fe80 00*13 01 03000000 00*100`,
    macos: `01000000 1c1e 0000 00000000 ff02 00*13 fb 00*104
            1c1e 0000 00000000 fe80 00*13 01 03000000 00*100`,
    freebsd: `01000000 00000000 1c1c 0000 00000000 ff02 00*13 fb 00*104
              1c1c 0000 00000000 fe80 00*13 01 03000000 00*100`,
  });
  for (const [system, expected] of v6) {
    it(`writes an IPv6 group and its source as ${system.name} lays them out`, () => {
      assertEquals(encodeGroupSourceRequest(system, 1, group6, source6), hex(expected));
    });
  }
});

describe("encodeIpv6Membership()", () => {
  it("writes the group and the interface's index, as all systems lay them out", () => {
    assertEquals(encodeIpv6Membership(0x0102, group6), hex("ff02 00*13 fb 02010000"));
  });
});
