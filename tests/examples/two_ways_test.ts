import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { noDescriptorLeaks } from "../support/descriptors.ts";
import { ROOT } from "../support/repository.ts";
import { itUnless } from "../support/skipping.ts";
import { TIMEOUT } from "../support/timeout.ts";
import { DRIVES } from "./drives.ts";
import { printedLines } from "./support.ts";
import { temporaryFolder } from "./unix_support.ts";
import { Way } from "./ways.ts";

noDescriptorLeaks();

/** What is imported from somewhere else, each with its reason. */
const PACKAGES: Readonly<Record<string, RegExp>> = {
  // Records of the DNS as a package of their own reads and writes them.
  "npm/dns_packet.ts": /^npm:dns-packet@\d+\.\d+\.\d+$/,
};

const ways: { path?: Way; URL?: Way } = {};
beforeAll(async () => {
  ways.path = Way.byPath();
  ways.URL = await Way.byUrl();
});
afterAll(async () => await ways.URL?.[Symbol.asyncDispose]());

/** Names of the programs among the examples: those whose header prints a command. */
function programs(): string[] {
  const names = Array.from(Deno.readDirSync(new URL("examples/", ROOT)), ({ name }) => name);
  const isProgram = (name: string) =>
    name.endsWith(".ts") && /^ \* {5}.*\bdeno run /m.test(Deno.readTextFileSync(new URL(`examples/${name}`, ROOT)));
  return names.filter(isProgram).map((name) => name.slice(0, -3)).sort();
}

function* sources(under: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(under, ROOT))) {
    if (isDirectory) yield* sources(`${under}${name}/`);
    else if (name.endsWith(".ts")) yield `${under}${name}`;
  }
}

/** What a source imports, by all ways of writing it. */
function specifiers(text: string): string[] {
  return Array.from(text.matchAll(/(?:^|\s)(?:from|import)\s*\(?\s*"([^"]+)"/g), ([, specifier]) => specifier!);
}

describe("The examples", TIMEOUT, () => {
  it("import by relative path or from what Deno contains", () => {
    const foreign: string[] = [];
    let count = 0;
    for (const path of sources("examples/")) {
      for (const specifier of specifiers(Deno.readTextFileSync(new URL(path, ROOT)))) {
        count++;
        const allowed = PACKAGES[path.slice("examples/".length)];
        if (!/^(\.\.?\/|node:)/.test(specifier) && !allowed?.test(specifier)) foreign.push(`${path}: ${specifier}`);
      }
    }
    assert(count > 50);
    assertEquals(foreign, []);
  });

  it("have the same commands in examples/README.md as in their headers", async () => {
    const page = await Deno.readTextFile(new URL("examples/README.md", ROOT));
    const listed = Array.from(page.matchAll(/^.*\bdeno run .*$/gm), ([line]) => line);
    const headers = (await Promise.all(programs().map(printedLines))).flat().map((words) => words.join(" "));
    // The page has `deno task demo` in the place of its flags.
    assertEquals(listed.sort(), headers.filter((line) => !line.endsWith(" examples/demo.ts")).sort());
  });

  it("are all in the table of drives, and nothing else is", () => {
    assertEquals(Object.keys(DRIVES).sort(), programs());
  });

  for (const [name, drive] of Object.entries(DRIVES).sort()) {
    for (const way of ["path", "URL"] as const) {
      itUnless(drive.reason ?? null, `run by ${way} with the flags printed: ${name}`, async () => {
        await using folder = await temporaryFolder();
        await drive.run(ways[way]!, folder.path);
      });
    }
  }
});
