import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ROOT } from "../support/repository.ts";
import { readme } from "./programs.ts";

/** Words of the tables that are not the module's: Deno's, Node's, the language's, and values. */
const OTHERS = new Set(
  ("createServer node http tls null Date const await true false first second for of accept string error " +
    "Deno errors BadResource data from with ECONNREFUSED SOCK_SEQPACKET group exclusive membership conn listener ms")
    .split(" "),
);

/** Rows of the table under a heading, without its head. */
function rowsUnder(heading: RegExp): string[][] {
  const [section] = readme.split(/^## /m).filter((section) => heading.test(section));
  assert(section !== undefined, `${heading}`);
  const rows = section.split("\n").filter((line) => line.startsWith("| "));
  return rows.slice(2).map((row) => row.split("|").slice(1, -1).map((cell) => cell.trim()));
}

describe("The tables of those who come from elsewhere", () => {
  const surface = Deno.readTextFileSync(new URL("tests/surface/surface.txt", ROOT));
  const known = new Set(surface.match(/\w+/g));

  for (const heading of [/^Coming from Deno/, /^Coming from Node/, /^Coming from Go/]) {
    it(`name what there is: ${heading.source.slice(1)}`, () => {
      const rows = rowsUnder(heading);
      assert(rows.length >= 10);
      const words = rows.flatMap(([, ours]) =>
        Array.from(ours!.matchAll(/`([^`]*)`/g), ([, code]) => code!.match(/[a-zA-Z_]\w+/g) ?? []).flat()
      );
      assertEquals([...new Set(words)].filter((word) => !known.has(word) && !OTHERS.has(word)), []);
    });
  }
});

describe("The links of the documents", () => {
  const documents = [
    "README.md",
    "CHANGELOG.md",
    "examples/README.md",
    "ffi/README.md",
    ".github/CONTRIBUTING.md",
    ".github/SECURITY.md",
  ];

  /** The anchors of a document's headings, as GitHub makes them. */
  function anchorsOf(text: string): Set<string> {
    const headings = Array.from(text.matchAll(/^#+ (.*)$/gm), ([, heading]) => heading!);
    return new Set(headings.map((heading) => heading.toLowerCase().replaceAll(/[^\w\- ]/g, "").replaceAll(" ", "-")));
  }

  for (const document of documents) {
    it(`lead somewhere: ${document}`, async () => {
      const base = new URL(document, ROOT);
      const text = await Deno.readTextFile(base);
      const dead: string[] = [];
      for (const [, link] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^https?:/.test(link!)) continue;
        const [path, anchor] = link!.split("#");
        const target = path === "" ? base : new URL(path!, base);
        const info = await Deno.stat(target).catch(() => null);
        if (info === null) dead.push(link!);
        else if (anchor !== undefined && !anchorsOf(await Deno.readTextFile(target)).has(anchor)) dead.push(link!);
      }
      assertEquals(dead, []);
    });
  }
});
