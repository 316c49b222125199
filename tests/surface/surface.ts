/**
 * The public surface of mod.ts, a line for each name and each member, as `deno doc --json` reads it.
 *
 * @module
 */
import { run } from "../support/process.ts";
import { ROOT } from "../support/repository.ts";
import {
  type MethodNode,
  methodText,
  type ParameterNode,
  type PropertyNode,
  propertyText,
  type SignatureNode,
  signatureText,
  typeArgumentsText,
  type TypeNode,
  type TypeParameterNode,
  typeParametersText,
  typeText,
} from "./types.ts";

/** Where the snapshot stands. */
export const SNAPSHOT: URL = new URL("./surface.txt", import.meta.url);

interface ClassDefinition extends InterfaceDefinition {
  isAbstract?: boolean;
  superTypeParams?: TypeNode[];
  implements?: TypeNode[];
  constructors?: { accessibility?: string; params: ParameterNode[] }[];
}

interface InterfaceDefinition {
  extends?: string | TypeNode[];
  typeParams?: TypeParameterNode[];
  properties?: (PropertyNode & Modifiers)[];
  methods?: (MethodNode & Modifiers & { functionDef?: SignatureNode })[];
}

/** What may stand before a member. */
interface Modifiers {
  accessibility?: string;
  isStatic?: boolean;
  isAbstract?: boolean;
}

interface Declaration {
  kind: string;
  def: { hasBody?: boolean };
}

interface Documentation {
  nodes: Record<string, { symbols: { name: string; declarations: Declaration[] }[] }>;
}

/** The surface as it is now. */
export async function readSurface(): Promise<string> {
  const { success, stdout, report } = await run(Deno.execPath(), ["doc", "--json", "mod.ts"], { cwd: ROOT });
  if (!success) throw new Error(report);
  const { nodes } = JSON.parse(stdout) as Documentation;
  const lines = Object.values(nodes).flatMap(({ symbols }) =>
    symbols.toSorted((one, other) => one.name < other.name ? -1 : 1)
      .flatMap(({ name, declarations }) => visible(declarations).flatMap((one) => describeOne(name, one)))
  );
  return `${lines.join("\n")}\n`;
}

/** Of an overloaded function the overloads: the declaration with the body is not for callers. */
function visible(declarations: readonly Declaration[]): readonly Declaration[] {
  return declarations.length === 1 ? declarations : declarations.filter(({ def }) => def.hasBody !== true);
}

function describeOne(name: string, { kind, def }: Declaration): string[] {
  const describe = DECLARATIONS[kind];
  if (describe === undefined) throw new TypeError(`Unknown kind of declaration: ${kind} ${name}`);
  return describe(name, def as never);
}

/** How each kind of declaration is written. */
const DECLARATIONS: Readonly<Record<string, (name: string, def: never) => string[]>> = {
  function: (name, def: SignatureNode) => [`function ${name}${signatureText(def)}`],
  typeAlias: (name, { tsType, typeParams }: { tsType: TypeNode; typeParams?: TypeParameterNode[] }) => [
    `type ${name}${typeParametersText(typeParams)} = ${typeText(tsType)}`,
  ],
  variable: (name, { kind, tsType }: { kind: string; tsType: TypeNode }) =>
    tsType.kind === "typeLiteral"
      ? [`${kind} ${name}`, ...membersOf(name, tsType.value as InterfaceDefinition)]
      : [`${kind} ${name}: ${typeText(tsType)}`],
  interface: (name, def: InterfaceDefinition) => {
    const parents = (def.extends as TypeNode[] ?? []).map(typeText).join(", ");
    const head = `interface ${name}${typeParametersText(def.typeParams)}${parents === "" ? "" : ` extends ${parents}`}`;
    return [head, ...membersOf(name, def)];
  },
  class: (name, def: ClassDefinition) => {
    const parent = typeof def.extends === "string"
      ? ` extends ${def.extends}${typeArgumentsText(def.superTypeParams)}`
      : "";
    const promised = (def.implements ?? []).map(typeText).join(", ");
    const head = `class ${name}${typeParametersText(def.typeParams)}${parent}`;
    const constructors = (def.constructors ?? []).map(({ accessibility, params }) =>
      `  ${name}: ${accessibility ? `${accessibility} constructor` : `constructor${signatureText({ params })}`}`
    );
    return [
      `${def.isAbstract ? "abstract " : ""}${head}${promised === "" ? "" : ` implements ${promised}`}`,
      ...constructors,
      ...membersOf(name, def),
    ];
  },
};

function membersOf(owner: string, { properties = [], methods = [] }: InterfaceDefinition): string[] {
  const members = [
    ...properties.map((property) => ({ name: property.name, text: modifiersText(property) + propertyText(property) })),
    ...methods.map((method) => ({
      name: method.name,
      text: modifiersText(method) +
        methodText(method.name, method.kind, method.optional ?? false, method.functionDef ?? method),
    })),
  ];
  return members.toSorted((one, other) => one.name < other.name ? -1 : one.name > other.name ? 1 : 0)
    .map(({ text }) => `  ${owner}: ${text}`);
}

function modifiersText({ accessibility, isStatic, isAbstract }: Modifiers): string {
  return [accessibility, isStatic && "static", isAbstract && "abstract"].filter(Boolean).map((word) => `${word} `).join(
    "",
  );
}
