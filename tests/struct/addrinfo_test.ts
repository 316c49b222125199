import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { encodeAddrinfoHints, readAddrinfo } from "../../ffi/struct/addrinfo.ts";
import { bySystem, hex, systems } from "./support.ts";

describe("encodeAddrinfoHints()", () => {
  for (const system of systems) {
    it(`leaves everything but the hints zero on ${system.name}`, () => {
      assertEquals(
        encodeAddrinfoHints(system, { flags: 0x0404, family: 30, socktype: 2 }),
        hex("04040000 1e000000 02000000 00*36"),
      );
    });
  }
});

describe("readAddrinfo()", () => {
  // The last two pointers but one change places between Linux and BSD.
  const results = bySystem({
    linux: "00*4 0a000000 01000000 06000000 1c000000 00*4 a0bbccdd 11220000 00*8 00100000 00000080",
    macos: "00*4 0a000000 01000000 06000000 1c000000 00*4 00*8 a0bbccdd 11220000 00100000 00000080",
    freebsd: "00*4 0a000000 01000000 06000000 1c000000 00*4 00*8 a0bbccdd 11220000 00100000 00000080",
  });
  for (const [system, bytes] of results) {
    it(`finds the address and the next result on ${system.name}`, () => {
      assertEquals(readAddrinfo(system, hex(bytes)), {
        family: 10,
        addrlen: 28,
        addr: 0x2211_ddcc_bba0n,
        next: 0x8000_0000_0000_1000n,
      });
    });
  }

  for (const system of systems) {
    it(`reads NULL as 0n, and not past the end, on ${system.name}`, () => {
      assertEquals(readAddrinfo(system, new Uint8Array(48)), { family: 0, addrlen: 0, addr: 0n, next: 0n });
      assertThrows(() => readAddrinfo(system, new Uint8Array(47)), RangeError);
    });
  }
});
