import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  controlLength,
  IOVEC_SIZE,
  messageFlags,
  nameLength,
  setControlLength,
  setIovec,
  setNameLength,
  writeIovec,
  writeMessageHeader,
} from "../../ffi/struct/msghdr.ts";
import { bySystem, dirty, hex, systems, viewOf } from "./support.ts";

const fields = {
  name: 0x7f00_1122_3344_5566n,
  nameLength: 128,
  iov: 0x7f00_0000_0000_1000n,
  iovLength: 2,
  control: 0xffff_8000_0000_2000n,
  controlLength: 0x0102,
  flags: 0x40000020,
};

describe("writeIovec()", () => {
  it("writes an address and a length of eight bytes each", () => {
    const bytes = dirty(IOVEC_SIZE + 2);
    writeIovec(viewOf(bytes), 1, 0x7fff_0000_1234_5678n, 0xfffe_0001);
    assertEquals(bytes, hex("ee 78563412 0000ff7f 0100feff 00000000 ee"));
  });
});

describe("setIovec()", () => {
  it("writes an address given as a number, and both halves of a length", () => {
    const bytes = dirty(32);
    setIovec(viewOf(bytes), 16, 0x7fff_0000_1234, 4 * 2 ** 32 + 3);
    assertEquals(bytes, hex("ee*16 34120000 ff7f0000 03000000 04000000"));
  });
});

describe("A length that does not fit", () => {
  it("is refused, never cut", () => {
    for (const length of [-1, NaN, 2 ** 53, Infinity]) {
      assertThrows(() => setIovec(viewOf(dirty(16)), 0, 0x1000, length), RangeError, String(length));
    }
    for (const system of systems) {
      const view = viewOf(dirty(64));
      const { controllenSize } = system.layout.msghdr;
      if (controllenSize === 8) setControlLength(system.layout, view, 0, 2 ** 32);
      else assertThrows(() => setControlLength(system.layout, view, 0, 2 ** 32), RangeError, "4 bytes");
    }
  });
});

describe("writeMessageHeader()", () => {
  const bsd = `
    66554433 2211007f  80000000 00000000
    00100000 0000007f  02000000 00000000
    00200000 0080ffff  02010000 20000040`;
  const headers = bySystem({
    linux: `
      66554433 2211007f  80000000 00000000
      00100000 0000007f  02000000 00000000
      00200000 0080ffff  02010000 00000000
      20000040 00000000`,
    macos: bsd,
    freebsd: bsd,
  });
  for (const [system, expected] of headers) {
    it(`writes the struct msghdr of ${system.name}, padding too`, () => {
      const bytes = dirty(system.layout.msghdr.size + 16);
      writeMessageHeader(system.layout, viewOf(bytes), 8, fields);
      assertEquals(bytes, hex(`ee*8 ${expected} ee*8`));
    });
  }

  for (const system of systems) {
    it(`writes no flags where none are given on ${system.name}`, () => {
      const bytes = dirty(system.layout.msghdr.size);
      const { flags: _, ...rest } = fields;
      writeMessageHeader(system.layout, viewOf(bytes), 0, rest);
      assertEquals(messageFlags(system.layout, viewOf(bytes), 0), 0);
    });

    it(`refuses a view too short for the header on ${system.name}`, () => {
      const bytes = dirty(system.layout.msghdr.size - 1);
      assertThrows(() => writeMessageHeader(system.layout, viewOf(bytes), 0, fields), RangeError);
    });
  }
});

describe("setNameLength(), setControlLength() and their readers", () => {
  for (const system of systems) {
    it(`change one member and nothing beside it on ${system.name}`, () => {
      const { layout } = system;
      const bytes = dirty(layout.msghdr.size * 2);
      const view = viewOf(bytes);
      const second = layout.msghdr.size;
      writeMessageHeader(layout, view, 0, fields);
      writeMessageHeader(layout, view, second, fields);
      const before = bytes.slice();
      assertEquals(nameLength(layout, view, second), 128);
      assertEquals(controlLength(layout, view, second), 0x0102);
      assertEquals(messageFlags(layout, view, second), 0x40000020);

      setNameLength(layout, view, second, 28);
      setControlLength(layout, view, second, 1024);
      assertEquals(nameLength(layout, view, second), 28);
      assertEquals(controlLength(layout, view, second), 1024);

      setNameLength(layout, view, second, fields.nameLength);
      setControlLength(layout, view, second, fields.controlLength);
      assertEquals(bytes, before);
    });
  }

  const lengths = bySystem({ linux: "ffff0000 00000000", macos: "ffff0000 eeeeeeee", freebsd: "ffff0000 eeeeeeee" });
  for (const [system, expected] of lengths) {
    it(`write msg_controllen as wide as it is on ${system.name}`, () => {
      const bytes = dirty(system.layout.msghdr.size);
      setControlLength(system.layout, viewOf(bytes), 0, 0xffff);
      assertEquals(bytes.subarray(40, 48), hex(expected));
    });
  }
});
