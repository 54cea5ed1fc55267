import type { StructuralSchema } from "../../../api/structural-schema.ts";
import type { CelRule } from "../../../api/cel.ts";
import { compileRule, isTransition } from "./cel.ts";

/** What the API server refuses at one field; `path` is `spec.waves[1].name`. */
export interface Refused {
  readonly path: string;
  readonly message: string;
  /** A text or a number, as it stands there. */
  readonly value?: string | number;
}

type Fields = Readonly<Record<string, unknown>>;
const isMap = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);

/** The value with what the API server fills in before it looks at rules; the given one is left as it is. */
export function withDefaults(schema: StructuralSchema, value: unknown): unknown {
  if (Array.isArray(value)) return schema.items === undefined ? value : value.map((item) => withDefaults(schema.items!, item));
  if (!isMap(value)) return value;
  const { properties = {}, additionalProperties } = schema;
  const filled = Object.entries(properties)
    .filter(([name, property]) => value[name] === undefined && property["default"] !== undefined)
    .map(([name, property]) => [name, withDefaults(property, property["default"])] as const);
  const kept = Object.entries(value).map(([name, field]) => {
    const of = properties[name] ?? additionalProperties;
    return [name, of === undefined ? field : withDefaults(of, field)] as const;
  });
  return Object.fromEntries([...kept, ...filled]);
}

/**
 * What the rules (CEL) and list types of a schema refuse of a value with its defaults, `old` being what stands there when it is an
 * update: rules that compare with it are asked then alone. A rule of a value of another type, or that reads a field that is missing, says
 * nothing: types and required fields are asked elsewhere.
 */
export function schemaRefusals(schema: StructuralSchema, value: unknown, path: string, old?: unknown): Refused[] {
  if (value === undefined || value === null || !isOfType(schema, value)) return [];
  const broken = brokenRules(schema, value, path, old);
  if (Array.isArray(value)) {
    const { items } = schema;
    const twice = duplicates(schema, value, path);
    return [
      ...broken,
      ...twice,
      ...(items === undefined ? [] : value.flatMap((item, at) => schemaRefusals(items, item, `${path}[${at}]`))),
    ];
  }
  if (!isMap(value)) return broken;
  const { properties = {}, additionalProperties } = schema;
  const before = isMap(old) ? old : {};
  const inside = Object.entries(value).flatMap(([name, field]) => {
    const of = properties[name] ?? additionalProperties;
    return of === undefined ? [] : schemaRefusals(of, field, path === "" ? name : `${path}.${name}`, before[name]);
  });
  return [...broken, ...inside];
}

const isOfType = ({ type }: StructuralSchema, value: unknown): boolean => {
  if (type === "object") return isMap(value);
  if (type === "array") return Array.isArray(value);
  if (type === "integer" || type === "number") return typeof value === "number";
  return type === undefined || typeof value === type;
};

function brokenRules(schema: StructuralSchema, value: unknown, path: string, old: unknown): Refused[] {
  const rules = (schema["x-kubernetes-validations"] ?? []) as readonly CelRule[];
  const asked = rules.filter(({ rule }) => old !== undefined || !isTransition(rule));
  if (asked.length === 0) return [];
  const [self, oldSelf] = [celValue(value), old === undefined ? undefined : celValue(old)];
  return asked
    .filter(({ rule }) => !holds(rule, self, oldSelf))
    .map(({ message, fieldPath = "" }) => {
      const at = `${path}${fieldPath}`.replace(/^\./, "");
      const scalar = fieldPath === "" && (typeof value === "string" || typeof value === "number");
      return scalar ? { path: at, message, value } : { path: at, message };
    });
}

function holds(rule: string, self: unknown, oldSelf: unknown): boolean {
  const asked = compileRule(rule);
  try {
    return asked(self, oldSelf);
  } catch {
    return true;
  }
}

/** Whole numbers are `int` in CEL; fields that are not there are not there. */
function celValue(value: unknown): unknown {
  if (typeof value === "number") return Number.isInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(celValue);
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => field !== undefined && field !== null)
      .map(([name, field]) => [name, celValue(field)]),
  );
}

/** Items of a list whose items are told apart, that are not. */
function duplicates(schema: StructuralSchema, items: readonly unknown[], path: string): Refused[] {
  const type = schema["x-kubernetes-list-type"];
  if (type !== "map" && type !== "set") return [];
  const keys = (schema["x-kubernetes-list-map-keys"] ?? []) as readonly string[];
  const keyOf = (item: unknown): unknown => (type === "set" ? item : keys.map((key) => (isMap(item) ? item[key] : undefined)));
  const seen = new Map<string, number>();
  return items.flatMap((item, at) => {
    const key = JSON.stringify(keyOf(item)) ?? "";
    const first = seen.get(key);
    if (first === undefined) {
      seen.set(key, at);
      return [];
    }
    const same =
      type === "set" ? JSON.stringify(item) : keys.map((name) => `${name} ${JSON.stringify(isMap(item) ? item[name] : item)}`).join(", ");
    return [{ path: `${path}[${at}]`, message: `${same} stands in ${path}[${first}] already; write another one, or leave it out` }];
  });
}
