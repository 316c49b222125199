/**
 * The module's own sources and what they import of each other, read as text.
 *
 * @module
 */
import { ROOT } from "../support/repository.ts";

/** One import or re-export, of values or of types alone. */
export interface Import {
  /** The importing file, from the root of the repository. */
  from: string;
  /** What stands in quotes. */
  specifier: string;
  /** The file that a relative specifier leads to. */
  to: string;
}

/** Files of the module, from the root of the repository, with their text. */
export function readSources(): Map<string, string> {
  const paths = ["mod.ts", ...typescriptFiles("ffi")].sort();
  return new Map(paths.map((path) => [path, Deno.readTextFileSync(new URL(path, ROOT))]));
}

function typescriptFiles(folder: string): string[] {
  return Array.from(Deno.readDirSync(new URL(`${folder}/`, ROOT))).flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    if (isDirectory) return typescriptFiles(path);
    return name.endsWith(".ts") ? [path] : [];
  });
}

/** The text without comments: blank where they stood. */
export function withoutComments(text: string): string {
  const tokens = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
  return text.replaceAll(tokens, (token) => token.startsWith("/") ? " " : token);
}

/** Every import of a file: import and export declarations, import() of values and of types. */
export function importsOf(path: string, text: string): Import[] {
  const declarations = /\b(?:from|import)\s*\(?\s*["']([^"'\n]+)["']/g;
  return Array.from(withoutComments(text).matchAll(declarations), ([, specifier]) => ({
    from: path,
    specifier: specifier!,
    to: new URL(specifier!, `file:///${path}`).pathname.slice(1),
  }));
}

/** The room of a file: its folder, or the file itself at the root. */
export function roomOf(path: string): string {
  return path.includes("/") ? path.slice(0, path.lastIndexOf("/") + 1) : path;
}

/** Circles in a graph, each as the names along it; none where it has none. */
export function circles(edges: ReadonlyMap<string, ReadonlySet<string>>): string[][] {
  const found: string[][] = [];
  const finished = new Set<string>();
  const visit = (node: string, trail: readonly string[]): void => {
    const start = trail.indexOf(node);
    if (start !== -1) found.push([...trail.slice(start), node]);
    if (start !== -1 || finished.has(node)) return;
    for (const next of edges.get(node) ?? []) visit(next, [...trail, node]);
    finished.add(node);
  };
  for (const node of edges.keys()) visit(node, []);
  return found;
}
