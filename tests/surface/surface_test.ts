import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import * as exported from "../../mod.ts";
import { readSurface, SNAPSHOT } from "./surface.ts";
import { typeText } from "./types.ts";

describe("The public surface", () => {
  it("is as tests/surface/surface.txt has it, which `deno task surface` writes", async () => {
    assertEquals((await readSurface()).split("\n"), (await Deno.readTextFile(SNAPSHOT)).split("\n"));
  });

  it("has a line for every value that mod.ts exports", async () => {
    const names = (await readSurface()).matchAll(/^(?:abstract )?(?:function|class|const) (\w+)/gm);
    assertEquals([...new Set(Array.from(names, ([, name]) => name))], Object.keys(exported).sort());
  });
});

describe("typeText()", () => {
  it("writes a type on one line", () => {
    const text = { kind: "keyword", repr: "string" };
    const literal = { kind: "literal", repr: "udp", value: { kind: "string", string: "udp" } };
    assertEquals(typeText({ kind: "union", value: [text, literal] }), 'string | "udp"');
    const list = { kind: "array", value: { kind: "parenthesized", value: { kind: "union", value: [text, literal] } } };
    assertEquals(typeText(list), '(string | "udp")[]');
    assertEquals(
      typeText({ kind: "typeLiteral", value: { properties: [{ name: "at", optional: true, tsType: text }] } }),
      "{ at?: string }",
    );
  });

  it("throws for what it does not know", () => {
    const error = assertThrows(() => typeText({ kind: "new in TypeScript 99" }), TypeError);
    assertStringIncludes(error.message, "new in TypeScript 99");
  });
});
