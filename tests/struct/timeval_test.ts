import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { decodeTimespec, decodeTimeval } from "../../ffi/struct/timeval.ts";
import { bySystem, hex, systems } from "./support.ts";

describe("decodeTimeval()", () => {
  // macOS has four bytes of microseconds, followed by undefined bytes.
  const times = bySystem({
    linux: "00f15365 00000000 3f420f00 00000000",
    macos: "00f15365 00000000 3f420f00 ffffffff",
    freebsd: "00f15365 00000000 3f420f00 00000000",
  });
  for (const [system, bytes] of times) {
    it(`reads milliseconds with a fraction on ${system.name}`, () => {
      assertEquals(decodeTimeval(system.layout, hex(bytes)), 1_700_000_000_999.999);
    });
  }

  for (const system of systems) {
    it(`reads times beyond 2038 and before 1970 on ${system.name}`, () => {
      assertEquals(decodeTimeval(system.layout, hex("00000000 01000000 00*8")), 2 ** 32 * 1000);
      assertEquals(decodeTimeval(system.layout, hex("ffffffff ffffffff 20a10700 00000000")), -500);
    });

    it(`refuses bytes cut short on ${system.name}`, () => {
      assertThrows(() => decodeTimeval(system.layout, new Uint8Array(11)), RangeError);
    });
  }
});

describe("decodeTimespec()", () => {
  it("reads milliseconds with a fraction", () => {
    assertEquals(decodeTimespec(hex("01000000 00000000 15cd5b07 00000000")), 1123.456789);
    assertEquals(decodeTimespec(hex("00f15365 00000000 00000000 00000000")), 1_700_000_000_000);
  });

  it("reads from the part of a buffer it is given, and no further", () => {
    const bytes = hex("ff*8 02000000 00000000 00*8 ff*8");
    assertEquals(decodeTimespec(bytes.subarray(8, 8 + 16)), 2000);
    assertThrows(() => decodeTimespec(bytes.subarray(8, 16)), RangeError);
  });
});
