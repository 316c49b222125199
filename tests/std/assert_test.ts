import * as door from "@std/assert";
import { assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

const DECLARATIONS = new URL("./assert.d.ts", import.meta.url);

describe("@std/assert", () => {
  it("has every name that its declarations promise", async () => {
    const declarations = await Deno.readTextFile(DECLARATIONS);
    const names = new Set(Array.from(declarations.matchAll(/^export declare \w+ (\w+)/gm), ([, name]) => name ?? ""));
    const present = new Set(Object.keys(door));
    assertEquals([...names.difference(present)], []);
  });

  it("assertThrows() and assertRejects() yield the error under its class", async () => {
    const thrown: RangeError = assertThrows(() => new Array(-1), RangeError);
    const rejected: TypeError = await assertRejects(() => Promise.reject(new TypeError("no")), TypeError, "no");
    assertInstanceOf(thrown, RangeError);
    assertEquals(rejected.message, "no");
  });

  it("assertInstanceOf() narrows", () => {
    const value: unknown = new Deno.errors.AddrInUse("taken");
    assertInstanceOf(value, Deno.errors.AddrInUse);
    assertEquals(value.message, "taken");
  });

  it("fails where the assertion does not hold", () => {
    assertThrows(() => assertEquals([1], [2]), door.AssertionError);
  });
});
