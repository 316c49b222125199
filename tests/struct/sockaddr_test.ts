import { assertEquals, assertNotStrictEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { formatIPv4, formatIPv6 } from "../../ffi/struct/ip.ts";
import {
  type InetAddress,
  readFamily,
  readInetAddress,
  readPort,
  readScopeId,
  SIN6_ADDR,
  SIN_ADDR,
  SOCKADDR_STORAGE_SIZE,
  writeInetAddress,
} from "../../ffi/struct/sockaddr.ts";
import { generator, randomBytes } from "../support/random.ts";
import { bySystem, dirty, hex, systems } from "./support.ts";

const loopback: InetAddress = { family: "inet", address: hex("7f000001"), port: 12345, scopeId: 0 };
const linkLocal: InetAddress = {
  family: "inet6",
  address: hex("fe80 00*13 01"),
  port: 5353,
  scopeId: 0x01020304,
  flowInfo: 0x000a1234,
};

describe("writeInetAddress()", () => {
  const v4 = bySystem({
    linux: "0200 3039 7f000001 00*8",
    macos: "1002 3039 7f000001 00*8",
    freebsd: "1002 3039 7f000001 00*8",
  });
  for (const [system, expected] of v4) {
    it(`writes the struct sockaddr_in of ${system.name}, padding too`, () => {
      const target = dirty(20);
      assertEquals(writeInetAddress(system, target, 2, loopback), 16);
      assertEquals(target, hex(`eeee ${expected} eeee`));
    });
  }

  const v6 = bySystem({
    linux: "0a00 14e9 000a1234 fe80 00*13 01 04030201",
    macos: "1c1e 14e9 000a1234 fe80 00*13 01 04030201",
    freebsd: "1c1c 14e9 000a1234 fe80 00*13 01 04030201",
  });
  for (const [system, expected] of v6) {
    it(`writes the struct sockaddr_in6 of ${system.name}`, () => {
      const target = dirty(32);
      assertEquals(writeInetAddress(system, target, 4, linkLocal), 28);
      assertEquals(target, hex(`ee*4 ${expected}`));
    });
  }

  for (const system of systems) {
    it(`leaves no flow information of an earlier address on ${system.name}`, () => {
      const target = dirty(28);
      writeInetAddress(system, target, 0, { family: "inet6", address: hex("00*15 01"), port: 1, scopeId: 0 });
      assertEquals(target.subarray(2), hex("0001 00000000 00*15 01 00000000"));
    });

    it(`refuses to write past the end on ${system.name}`, () => {
      assertThrows(() => writeInetAddress(system, new Uint8Array(15), 0, loopback), RangeError, "16 bytes");
      assertThrows(() => writeInetAddress(system, new Uint8Array(28), 1, linkLocal), RangeError, "28 bytes");
      assertThrows(() => writeInetAddress(system, new Uint8Array(28), -1, loopback), RangeError);
    });

    it(`refuses an address of the wrong length on ${system.name}`, () => {
      const target = dirty(28);
      const wrong = { ...loopback, address: linkLocal.address };
      assertThrows(() => writeInetAddress(system, target, 0, wrong), TypeError, '"inet" cannot have 16 bytes');
      assertEquals(target, dirty(28));
    });
  }
});

describe("readInetAddress()", () => {
  for (const system of systems) {
    it(`reads what writeInetAddress() wrote on ${system.name}`, () => {
      const next = generator(128);
      const memory = dirty(SOCKADDR_STORAGE_SIZE + 16);
      for (let round = 0; round < 500; round++) {
        const v4 = next(2) === 0;
        const flowInfo = v4 ? 0 : next(2) * (1 + next(0xffff_ffff));
        const address: InetAddress = {
          family: v4 ? "inet" : "inet6",
          address: randomBytes(next, v4 ? 4 : 16),
          port: next(65536),
          scopeId: v4 ? 0 : next(0x1_0000_0000),
          ...(flowInfo === 0 ? {} : { flowInfo }),
        };
        const offset = next(17);
        const length = writeInetAddress(system, memory, offset, address);
        assertEquals(readInetAddress(system, memory, offset, length), address);
        assertEquals(readInetAddress(system, memory, offset, SOCKADDR_STORAGE_SIZE), address);
        assertEquals(readPort(memory, offset), address.port);
        if (v4) assertEquals(formatIPv4(memory, offset + SIN_ADDR), formatIPv4(address.address));
        else assertEquals(formatIPv6(memory, offset + SIN6_ADDR), formatIPv6(address.address));
        if (!v4) assertEquals(readScopeId(memory, offset), address.scopeId);
      }
    });

    it(`gives an address of its own, which outlives the memory, on ${system.name}`, () => {
      const memory = new Uint8Array(16);
      writeInetAddress(system, memory, 0, loopback);
      const read = readInetAddress(system, memory, 0, 16)!;
      memory.fill(0xff);
      assertNotStrictEquals(read.address.buffer, memory.buffer);
      assertEquals(read, loopback);
    });

    it(`is null for an address cut short on ${system.name}`, () => {
      const memory = new Uint8Array(28);
      const length = writeInetAddress(system, memory, 0, linkLocal);
      for (let short = 0; short < length; short++) {
        assertEquals(readInetAddress(system, memory, 0, short), null);
        assertEquals(readInetAddress(system, memory.subarray(0, short), 0, length), null);
      }
      writeInetAddress(system, memory, 0, loopback);
      for (let short = 0; short < 16; short++) assertEquals(readInetAddress(system, memory, 0, short), null);
    });

    it(`is null for another family on ${system.name}`, () => {
      const memory = new Uint8Array(28);
      writeInetAddress(system, memory, 0, linkLocal);
      memory[system.layout.sockaddrHasLength ? 1 : 0] = system.constants.AF_UNIX;
      assertEquals(readFamily(system, memory, 0), system.constants.AF_UNIX);
      assertEquals(readInetAddress(system, memory, 0, 28), null);
      assertEquals(readInetAddress(system, new Uint8Array(28), 0, 28), null);
    });
  }
});

describe("readFamily()", () => {
  it("reads two bytes where the address has no length, and one where it has", () => {
    const [linux, , macos] = systems;
    assertEquals(readFamily(linux!, hex("ff 2801"), 1), 0x128);
    assertEquals(readFamily(macos!, hex("ff 2801"), 1), 1);
  });
});
