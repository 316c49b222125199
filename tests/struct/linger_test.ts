import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { decodeLinger, encodeLinger } from "../../ffi/struct/linger.ts";
import { hex } from "./support.ts";

describe("encodeLinger()", () => {
  it("tells no lingering from lingering for no time, which resets", () => {
    assertEquals(encodeLinger(null), hex("00000000 00000000"));
    assertEquals(encodeLinger(0), hex("01000000 00000000"));
  });

  it("writes the seconds", () => {
    assertEquals(encodeLinger(300), hex("01000000 2c010000"));
  });
});

describe("decodeLinger()", () => {
  it("reads what encodeLinger() wrote", () => {
    for (const seconds of [null, 0, 1, 300, 32767]) assertEquals(decodeLinger(encodeLinger(seconds)), seconds);
  });

  it("takes any number but zero for on, since BSD answers with the flag of its own", () => {
    assertEquals(decodeLinger(hex("80000000 05000000")), 5);
  });

  it("takes no notice of seconds while lingering is off", () => {
    assertEquals(decodeLinger(hex("00000000 05000000")), null);
  });

  it("reads from the part of a buffer it is given, and no further", () => {
    const bytes = hex("ffffffff 01000000 07000000 ffffffff");
    assertEquals(decodeLinger(bytes.subarray(4, 12)), 7);
    assertThrows(() => decodeLinger(bytes.subarray(4, 11)), RangeError);
  });
});
