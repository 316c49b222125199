import { assert, assertEquals } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { noDescriptorLeaks } from "./support/descriptors.ts";
import { run } from "./support/process.ts";
import { itUnless } from "./support/skipping.ts";

noDescriptorLeaks();

// The contract that this module is built to is kept beside the repository, where the module is developed.
const CONTRACT = new URL("../../shared/contract.d.ts", import.meta.url);
const MODULE = new URL("../mod.ts", import.meta.url);

const contract = await Deno.readTextFile(CONTRACT).catch(() => null);
const reason = contract === null ? "the contract is not beside the repository" : null;

type Kind = "interface" | "class" | "function" | "const" | "type";

/** What the contract declares: the kind of each name, and whether it has a type parameter. */
function declarations(text: string): Map<string, { kind: Kind; generic: boolean }> {
  const lines = text.matchAll(/^export (interface|class|function|const|type) (\w+)(<)?/gm);
  return new Map(
    Array.from(lines, ([, kind, name, generic]) => [name!, { kind: kind as Kind, generic: generic !== undefined }]),
  );
}

/** The names that a module of nothing but `export … from` lines exports. */
function exportedNames(source: string): Set<string> {
  const lists = Array.from(source.matchAll(/^export (?:type )?\{([^}]*)\}/gm), ([, list]) => list!);
  return new Set(lists.join(",").split(",").map((name) => name.replace(/\btype\b/, "").trim()).filter(Boolean));
}

/** Lines that compile where what we export under a name may stand in for what the contract declares under it. */
function claims(name: string, kind: Kind, generic: boolean): string[] {
  const type = generic ? `${name}<number>` : name;
  // What callers hand in: whatever the contract allows, we take.
  if (/Options$|^Control$/.test(name)) return [`claim<theirs.${type}, ours.${type}>();`];
  if (kind === "interface" || kind === "type") return [`claim<ours.${type}, theirs.${type}>();`];
  return [`claim<typeof ours.${name}, typeof theirs.${name}>();`];
}

/** The same for a class, whose static members are compared without its constructor. */
function classClaims(name: string): string[] {
  const statics = (module: string) => `Pick<typeof ${module}.${name}, keyof typeof theirs.${name}>`;
  return [`claim<ours.${name}, theirs.${name}>();`, `claim<${statics("ours")}, ${statics("theirs")}>();`];
}

/** The contract with our classes in place of its own: private members make a class a type that only itself fits. */
function withOurClasses(text: string, classes: readonly string[]): string {
  const rest = classes.reduce(
    (text, name) => text.replace(new RegExp(`^export class ${name} [^]*?^}$`, "m"), ""),
    text,
  );
  const list = classes.join(", ");
  return `import { ${list} } from ${JSON.stringify(MODULE.href)};\nexport { ${list} };\n${rest}`;
}

/** A module of claims about a contract. */
function claimsModule(contract: string, lines: readonly string[]): string {
  return [
    `import type * as ours from ${JSON.stringify(MODULE.href)};`,
    `import type * as theirs from ${JSON.stringify(contract)};`,
    "function claim<_Given extends Wanted, Wanted>(): void {}",
    ...lines,
  ].join("\n");
}

describe("The contract", { timeout: 120_000 }, () => {
  itUnless(reason, "is kept: all it declares is exported, and may stand in for what was declared", async () => {
    const declared = [...declarations(contract!)];
    const exported = exportedNames(await Deno.readTextFile(MODULE));
    assertEquals(declared.filter(([name]) => !exported.has(name)), []);
    const classes = declared.filter(([, { kind }]) => kind === "class").map(([name]) => name);
    const others = declared.filter(([name]) => !classes.includes(name));
    const folder = await Deno.makeTempDir();
    try {
      const files = {
        "ours.d.ts": withOurClasses(contract!, classes),
        "classes.ts": claimsModule(CONTRACT.href, classes.flatMap(classClaims)),
        "others.ts": claimsModule(
          "./ours.d.ts",
          others.flatMap(([name, { kind, generic }]) => claims(name, kind, generic)),
        ),
      };
      for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(`${folder}/${name}`, text);
      const config = new URL("../deno.json", import.meta.url).pathname;
      const modules = [`${folder}/classes.ts`, `${folder}/others.ts`];
      const checked = await run(Deno.execPath(), ["check", "--no-lock", "--config", config, ...modules]);
      assert(checked.success, checked.stderr);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
});
