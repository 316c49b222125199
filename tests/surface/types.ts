/**
 * Types and signatures as `deno doc --json` has them, written as TypeScript on one line.
 *
 * @module
 */

/** The type of something. What `value` is depends on `kind`. */
export interface TypeNode {
  kind: string;
  repr?: string;
  value?: unknown;
}

/** A parameter of a function. */
export interface ParameterNode {
  kind: string;
  name?: string;
  optional?: boolean;
  tsType?: TypeNode;
  /** Of a parameter with a default value. */
  left?: ParameterNode;
  /** Of a rest parameter. */
  arg?: ParameterNode;
}

/** A parameter of a generic type or function. */
export interface TypeParameterNode {
  name: string;
  constraint?: TypeNode;
  default?: TypeNode;
}

/** A function, or a type of functions. */
export interface SignatureNode {
  params: ParameterNode[];
  returnType?: TypeNode;
  typeParams?: TypeParameterNode[];
}

/** A property of an interface, a class or a type literal. */
export interface PropertyNode {
  name: string;
  optional?: boolean;
  readonly?: boolean;
  computed?: boolean;
  tsType?: TypeNode;
}

/** A method of an interface, a class or a type literal. */
export interface MethodNode extends SignatureNode {
  name: string;
  kind: "method" | "getter" | "setter";
  optional?: boolean;
}

interface TypeLiteral {
  properties?: PropertyNode[];
  methods?: MethodNode[];
}

/** A type. Throws for a kind that is not known here, so that none is left out. */
export function typeText(node: TypeNode | undefined): string {
  if (node === undefined) return "unknown";
  const write = WRITERS[node.kind];
  if (write === undefined) throw new TypeError(`Unknown kind of type: ${JSON.stringify(node)}`);
  return write(node.value as never, node.repr ?? "");
}

/** Parameters and result: "(p: Uint8Array, options?: WaitOptions): Promise<number>". */
export function signatureText({ params, returnType, typeParams }: SignatureNode, arrow = ": "): string {
  const result = returnType === undefined ? "" : `${arrow}${typeText(returnType)}`;
  return `${typeParametersText(typeParams)}(${params.map(parameterText).join(", ")})${result}`;
}

/** "<T extends Socket = Socket>", or nothing. */
export function typeParametersText(parameters: readonly TypeParameterNode[] = []): string {
  const texts = parameters.map(({ name, constraint, default: standard }) =>
    name + (constraint ? ` extends ${typeText(constraint)}` : "") + (standard ? ` = ${typeText(standard)}` : "")
  );
  return texts.length === 0 ? "" : `<${texts.join(", ")}>`;
}

/** "<number>", or nothing. */
export function typeArgumentsText(given: readonly TypeNode[] = []): string {
  return given.length === 0 ? "" : `<${given.map(typeText).join(", ")}>`;
}

/** "readonly name?: string". */
export function propertyText({ name, optional, readonly, tsType }: PropertyNode): string {
  return `${readonly ? "readonly " : ""}${name}${optional ? "?" : ""}: ${typeText(tsType)}`;
}

/** "get fd: number", "close(): void". */
export function methodText(
  name: string,
  kind: MethodNode["kind"],
  optional: boolean,
  signature: SignatureNode,
): string {
  if (kind === "getter") return `get ${name}: ${typeText(signature.returnType)}`;
  if (kind === "setter") return `set ${name}: ${typeText(signature.params[0]?.tsType)}`;
  return `${name}${optional ? "?" : ""}${signatureText(signature)}`;
}

function parameterText({ kind, name, optional, tsType, left, arg }: ParameterNode): string {
  switch (kind) {
    case "identifier":
      return `${name}${optional ? "?" : ""}: ${typeText(tsType)}`;
    case "assign":
      return parameterText({ ...left!, optional: true });
    case "rest":
      return `...${arg!.name}: ${typeText(tsType ?? arg!.tsType)}`;
    case "object":
      return `{}${optional ? "?" : ""}: ${typeText(tsType)}`;
    case "array":
      return `[]${optional ? "?" : ""}: ${typeText(tsType)}`;
  }
  throw new TypeError(`Unknown kind of parameter: ${kind}`);
}

function literalText({ properties = [], methods = [] }: TypeLiteral): string {
  const members = [
    ...properties.map(propertyText),
    ...methods.map((method) => methodText(method.name, method.kind, method.optional ?? false, method)),
  ];
  return members.length === 0 ? "{}" : `{ ${members.join("; ")} }`;
}

/** How each kind of type is written. */
const WRITERS: Readonly<Record<string, (value: never, repr: string) => string>> = {
  keyword: (_value, repr) => repr,
  this: () => "this",
  literal: ({ kind }: { kind: string }, repr) => kind === "string" ? JSON.stringify(repr) : repr,
  typeRef: ({ typeName, typeParams }: { typeName: string; typeParams?: TypeNode[] }) =>
    typeName + typeArgumentsText(typeParams),
  typeQuery: (_value, repr) => `typeof ${repr}`,
  typePredicate: (_value, repr) => repr,
  union: (types: TypeNode[]) => types.map(typeText).join(" | "),
  intersection: (types: TypeNode[]) => types.map(typeText).join(" & "),
  tuple: (types: TypeNode[]) => `[${types.map(typeText).join(", ")}]`,
  array: (type: TypeNode) => `${typeText(type)}[]`,
  parenthesized: (type: TypeNode) => `(${typeText(type)})`,
  optional: (type: TypeNode) => `${typeText(type)}?`,
  rest: (type: TypeNode) => `...${typeText(type)}`,
  typeOperator: ({ operator, tsType }: { operator: string; tsType: TypeNode }) => `${operator} ${typeText(tsType)}`,
  indexedAccess: ({ objType, indexType }: { objType: TypeNode; indexType: TypeNode }) =>
    `${typeText(objType)}[${typeText(indexType)}]`,
  typeLiteral: literalText,
  fnOrConstructor: ({ constructor, tsType, params, typeParams = [] }: {
    constructor: boolean;
    tsType: TypeNode;
    params: ParameterNode[];
    typeParams?: TypeParameterNode[];
  }) => `${constructor ? "new " : ""}${signatureText({ params, returnType: tsType, typeParams }, " => ")}`,
};
