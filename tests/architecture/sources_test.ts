import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { circles, importsOf, roomOf, withoutComments } from "./sources.ts";

describe("importsOf()", () => {
  it("reads imports of values and types, re-exports, and import() of either", () => {
    const text = [
      'import { one } from "./one.ts";',
      'import type { Two } from "../b/two.ts";',
      "import {",
      "  three,",
      '} from "../b/three.ts";',
      'export * from "./four.ts";',
      'export type { Five } from "./five.ts";',
      'import "./six.ts";',
      'const seven = await import("./seven.ts");',
      'let eight: import("./eight.ts").Eight;',
      '/** import { no } from "./comment.ts"; */',
      '// import "./comment.ts";',
      'const text = "// not a comment"; import nine from "npm:nine";',
    ].join("\n");
    const names = ["a/one", "b/two", "b/three", "a/four", "a/five", "a/six", "a/seven", "a/eight"];
    const imports = importsOf("ffi/a/here.ts", text);
    assertEquals(imports.slice(0, -1).map(({ to }) => to), names.map((name) => `ffi/${name}.ts`));
    assertEquals(imports.at(-1)!.specifier, "npm:nine");
  });
});

describe("withoutComments()", () => {
  it("leaves text in quotes as it is", () => {
    assertEquals(withoutComments('a("http://x") /* b */ + `//${c}` // d\n'), 'a("http://x")   + `//${c}`  \n');
  });
});

describe("roomOf()", () => {
  it("is the folder of a file", () => {
    assertEquals(["mod.ts", "ffi/connect.ts", "ffi/tcp/tcp.ts"].map(roomOf), ["mod.ts", "ffi/", "ffi/tcp/"]);
  });
});

describe("circles()", () => {
  const graph = (edges: Record<string, string[]>) =>
    new Map(Object.entries(edges).map(([from, to]) => [from, new Set(to)]));

  it("finds none in a tree, nor where two ways lead to one place", () => {
    assertEquals(circles(graph({ a: ["b", "c"], b: ["d"], c: ["d"], d: [] })), []);
  });

  it("finds them wherever they begin, and one of a single name", () => {
    assertEquals(circles(graph({ a: ["b"], b: ["c"], c: ["b"] })), [["b", "c", "b"]]);
    assertEquals(circles(graph({ a: ["a"] })), [["a", "a"]]);
  });
});
