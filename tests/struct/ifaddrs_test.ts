import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { freebsdNetwork, linuxNetwork, macosNetwork } from "../../ffi/libc/network.ts";
import {
  IFADDRS_SIZE,
  LINK_ADDRESS_HEAD,
  linkAddressLength,
  prefixLengthOf,
  readIfaddrs,
  readLinkAddress,
} from "../../ffi/struct/ifaddrs.ts";

const MAC = [0x02, 0x42, 0xac, 0x11, 0x00, 0x02];

describe("readIfaddrs()", () => {
  it("reads every member from where C has it", () => {
    const bytes = new Uint8Array(IFADDRS_SIZE);
    const words = new BigUint64Array(bytes.buffer);
    words.set([0x11n, 0x22n, 0x1043n, 0x44n, 0x55n, 0x66n, 0x77n]);
    assertEquals(readIfaddrs(bytes), {
      next: 0x11n,
      name: 0x22n,
      flags: 0x1043,
      address: 0x44n,
      netmask: 0x55n,
      destination: 0x66n,
      data: 0x77n,
    });
  });
});

describe("readLinkAddress()", () => {
  it("reads struct sockaddr_ll of Linux", () => {
    const bytes = Uint8Array.of(17, 0, 0, 0, 0x2c, 0x01, 0, 0, 1, 0, 0, 6, ...MAC, 0, 0);
    assertEquals(linkAddressLength(linuxNetwork, bytes.subarray(0, LINK_ADDRESS_HEAD)), 18);
    assertEquals(readLinkAddress(linuxNetwork, bytes), { index: 300, address: Uint8Array.from(MAC) });
  });

  it("reads the 20 bytes of InfiniBand, and none of a tunnel", () => {
    const long = Array.from({ length: 20 }, (_, index) => index + 1);
    const bytes = Uint8Array.of(17, 0, 0, 0, 5, 0, 0, 0, 32, 0, 0, 20, ...long);
    assertEquals(linkAddressLength(linuxNetwork, bytes), 32);
    assertEquals(readLinkAddress(linuxNetwork, bytes).address, Uint8Array.from(long));
    const none = Uint8Array.of(17, 0, 0, 0, 6, 0, 0, 0, 0xfe, 0xff, 0, 0);
    assertEquals(readLinkAddress(linuxNetwork, none), { index: 6, address: new Uint8Array() });
  });

  for (const [name, network] of [["macOS", macosNetwork], ["FreeBSD", freebsdNetwork]] as const) {
    it(`reads struct sockaddr_dl of ${name}, whose address follows the interface's name`, () => {
      const bytes = Uint8Array.of(20, 18, 4, 0, 6, 3, 6, 0, ...new TextEncoder().encode("en0"), ...MAC, 0, 0, 0);
      assertEquals(linkAddressLength(network, bytes.subarray(0, LINK_ADDRESS_HEAD)), 17);
      assertEquals(readLinkAddress(network, bytes), { index: 4, address: Uint8Array.from(MAC) });
    });
  }
});

describe("prefixLengthOf()", () => {
  const MASKS: readonly (readonly [length: number, bytes: readonly number[]])[] = [
    [0, []],
    [0, [0, 0, 0, 0]],
    [1, [0x80, 0, 0, 0]],
    [8, [255]],
    [12, [255, 0xf0, 0, 0]],
    [24, [255, 255, 255, 0]],
    [31, [255, 255, 255, 254]],
    [32, [255, 255, 255, 255]],
    [128, new Array(16).fill(255)],
    [9, [255, 0x80, 255, 255]],
  ];
  for (const [length, bytes] of MASKS) {
    it(`finds ${length} in ${bytes.join(".") || "no bytes"}`, () => {
      assertEquals(prefixLengthOf(Uint8Array.from(bytes)), length);
    });
  }
});
