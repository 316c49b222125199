import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { linux_aarch64, linux_x86_64 } from "../../ffi/libc/linux.ts";
import { EpollEvents, writeEpollEvent } from "../../ffi/struct/epoll_event.ts";
import { generator } from "../support/random.ts";
import { bsdSystems, dirty, hex, linuxSystems, viewOf } from "./support.ts";

describe("writeEpollEvent()", () => {
  it("packs an event into twelve bytes on x86_64", () => {
    const bytes = dirty(36);
    writeEpollEvent(linux_x86_64.layout, viewOf(bytes), 1, 0x80000001, 0x04030201, 0xfffffff8);
    assertEquals(bytes, hex("ee*12 01000080 01020304 f8ffffff ee*12"));
  });

  it("spreads an event over sixteen bytes on aarch64, padding too", () => {
    const bytes = dirty(48);
    writeEpollEvent(linux_aarch64.layout, viewOf(bytes), 1, 0x80000001, 0x04030201, 0xfffffff8);
    assertEquals(bytes, hex("ee*16 01000080 00000000 01020304 f8ffffff ee*16"));
  });

  for (const system of bsdSystems) {
    it(`is not supported on ${system.name}`, () => {
      const view = viewOf(dirty(64));
      assertThrows(() => writeEpollEvent(system.layout, view, 0, 1, 2, 3), Deno.errors.NotSupported, "epoll");
      assertThrows(() => new EpollEvents(system.layout, 1), Deno.errors.NotSupported, "epoll");
    });
  }
});

describe("EpollEvents", () => {
  for (const { name, layout } of linuxSystems) {
    it(`reads an array of what writeEpollEvent() wrote on ${name}`, () => {
      const next = generator(12);
      const written = Array.from({ length: 64 }, () => [1, 2, 3].map(() => next(0x1_0000_0000)));
      const array = new EpollEvents(layout, written.length);
      const view = viewOf(array.bytes);
      written.forEach(([events, low, high], index) => writeEpollEvent(layout, view, index, events!, low!, high!));
      const read = written.map((_, index) => [array.events(index), array.dataLow(index), array.dataHigh(index)]);
      assertEquals(read, written);
    });
  }
});
