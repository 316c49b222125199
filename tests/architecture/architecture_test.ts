import { assert, assertEquals, assertGreater } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ROOT } from "../support/repository.ts";
import { circles, type Import, importsOf, readSources, roomOf, withoutComments } from "./sources.ts";

const PAGE = "ffi/README.md";
const SYMBOLS = "ffi/libc/symbols.ts";

/** Functions that are bound before what will call them. */
const BOUND_AHEAD = ["recvfrom"];

const sources = readSources();
const imports = Array.from(sources, ([path, text]) => importsOf(path, text)).flat();

/** Floors by room, as the page has them. */
function floors(): Map<string, number> {
  const page = Deno.readTextFileSync(new URL(PAGE, ROOT));
  const rows = Array.from(page.matchAll(/^\|\s*(\d+)\s*\|\s*`([^`]+)`\s*\|/gm));
  return new Map(rows.map(([, floor, room]) => [room!, Number(floor)]));
}

function graph(nameOf: (path: string) => string): Map<string, Set<string>> {
  const edges = new Map<string, Set<string>>();
  for (const { from, to } of imports) {
    const [one, other] = [nameOf(from), nameOf(to)];
    if (one !== other || from === to) edges.set(one, (edges.get(one) ?? new Set()).add(other));
  }
  return edges;
}

function lines(found: readonly Import[]): string[] {
  return found.map(({ from, to }) => `${from} imports ${to}`);
}

describe("The module's sources", () => {
  it("import nothing but each other, by relative path", () => {
    assertGreater(imports.length, 100);
    const foreign = imports.filter(({ specifier, to }) => !/^\.\.?\//.test(specifier) || !sources.has(to));
    assertEquals(foreign.map(({ from, specifier }) => `${from} imports "${specifier}"`), []);
  });

  it("have no circle of files, also none of types", () => {
    assertEquals(circles(graph((path) => path)).map((circle) => circle.join(" → ")), []);
  });

  it("have no circle of rooms, also none of types", () => {
    assertEquals(circles(graph(roomOf)).map((circle) => circle.join(" → ")), []);
  });
});

describe(`The rooms of ${PAGE}`, () => {
  const floorOf = floors();

  it("are those that there are", () => {
    const rooms = new Set(Array.from(sources.keys(), roomOf));
    assertEquals([...floorOf.keys()].sort(), [...rooms].sort());
  });

  it("import of lower floors alone", () => {
    const up = imports.filter(({ from, to }) => {
      const [room, other] = [roomOf(from), roomOf(to)];
      return room !== other && floorOf.get(room)! <= floorOf.get(other)!;
    });
    assertEquals(lines(up), []);
  });

  it("have TCP, UDP and Unix sockets on one floor, so that none of them imports of another", () => {
    const rooms = ["ffi/tcp/", "ffi/udp/", "ffi/unix/"];
    assertEquals(new Set(rooms.map((room) => floorOf.get(room))).size, 1);
    assertEquals(
      lines(
        imports.filter(({ from, to }) =>
          roomOf(from) !== roomOf(to) && rooms.includes(roomOf(from)) && rooms.includes(roomOf(to))
        ),
      ),
      [],
    );
  });
});

describe("What is there and nothing uses", () => {
  const code = new Map(Array.from(sources, ([path, text]) => [path, withoutComments(text)]));

  it("is no function of libc", async () => {
    const { symbols } = await import("../../ffi/libc/symbols.ts");
    const callers = Array.from(code).filter(([path]) => path !== SYMBOLS).map(([, text]) => text).join("\n");
    const isCalled = (name: string) =>
      new RegExp(`\\bc\\.${name}\\b|\\bsymbols\\.${name}\\b|: "${name}"|\\{[^{}]*\\b${name}\\b[^{}]*\\} = [^;]*\\bc;`)
        .test(callers);
    const names = Object.keys(symbols);
    assert(names.length > 40 && isCalled("recvmsg") && !isCalled("no_such_function"));
    assertEquals(names.filter((name) => !isCalled(name) && !BOUND_AHEAD.includes(name)), []);
  });

  it("is no export, tests aside", () => {
    const exported = /^export (?:async )?(?:abstract )?(?:const|let|function\*?|class|interface|type) (\w+)/gm;
    const unused = Array.from(code).filter(([path]) => path !== "mod.ts").flatMap(([path, text]) =>
      Array.from(text.matchAll(exported), ([, name]) => name!)
        .filter((name) => !isUsed(name, path))
        .map((name) => `${name} of ${path}`)
    );
    assertEquals(unused, []);
  });

  /** Whether a name occurs once more in its own file, or in one that imports that file. */
  function isUsed(name: string, path: string): boolean {
    const word = new RegExp(`\\b${name}\\b`, "g");
    if (code.get(path)!.match(word)!.length > 1) return true;
    return imports.some(({ from, to }) => to === path && code.get(from)!.search(word) !== -1);
  }
});
