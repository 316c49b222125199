/**
 * What can be changed in a source: one operator, literal or call at a time.
 *
 * @module
 */
import ts from "npm:typescript@5.9.3";

/** One change: characters `start` to `end` become `text`. */
export interface Mutation {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Operators and what they are changed into. */
const OPERATORS: Readonly<Record<string, string>> = {
  "===": "!==",
  "!==": "===",
  "<": "<=",
  "<=": "<",
  ">": ">=",
  ">=": ">",
  "+": "-",
  "-": "+",
  "*": "/",
  "/": "*",
  "&&": "||",
  "||": "&&",
  "&": "|",
  "|": "&",
  "<<": ">>",
  ">>>": ">>",
  "+=": "-=",
  "-=": "+=",
  "|=": "&=",
};

function ofNode(node: ts.Node, source: ts.SourceFile): Mutation[] {
  const start = node.getStart(source);
  const end = node.getEnd();
  if (ts.isBinaryExpression(node)) {
    const operator = node.operatorToken;
    const text = OPERATORS[operator.getText(source)];
    return text === undefined ? [] : [{ start: operator.getStart(source), end: operator.getEnd(), text }];
  }
  if (ts.isNumericLiteral(node)) return [{ start, end, text: String(Number(node.text) + 1) }];
  if (node.kind === ts.SyntaxKind.TrueKeyword) return [{ start, end, text: "false" }];
  if (node.kind === ts.SyntaxKind.FalseKeyword) return [{ start, end, text: "true" }];
  if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken) {
    return [{ start, end: node.operand.getStart(source), text: "" }];
  }
  if (ts.isExpressionStatement(node) && ts.isCallExpression(node.expression)) return [{ start, end, text: ";" }];
  return [];
}

/** Tables of other systems, which the layout checker and the double are for. */
const OTHER_SYSTEM = /^(bsd|macos|freebsd)[A-Z]/;

/** Types and imports are not run, nor tables of other systems; what only words the text of an error is left to
 * tests/errors/. */
function isRun(node: ts.Node): boolean {
  if (ts.isVariableDeclaration(node) && OTHER_SYSTEM.test(node.name.getText())) return false;
  if (ts.isTemplateExpression(node) && isThrown(node)) return false;
  return !ts.isTypeNode(node) && !ts.isImportDeclaration(node) && !ts.isInterfaceDeclaration(node) &&
    !ts.isTypeAliasDeclaration(node);
}

/** Whether an expression is part of the error that a statement throws. */
function isThrown(node: ts.Node): boolean {
  let outer = node;
  while (ts.isExpression(outer)) outer = outer.parent;
  return ts.isThrowStatement(outer);
}

/** Every change that can be made in a source. */
export function mutationsOf(path: string, text: string): Mutation[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found: Mutation[] = [];
  function visit(node: ts.Node): void {
    if (!isRun(node)) return;
    found.push(...ofNode(node, source));
    ts.forEachChild(node, visit);
  }
  visit(source);
  return found;
}

/** The source with a change made in it. */
export function mutated(text: string, { start, end, text: replacement }: Mutation): string {
  return text.slice(0, start) + replacement + text.slice(end);
}

/** Where a change is, and what it is: "120:14 `===` becomes `!==`". */
export function described(text: string, { start, end, text: replacement }: Mutation): string {
  const before = text.slice(0, start).split("\n");
  const shown = (part: string) => part === "" || part === ";" ? "nothing" : `\`${part.split("\n")[0]}\``;
  return `${before.length}:${before.at(-1)!.length + 1} ${shown(text.slice(start, end))} becomes ${shown(replacement)}`;
}
