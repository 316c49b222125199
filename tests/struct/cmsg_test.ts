import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  controlAlign,
  ControlCursor,
  controlMessageLength,
  controlSpace,
  writeControlMessage,
} from "../../ffi/struct/cmsg.ts";
import { generator, randomBytes } from "../support/random.ts";
import { bySystem, dirty, hex, readControlMessages, systems, viewOf } from "./support.ts";

describe("controlAlign(), controlSpace() and controlMessageLength()", () => {
  const measures = bySystem({
    linux: { align: [0, 8, 8, 16], space: [16, 24, 24, 32], length: [16, 17, 24, 28] },
    macos: { align: [0, 4, 8, 12], space: [12, 16, 20, 24], length: [12, 13, 20, 24] },
    freebsd: { align: [0, 8, 8, 16], space: [16, 24, 24, 32], length: [16, 17, 24, 28] },
  });
  for (const [system, { align, space, length }] of measures) {
    it(`count as CMSG_ALIGN, CMSG_SPACE and CMSG_LEN do on ${system.name}`, () => {
      const dataLengths = [0, 1, 8, 12];
      assertEquals(dataLengths.map((size) => controlAlign(system.layout, size)), align);
      assertEquals(dataLengths.map((size) => controlSpace(system.layout, size)), space);
      assertEquals(dataLengths.map((size) => controlMessageLength(system.layout, size)), length);
    });
  }
});

describe("writeControlMessage()", () => {
  const messages = bySystem({
    linux: "1400000000000000 01000000 01000000 07000000 00000000",
    macos: "10000000 ffff0000 01000000 07000000",
    freebsd: "14000000 ffff0000 01000000 00000000 07000000 00000000",
  });
  for (const [system, expected] of messages) {
    it(`writes one descriptor as SCM_RIGHTS on ${system.name}, padding too`, () => {
      const { layout, constants } = system;
      const space = controlSpace(layout, 4);
      const target = dirty(space + 12);
      const next = writeControlMessage(layout, target, 4, constants.SOL_SOCKET, constants.SCM_RIGHTS, hex("07000000"));
      assertEquals(next, 4 + space);
      assertEquals(target, hex(`ee*4 ${expected} ee*8`));
    });
  }

  for (const system of systems) {
    it(`refuses what does not fit, and writes none of it, on ${system.name}`, () => {
      const { layout } = system;
      const target = dirty(controlSpace(layout, 4) - 1);
      const error = assertThrows(() => writeControlMessage(layout, target, 0, 1, 1, new Uint8Array(4)), RangeError);
      assertEquals(error.message, `A control message of 4 bytes does not fit ${target.length} bytes at 0`);
      assertEquals(target, dirty(target.length));
      assertThrows(() => writeControlMessage(layout, dirty(64), 64, 1, 1, new Uint8Array(0)), RangeError);
      assertThrows(() => writeControlMessage(layout, dirty(64), -8, 1, 1, new Uint8Array(0)), RangeError);
    });

    it(`writes into the part of a buffer it is given on ${system.name}`, () => {
      const { layout } = system;
      const buffer = dirty(64);
      writeControlMessage(layout, buffer.subarray(8, 48), 0, 41, 50, hex("0a0b"));
      assertEquals(buffer.subarray(0, 8), dirty(8));
      const messages = [...readControlMessages(layout, buffer.subarray(8), controlSpace(layout, 2))];
      assertEquals(messages, [{ level: 41, type: 50, data: hex("0a0b") }]);
    });
  }
});

describe("ControlCursor over a buffer", () => {
  const received = bySystem({
    linux: `1400000000000000 00000000 02000000 40000000 00000000
            1c00000000000000 00000000 08000000 02000000 7f000001 ef010203 00000000`,
    macos: `10000000 00000000 18000000 40000000
            18000000 00000000 1a000000 02000000 7f000001 ef010203`,
    freebsd: `11000000 00000000 41000000 00000000 40 00*7
              14000000 00000000 07000000 00000000 ef010203 00000000`,
  });
  for (const [system, bytes] of received) {
    it(`reads a TTL and a destination as ${system.name} sends them`, () => {
      const source = hex(bytes);
      const [first, second, ...rest] = readControlMessages(system.layout, source, source.length);
      assertEquals(rest, []);
      assertEquals([first!.level, first!.data[0]], [0, 0x40]);
      assertEquals(second!.data.subarray(-4), hex("ef010203"));
      assertStrictEquals(second!.data.buffer, source.buffer);
    });
  }

  for (const system of systems) {
    const { layout } = system;
    const { cmsghdr } = layout;
    const header = controlAlign(layout, cmsghdr.size);

    /** Two messages of four bytes, and where the second begins. */
    const twoMessages = (): { bytes: Uint8Array<ArrayBuffer>; second: number } => {
      const bytes = new Uint8Array(controlSpace(layout, 4) * 2);
      const second = writeControlMessage(layout, bytes, 0, 1, 2, hex("01020304"));
      writeControlMessage(layout, bytes, second, -3, 0x7fff_ffff, hex("05060708"));
      return { bytes, second };
    };

    it(`reads what writeControlMessage() wrote on ${system.name}`, () => {
      const next = generator(16);
      for (let round = 0; round < 300; round++) {
        const written = Array.from({ length: next(6) }, () => ({
          level: next(0x1_0000_0000) | 0,
          type: next(0x1_0000_0000) | 0,
          data: randomBytes(next, next(40)),
        }));
        const target = dirty(1024);
        let end = 0;
        for (const { level, type, data } of written) end = writeControlMessage(layout, target, end, level, type, data);
        assertEquals([...readControlMessages(layout, target, end)], written);
      }
    });

    it(`reads nothing from nothing on ${system.name}`, () => {
      assertEquals([...readControlMessages(layout, new Uint8Array(0), 0)], []);
      assertEquals([...readControlMessages(layout, twoMessages().bytes, 0)], []);
      assertEquals([...readControlMessages(layout, new Uint8Array(0), 64)], []);
    });

    it(`reads a last message whose padding is not there on ${system.name}`, () => {
      const bytes = new Uint8Array(controlSpace(layout, 1));
      writeControlMessage(layout, bytes, 0, 1, 2, hex("09"));
      const unpadded = controlMessageLength(layout, 1);
      assertEquals([...readControlMessages(layout, bytes, unpadded)], [{ level: 1, type: 2, data: hex("09") }]);
    });

    for (const length of [0, 1, cmsghdr.size - 1, header - 1, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 0xffff_ffff]) {
      it(`stops at a cmsg_len of ${length} on ${system.name}`, () => {
        const { bytes, second } = twoMessages();
        viewOf(bytes).setUint32(second, length, true);
        assertEquals([...readControlMessages(layout, bytes, bytes.length)].map((message) => message.level), [1]);
        viewOf(bytes).setUint32(0, length, true);
        assertEquals([...readControlMessages(layout, bytes, bytes.length)], []);
      });
    }

    it(`stops at a message cut short, wherever the cut is, on ${system.name}`, () => {
      const { bytes, second } = twoMessages();
      const complete = second + controlMessageLength(layout, 4);
      for (let length = 0; length <= bytes.length; length++) {
        const expected = length >= complete ? 2 : length >= controlMessageLength(layout, 4) ? 1 : 0;
        assertEquals([...readControlMessages(layout, bytes, length)].length, expected);
        assertEquals([...readControlMessages(layout, bytes.slice(0, length), bytes.length)].length, expected);
      }
    });

    it(`ends, and stays inside, whatever the bytes are, on ${system.name}`, () => {
      const next = generator(99);
      let found = 0;
      for (let round = 0; round < 2000; round++) {
        const bytes = randomBytes(next, next(96));
        // Lengths that are nearly right get further than any others.
        for (let at = 0; at + 8 <= bytes.length; at += 8) {
          if (next(2) === 0) bytes.set([next(48), 0, 0, 0, 0, 0, 0, 0], at);
        }
        for (const { data } of readControlMessages(layout, bytes, bytes.length)) {
          found++;
          assert(data.byteOffset >= header && data.byteOffset + data.length <= bytes.length);
        }
      }
      assert(found > 100);
    });
  }

  it("stops at a cmsg_len beyond 4 GiB, whose lower half looks right", () => {
    const bytes = hex("1400000001000000 01000000 01000000 07000000 00000000");
    for (const system of systems.filter(({ layout }) => layout.cmsghdr.lenSize === 8)) {
      assertEquals([...readControlMessages(system.layout, bytes, bytes.length)], []);
    }
  });
});

describe("ControlCursor", () => {
  for (const system of systems) {
    it(`walks one buffer after another within the same memory on ${system.name}`, () => {
      const { layout } = system;
      const memory = dirty(256);
      const end = writeControlMessage(layout, memory, 128, 7, 8, hex("0102030405"));
      writeControlMessage(layout, memory, 0, 5, 6, hex("0a"));

      const cursor = new ControlCursor(layout, memory);
      cursor.begin(128, end - 128);
      assert(cursor.next());
      assertEquals([cursor.level, cursor.type, cursor.data], [7, 8, hex("0102030405")]);
      assertEquals(memory.subarray(cursor.start, cursor.end), hex("0102030405"));
      assert(!cursor.next());
      assert(!cursor.next());

      cursor.begin(0, controlSpace(layout, 1));
      assert(cursor.next());
      assertEquals([cursor.level, cursor.type, cursor.view.getUint8(cursor.start)], [5, 6, 0x0a]);
      assert(!cursor.next());
    });

    it(`does not go on behind a malformed header on ${system.name}`, () => {
      const { layout } = system;
      const memory = new Uint8Array(128);
      writeControlMessage(layout, memory, 64, 1, 1, hex("01"));
      const cursor = new ControlCursor(layout, memory);
      cursor.begin(0, 128);
      assert(!cursor.next());
      assert(!cursor.next());
    });
  }
});
