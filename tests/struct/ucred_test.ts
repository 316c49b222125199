import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { decodeCredentials } from "../../ffi/struct/ucred.ts";
import { hex, systems } from "./support.ts";

const overflow = { pid: 0x0102, uid: 65534, gid: 0xffff_ffff };

for (const { name, layout } of systems) {
  if (layout.ucred === null) {
    describe("decodeCredentials()", () => {
      it(`is not supported on ${name}`, () => {
        assertThrows(() => decodeCredentials(layout, new Uint8Array(64)), Deno.errors.NotSupported, "struct ucred");
      });
    });
    continue;
  }
  const size = layout.ucred.size;

  describe("decodeCredentials()", () => {
    it(`reads the struct ucred of ${name}`, () => {
      assertEquals(decodeCredentials(layout, hex("02010000 feff0000 ffffffff")), overflow);
      assertEquals(decodeCredentials(layout, hex("00*12")), { pid: 0, uid: 0, gid: 0 });
    });

    it(`refuses bytes cut short on ${name}`, () => {
      assertThrows(() => decodeCredentials(layout, new Uint8Array(size - 1)), RangeError);
    });
  });
}
