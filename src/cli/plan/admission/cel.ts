import { type ASTNode, Environment } from "@marcbachmann/cel-js";

/** A rule of a kind, ready to be asked; it throws where a field that it reads is not there. Integers are given as `bigint`. */
export type CompiledRule = (self: unknown, oldSelf?: unknown) => boolean;

const compiled = new Map<string, CompiledRule>();
let environment: Environment | undefined;

/** Compiles a rule of `x-kubernetes-validations` once; throws if it is none that this evaluator understands. */
export function compileRule(rule: string): CompiledRule {
  const known = compiled.get(rule);
  if (known !== undefined) return known;
  environment ??= kubernetesCel();
  const parsed = environment.parse(rule.replaceAll(HAS, `${PRESENT}(`));
  const checked = parsed.check();
  if (!checked.valid) throw new Error(`the rule ${rule} cannot be read: ${checked.error?.message}`);
  const asked: CompiledRule = (self, oldSelf) => parsed({ self, oldSelf }) === true;
  compiled.set(rule, asked);
  return asked;
}

/** Asked of an update alone, for it compares with what was. */
export const isTransition = (rule: string): boolean => /\boldSelf\b/.test(rule);

/** The package's own `has` refuses `has(self[i].field)`, which the API server takes. */
const HAS = /\bhas\(/g;
const PRESENT = "fieldIsPresent";

class Formats {
  readonly date = new DateFormat();
}
class DateFormat {
  readonly name = "date";
}
class FormatProblems {
  readonly found: boolean;
  constructor(found: boolean) {
    this.found = found;
  }
}
class Address {
  readonly url: URL;
  constructor(url: URL) {
    this.url = url;
  }
}

/** What the macro is handed of the package: how it checks and runs the operand. */
interface Macro {
  readonly args: readonly ASTNode[];
}
interface Checker {
  check(node: ASTNode, context: unknown): unknown;
  getType(name: string): unknown;
}
interface Evaluator {
  run(node: ASTNode, context: unknown): unknown;
}

/** CEL with the libraries of the API server that our rules use: lists, regular expressions as CEL has them, URLs, and dates. */
function kubernetesCel(): Environment {
  return new Environment({ homogeneousAggregateLiterals: false })
    .registerType("Formats", Formats)
    .registerType("DateFormat", DateFormat)
    .registerType("FormatProblems", FormatProblems)
    .registerType("Address", Address)
    .registerVariable("self", "dyn")
    .registerVariable("oldSelf", "dyn")
    .registerConstant("format", "Formats", new Formats())
    .registerFunction("Formats.date(): DateFormat", ({ date }: Formats) => date)
    .registerFunction("DateFormat.validate(string): FormatProblems", (_: DateFormat, text: string) => new FormatProblems(!isDate(text)))
    .registerFunction("FormatProblems.hasValue(): bool", ({ found }: FormatProblems) => found)
    .registerFunction("isURL(string): bool", (text: string) => URL.canParse(text))
    .registerFunction("url(string): Address", (text: string) => new Address(new URL(text)))
    .registerFunction("Address.getScheme(): string", ({ url }: Address) => url.protocol.slice(0, -1))
    .registerFunction("Address.getHost(): string", ({ url }: Address) => url.host)
    .registerFunction("list.isSorted(): bool", (list: readonly bigint[]) => list.every((one, at) => at === 0 || list[at - 1]! <= one))
    .registerFunction("string.replace(string, string): string", (text: string, from: string, to: string) => text.replaceAll(from, to))
    .registerFunction(`${PRESENT}(ast): bool`, ({ args: [operand] }: Macro) => fieldIsPresent(operand));
}

/** `a.b.c` in parentheses: whether `a.b` has the field; an error where `a` has no `b`, as on the API server. */
function fieldIsPresent(operand: ASTNode | undefined) {
  if (operand?.op !== ".") throw new Error("has() asks for a field, for example has(self.version)");
  const [of, field] = operand.args;
  return {
    async: false,
    typeCheck: (checker: Checker, _: unknown, context: unknown) => {
      checker.check(of, context);
      return checker.getType("bool");
    },
    evaluate: (evaluator: Evaluator, _: unknown, context: unknown) => {
      const value = evaluator.run(of, context);
      return typeof value === "object" && value !== null && Object.hasOwn(value, field);
    },
  };
}

/** A day of the calendar, written in full: 2026-02-30 is none. */
function isDate(text: string): boolean {
  if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(text)) return false;
  const at = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
}
