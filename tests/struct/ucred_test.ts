import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { decodeCredentials, encodeCredentials } from "../../ffi/struct/ucred.ts";
import { hex, systems } from "./support.ts";

const nobody = { pid: 0x0102, uid: 65534, gid: 0xffff_ffff };

for (const { name, layout } of systems) {
  if (layout.ucred === null) {
    describe("decodeCredentials() and encodeCredentials()", () => {
      it(`are not supported on ${name}`, () => {
        assertThrows(() => decodeCredentials(layout, new Uint8Array(64)), Deno.errors.NotSupported, "struct ucred");
        assertThrows(() => encodeCredentials(layout, nobody), Deno.errors.NotSupported, "struct ucred");
      });
    });
    continue;
  }
  const size = layout.ucred.size;

  describe("encodeCredentials()", () => {
    it(`writes the struct ucred of ${name}`, () => {
      assertEquals(encodeCredentials(layout, nobody), hex("02010000 feff0000 ffffffff"));
    });
  });

  describe("decodeCredentials()", () => {
    it(`reads what encodeCredentials() wrote on ${name}`, () => {
      assertEquals(decodeCredentials(layout, encodeCredentials(layout, nobody)), nobody);
      const root = { pid: 0, uid: 0, gid: 0 };
      assertEquals(decodeCredentials(layout, encodeCredentials(layout, root)), root);
    });

    it(`refuses bytes cut short on ${name}`, () => {
      assertThrows(() => decodeCredentials(layout, new Uint8Array(size - 1)), RangeError);
    });
  });
}
