import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { readUnixAddress, SOCKADDR_STORAGE_SIZE, writeUnixAddress } from "../../ffi/struct/sockaddr.ts";
import { generator } from "../support/random.ts";
import { bsdSystems, bySystem, dirty, hex, linuxSystems, systems } from "./support.ts";

describe("writeUnixAddress()", () => {
  const paths = bySystem({
    linux: "0100 2f746d702f61 00",
    macos: "0901 2f746d702f61 00",
    freebsd: "0901 2f746d702f61 00",
  });
  for (const [system, expected] of paths) {
    it(`writes a path and its NUL on ${system.name}`, () => {
      const target = dirty(12);
      assertEquals(writeUnixAddress(system, target, 1, "/tmp/a"), 9);
      assertEquals(target, hex(`ee ${expected} eeee`));
    });
  }

  const unnamed = bySystem({ linux: "0100", macos: "0201", freebsd: "0201" });
  for (const [system, expected] of unnamed) {
    it(`writes no path at all for "" on ${system.name}`, () => {
      const target = dirty(4);
      assertEquals(writeUnixAddress(system, target, 0, ""), 2);
      assertEquals(target, hex(`${expected} eeee`));
    });
  }

  const sizes = bySystem({ linux: 108, macos: 104, freebsd: 104 });
  for (const [system, size] of sizes) {
    it(`writes a path that just fits, and says what would, on ${system.name}`, () => {
      const target = dirty(SOCKADDR_STORAGE_SIZE);
      const fits = "/" + "x".repeat(size - 2);
      assertEquals(writeUnixAddress(system, target, 0, fits), size + 2);
      assertEquals(readUnixAddress(system, target, 0, size + 2), fits);

      const untouched = dirty(SOCKADDR_STORAGE_SIZE);
      const error = assertThrows(() => writeUnixAddress(system, untouched, 0, fits + "y"), TypeError);
      assertEquals(
        error.message,
        `Path "${fits}y" has ${size} bytes, expected at most ${size - 1} for a Unix socket path`,
      );
      assertEquals(untouched, dirty(SOCKADDR_STORAGE_SIZE));
    });

    it(`counts bytes of UTF-8, not characters, on ${system.name}`, () => {
      const target = dirty(SOCKADDR_STORAGE_SIZE);
      const length = writeUnixAddress(system, target, 0, "/é😀");
      assertEquals(target.subarray(2, length), hex("2f c3a9 f09f9880 00"));
      const error = assertThrows(() => writeUnixAddress(system, target, 0, "é".repeat(60)), TypeError);
      assertStringIncludes(error.message, "has 120 bytes");
    });
  }

  for (const system of systems) {
    it(`refuses a NUL inside a path on ${system.name}`, () => {
      const error = assertThrows(() => writeUnixAddress(system, dirty(128), 0, "/tmp/a\0b"), TypeError);
      assertStringIncludes(error.message, String.raw`Path "/tmp/a\u0000b" contains a NUL`);
    });

    it(`refuses half a surrogate pair, which would become another path, on ${system.name}`, () => {
      const error = assertThrows(() => writeUnixAddress(system, dirty(128), 0, "/tmp/\ud800"), TypeError);
      assertStringIncludes(error.message, String.raw`Path "/tmp/\ud800" is not well-formed`);
    });

    it(`refuses to write past the end on ${system.name}`, () => {
      assertThrows(() => writeUnixAddress(system, new Uint8Array(8), 0, "/tmp/a"), RangeError, "9 bytes");
    });
  }

  for (const system of linuxSystems) {
    it(`writes an abstract name without a NUL behind it on ${system.name}`, () => {
      const target = dirty(10);
      assertEquals(writeUnixAddress(system, target, 0, "\0name"), 7);
      assertEquals(target, hex("0100 00 6e616d65 eeeeee"));
    });

    it(`writes an abstract name that fills sun_path, and no longer one, on ${system.name}`, () => {
      const target = dirty(SOCKADDR_STORAGE_SIZE);
      const fits = "\0" + "n".repeat(107);
      assertEquals(writeUnixAddress(system, target, 0, fits), 110);
      assertEquals(readUnixAddress(system, target, 0, 110), fits);
      const error = assertThrows(() => writeUnixAddress(system, target, 0, fits + "n"), TypeError);
      assertStringIncludes(error.message, "has 109 bytes, expected at most 108 for a Unix socket path");
    });
  }

  for (const system of bsdSystems) {
    it(`refuses abstract names by the name of ${system.name}`, () => {
      const error = assertThrows(() => writeUnixAddress(system, dirty(128), 0, "\0name"), Deno.errors.NotSupported);
      assertEquals(
        error.message,
        String.raw`Path "\u0000name" is an abstract name, which ${system.name} does not support`,
      );
    });
  }
});

describe("readUnixAddress()", () => {
  for (const system of systems) {
    it(`is null for an unnamed socket on ${system.name}`, () => {
      const memory = dirty(SOCKADDR_STORAGE_SIZE);
      const length = writeUnixAddress(system, memory, 0, "");
      assertEquals(readUnixAddress(system, memory, 0, length), null);
      assertEquals(readUnixAddress(system, memory, 0, 1), null);
      assertEquals(readUnixAddress(system, memory, 0, 0), null);
    });

    it(`ends a path at its NUL, or at the length where there is none, on ${system.name}`, () => {
      const memory = dirty(SOCKADDR_STORAGE_SIZE);
      writeUnixAddress(system, memory, 3, "/tmp/a");
      assertEquals(readUnixAddress(system, memory, 3, 110), "/tmp/a");
      assertEquals(readUnixAddress(system, memory, 3, 6), "/tmp");
    });

    it(`stays inside the memory where the reported length does not, on ${system.name}`, () => {
      const memory = dirty(8);
      writeUnixAddress(system, memory.subarray(0, 8), 0, "/tmp/");
      assertEquals(readUnixAddress(system, memory.subarray(0, 5), 0, 300), "/tm");
    });

    it(`keeps a path that begins with a byte order mark on ${system.name}`, () => {
      const memory = dirty(SOCKADDR_STORAGE_SIZE);
      const length = writeUnixAddress(system, memory, 0, "\ufeffa");
      assertEquals(readUnixAddress(system, memory, 0, length), "\ufeffa");
    });

    it(`is null for another family on ${system.name}`, () => {
      const memory = dirty(SOCKADDR_STORAGE_SIZE);
      const length = writeUnixAddress(system, memory, 0, "/tmp/a");
      memory[system.layout.sockaddrHasLength ? 1 : 0] = system.constants.AF_INET;
      assertEquals(readUnixAddress(system, memory, 0, length), null);
    });

    it(`reads what writeUnixAddress() wrote on ${system.name}`, () => {
      const next = generator(108);
      const alphabet = ["/", "a", "Z", ".", " ", "@", "é", "☂", "😀", ...(system.abstractUnixNames ? ["\0"] : [])];
      const memory = dirty(SOCKADDR_STORAGE_SIZE);
      for (let round = 0; round < 500; round++) {
        let path = Array.from({ length: 1 + next(25) }, () => alphabet[next(alphabet.length)]).join("");
        // A NUL may stand anywhere in an abstract name, and nowhere in a path.
        if (!path.startsWith("\0")) path = path.replaceAll("\0", "_");
        const length = writeUnixAddress(system, memory, 5, path);
        assertEquals(readUnixAddress(system, memory, 5, length), path);
      }
    });
  }

  for (const system of linuxSystems) {
    it(`takes an abstract name at its exact length on ${system.name}`, () => {
      assertEquals(readUnixAddress(system, hex("0100 00 3030303061 ffff"), 0, 8), "\x000000a");
      assertEquals(readUnixAddress(system, hex("0100 00 61 00 62 00"), 0, 7), "\0a\0b\0");
      assertEquals(readUnixAddress(system, hex("0100 00"), 0, 3), "\0");
    });
  }

  for (const system of bsdSystems) {
    it(`takes an address of nothing but NULs for unnamed on ${system.name}`, () => {
      assertEquals(readUnixAddress(system, hex("1001 00*14"), 0, 16), null);
    });
  }
});
