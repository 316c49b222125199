import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  decodePacketInfo4,
  decodePacketInfo6,
  encodePacketInfo4,
  encodePacketInfo6,
} from "../../ffi/struct/in_pktinfo.ts";
import { hex } from "./support.ts";

describe("decodePacketInfo4()", () => {
  it("reads the interface, the destination of the header and the local address", () => {
    const bytes = hex("02010000 0a000005 effffffa");
    assertEquals(decodePacketInfo4(bytes), {
      interfaceIndex: 0x0102,
      address: hex("effffffa"),
      local: bytes.subarray(4, 8),
    });
  });

  it("reads from the part of a buffer it is given", () => {
    const bytes = hex("ff*4 01000000 7f000001 7f000002 ff*4");
    assertEquals(decodePacketInfo4(bytes.subarray(4, 16)), {
      interfaceIndex: 1,
      address: hex("7f000002"),
      local: bytes.subarray(8, 12),
    });
  });

  it("refuses bytes cut short", () => {
    assertThrows(() => decodePacketInfo4(new Uint8Array(11)), RangeError);
    assertThrows(() => decodePacketInfo4(new Uint8Array(64).subarray(0, 11)), RangeError);
  });
});

describe("encodePacketInfo4()", () => {
  it("writes the source where ipi_spec_dst is", () => {
    assertEquals(encodePacketInfo4({ interfaceIndex: 3, address: hex("7f000009") }), hex("03000000 7f000009 00000000"));
  });
});

describe("decodePacketInfo6()", () => {
  it("reads the destination and the interface", () => {
    const bytes = hex("ff02 00*13 fb 02010000");
    assertEquals(decodePacketInfo6(bytes), { interfaceIndex: 0x0102, address: hex("ff02 00*13 fb") });
  });

  it("refuses bytes cut short", () => {
    assertThrows(() => decodePacketInfo6(new Uint8Array(64).subarray(0, 19)), RangeError);
  });
});

describe("encodePacketInfo6()", () => {
  it("writes what decodePacketInfo6() reads back", () => {
    const info = { interfaceIndex: 7, address: hex("fe80 00*13 09") };
    assertEquals(encodePacketInfo6(info), hex("fe80 00*13 09 07000000"));
    assertEquals(decodePacketInfo6(encodePacketInfo6(info)), info);
  });
});
