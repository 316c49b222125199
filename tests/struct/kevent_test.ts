import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { freebsd } from "../../ffi/libc/freebsd.ts";
import {
  type Kevent,
  keventFilter,
  keventFlags,
  keventUdataHigh,
  keventUdataLow,
  writeKevent,
} from "../../ffi/struct/kevent.ts";
import { generator } from "../support/random.ts";
import { bsdSystems, dirty, hex, linuxSystems, macosSystems, viewOf } from "./support.ts";

const event: Kevent = {
  ident: 0x0102,
  filter: -2,
  flags: 0x8021,
  fflags: 0x01000000,
  data: -1,
  udataLow: 0x0a0b0c0d,
  udataHigh: 0xf0000001,
};
const members = "02010000 00000000 feff 2180 00000001 ffffffff ffffffff 0d0c0b0a 010000f0";

describe("writeKevent()", () => {
  for (const { name, layout } of macosSystems) {
    it(`writes the 32 bytes of ${name}`, () => {
      const bytes = dirty(96);
      writeKevent(layout, viewOf(bytes), 1, event);
      assertEquals(bytes, hex(`ee*32 ${members} ee*32`));
    });
  }

  it("writes the 64 bytes of FreeBSD, the extension zeroed", () => {
    const bytes = dirty(192);
    writeKevent(freebsd.layout, viewOf(bytes), 1, event);
    assertEquals(bytes, hex(`ee*64 ${members} 00*32 ee*64`));
  });

  for (const { name, layout } of linuxSystems) {
    it(`is not supported on ${name}`, () => {
      const view = viewOf(dirty(64));
      assertThrows(() => writeKevent(layout, view, 0, event), Deno.errors.NotSupported, "kqueue");
      assertThrows(() => keventFlags(layout, view, 0), Deno.errors.NotSupported, "kqueue");
    });
  }
});

describe("keventFilter() and the other readers", () => {
  for (const { name, layout } of bsdSystems) {
    it(`read an array of what writeKevent() wrote on ${name}`, () => {
      const next = generator(32);
      const written = Array.from({ length: 64 }, (): Kevent => ({
        ident: next(0x1_0000_0000),
        filter: next(0x1_0000) - 0x8000,
        flags: next(0x1_0000),
        fflags: next(0x1_0000_0000),
        data: (next(0x40_0000) - 0x20_0000) * 0x1_0000_0000 + next(0x1_0000_0000),
        udataLow: next(0x1_0000_0000),
        udataHigh: next(0x1_0000_0000),
      }));
      const view = viewOf(dirty(64 * 64));
      written.forEach((one, index) => writeKevent(layout, view, index, one));
      const read = written.map((_, index) => ({
        filter: keventFilter(layout, view, index),
        flags: keventFlags(layout, view, index),
        udataLow: keventUdataLow(layout, view, index),
        udataHigh: keventUdataHigh(layout, view, index),
      }));
      const expected = written.map(({ filter, flags, udataLow, udataHigh }) => ({
        filter,
        flags,
        udataLow,
        udataHigh,
      }));
      assertEquals(read, expected);
    });
  }
});
