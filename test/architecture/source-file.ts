import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { parseSync } from "rolldown/utils";

/** What an `import()` loads whose path is no literal: nobody can check it, so a layer has to allow it by this name. */
export const COMPUTED = "a computed path";

const SRC = join(import.meta.dirname, "..", "..", "src");

export interface Import {
  /** A path below src/, `../…` for what lies outside it, or a package as it is written. */
  readonly target: string;
  readonly isPackage: boolean;
  readonly how: "value" | "type" | "dynamic";
  readonly line: number;
}

export interface Finding {
  readonly text: string;
  readonly line: number;
}

export interface FunctionSpan {
  readonly name: string;
  readonly line: number;
  readonly lines: number;
}

/** A file of src/ as the architecture test sees it. */
export interface SourceFile {
  /** Below src/, with slashes. */
  readonly path: string;
  readonly isTest: boolean;
  readonly lines: number;
  readonly imports: readonly Import[];
  readonly functions: readonly FunctionSpan[];
  /** What a pure file must not name: the current time, chance, promises, the process, timers. */
  readonly impurities: readonly Finding[];
  readonly comments: readonly Finding[];
}

/** Every TypeScript file below src/. */
export function sourceFiles(): SourceFile[] {
  return readdirSync(SRC, { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path.endsWith(".ts"))
    .toSorted()
    .map((path) => sourceFile(path, readFileSync(join(SRC, path), "utf8")));
}

/** Reads one file. Files that tests share (`x.examples.ts`) count as tests. */
export function sourceFile(path: string, text: string): SourceFile {
  const { program, module, comments, errors } = parseSync(path, text, { lang: "ts" });
  if (errors.length > 0) throw new Error(`src/${path} does not parse: ${errors[0]?.message}`);
  const lineOf = (offset: number): number => text.slice(0, offset).split("\n").length;
  const nodes = [...walk(program as unknown as Node)];
  return {
    path,
    isTest: /\.(test|examples)\.ts$/.test(path),
    lines: text.trimEnd().split("\n").length,
    imports: [...staticImports(module, path, text, lineOf), ...typeImports(nodes, path, lineOf)],
    functions: nodes.flatMap((node) => functionSpan(node, lineOf)),
    impurities: nodes.flatMap((node) => impurity(node, lineOf)),
    comments: comments.map((comment) => ({ text: comment.value, line: lineOf(comment.start) })),
  };
}

type ModuleRecord = ReturnType<typeof parseSync>["module"];
type LineOf = (offset: number) => number;

function staticImports(module: ModuleRecord, path: string, text: string, lineOf: LineOf): Import[] {
  const imports = module.staticImports.map(({ moduleRequest, entries, start }) => {
    const onlyTypes = entries.length > 0 && entries.every((entry) => entry.isType);
    return { ...target(path, moduleRequest.value), how: onlyTypes ? ("type" as const) : ("value" as const), line: lineOf(start) };
  });
  const exported = module.staticExports.flatMap(({ entries, start }) =>
    entries.flatMap(({ moduleRequest, isType }) =>
      moduleRequest
        ? [{ ...target(path, moduleRequest.value), how: isType ? ("type" as const) : ("value" as const), line: lineOf(start) }]
        : [],
    ),
  );
  const dynamic = module.dynamicImports.map(({ moduleRequest, start }) => {
    const written = text.slice(moduleRequest.start, moduleRequest.end);
    const literal = /^(["'`])([^$]*)\1$/.exec(written)?.[2];
    const loaded = literal === undefined ? { target: COMPUTED, isPackage: false } : target(path, literal);
    return { ...loaded, how: "dynamic" as const, line: lineOf(start) };
  });
  return [...imports, ...exported, ...dynamic];
}

/** `import("./x.ts").X` in the place of a type. */
function typeImports(nodes: readonly Node[], path: string, lineOf: LineOf): Import[] {
  return nodes
    .filter((node) => node.type === "TSImportType")
    .map((node) => ({
      ...target(path, String((node.source as { value?: unknown } | undefined)?.value)),
      how: "type",
      line: lineOf(node.start),
    }));
}

function target(path: string, request: string): Pick<Import, "target" | "isPackage"> {
  if (!request.startsWith(".")) return { target: packageOf(request), isPackage: true };
  return { target: posix.normalize(posix.join(posix.dirname(path), request)), isPackage: false };
}

function packageOf(request: string): string {
  if (request.startsWith("node:")) return request;
  return request
    .split("/")
    .slice(0, request.startsWith("@") ? 2 : 1)
    .join("/");
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string" && "start" in value;

function* walk(node: Node): Generator<Node> {
  yield node;
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) yield* walk(child);
  }
}

const FUNCTIONS = new Set(["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"]);

function functionSpan(node: Node, lineOf: LineOf): FunctionSpan[] {
  if (!FUNCTIONS.has(node.type) || !isNode(node.body)) return [];
  const line = lineOf(node.start);
  const name = isNode(node.id) ? String(node.id.name) : "a function";
  return [{ name, line, lines: lineOf(node.end) - line + 1 }];
}

const AMBIENT = new Set(["Promise", "process", "console", "performance", "fetch", "crypto", "globalThis"]);
const TIMERS = new Set(["setTimeout", "setInterval", "setImmediate", "queueMicrotask"]);
const AMBIENT_MEMBERS = new Set(["Date.now", "Math.random", "DateTime.now", "DateTime.local", "DateTime.utc"]);

function impurity(node: Node, lineOf: LineOf): Finding[] {
  const found = impureText(node);
  return found === undefined ? [] : [{ text: found, line: lineOf(node.start) }];
}

function impureText(node: Node): string | undefined {
  if (node.type === "AwaitExpression") return "await";
  if (FUNCTIONS.has(node.type) && node.async === true) return "async";
  if (node.type === "ImportExpression") return "import()";
  if (node.type === "NewExpression" && nameOf(node.callee) === "Date" && (node.arguments as readonly unknown[]).length === 0)
    return "new Date()";
  if (node.type === "MemberExpression") {
    const member = `${nameOf(node.object)}.${nameOf(node.property)}`;
    if (AMBIENT_MEMBERS.has(member)) return member;
    return AMBIENT.has(nameOf(node.object)) ? member : undefined;
  }
  if (node.type === "CallExpression")
    return TIMERS.has(nameOf(node.callee)) || nameOf(node.callee) === "Date" ? `${nameOf(node.callee)}()` : undefined;
  if (node.type === "NewExpression" || node.type === "TSTypeReference") {
    const name = nameOf(node.callee ?? node.typeName);
    return name === "Promise" ? name : undefined;
  }
  return undefined;
}

const nameOf = (node: unknown): string => (isNode(node) && node.type === "Identifier" ? String(node.name) : "");
