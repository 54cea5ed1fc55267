import { z } from "zod";

/** An OpenAPI v3 schema of the kind that a CustomResourceDefinition takes ("structural"). */
export interface StructuralSchema {
  readonly description?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, StructuralSchema>>;
  readonly required?: readonly string[];
  readonly items?: StructuralSchema;
  readonly additionalProperties?: StructuralSchema;
  readonly [keyword: string]: unknown;
}

/** A schema says what a CRD cannot say. The message names the field and what to write instead. */
export class NotStructural extends Error {
  override readonly name = "NotStructural";
}

type JsonNode = Readonly<Record<string, unknown>>;

export interface Conversion {
  /** What a list without a list type is. Absent: it is refused. Of a status, which one writer replaces as a whole: atomic. */
  readonly listType?: "atomic";
}

/**
 * The structural schema of a zod schema, for a field called `name` in messages. Throws NotStructural for what would be refused by the
 * API server, and for what would vanish without a word: refinements without a CEL twin on the same node, transforms, coercion, lists
 * without a list type, strings, lists and maps without bounds (CEL cost needs them).
 */
export function structuralSchema(schema: z.ZodType, name: string, conversion: Conversion = {}): StructuralSchema {
  const json = z.toJSONSchema(schema, {
    target: "openapi-3.0",
    io: "input",
    unrepresentable: "throw",
    override: ({ zodSchema, jsonSchema, path }) => refuseWhatVanishes(zodSchema, jsonSchema as JsonNode, [name, ...path].join(".")),
  });
  return convert(json, name, conversion);
}

/** What zod checks or changes only in JavaScript: toJSONSchema leaves it out silently. */
function refuseWhatVanishes(schema: z.core.$ZodType, json: JsonNode, path: string): void {
  const def = schema._zod.def as { type: string; coerce?: boolean; checks?: readonly z.core.$ZodCheck[] };
  const checks = (def.checks ?? []).map((check) => check._zod.def.check);
  if (checks.includes("custom") && json["x-kubernetes-validations"] === undefined) {
    throw new NotStructural(
      `${path}: a refinement has no CEL twin; add .meta(rules({rule, message})) to the same node, before the refinement`,
    );
  }
  if (checks.includes("overwrite") || def.coerce === true || ["pipe", "transform"].includes(def.type)) {
    throw new NotStructural(`${path}: transforms and coercion do not happen in the API server; describe the value as people write it`);
  }
}

function convert(node: JsonNode, path: string, conversion: Conversion): StructuralSchema {
  if (node.anyOf !== undefined) return intOrString(node, path);
  for (const keyword of ["oneOf", "allOf", "not", "$ref", "definitions", "nullable"]) {
    if (node[keyword] !== undefined) {
      throw new NotStructural(
        `${path}: ${keyword} cannot stand in a CRD here; write one object with optional fields and a CEL rule, without .meta({id})`,
      );
    }
  }
  switch (node.type) {
    case undefined:
      return { ...extensions(node), "x-kubernetes-preserve-unknown-fields": true };
    case "object":
      return convertObject(node, path, conversion);
    case "array":
      return convertArray(node, path, conversion);
    case "string":
      return convertString(node, path);
    case "integer":
    case "number":
      return convertNumber(node, path);
    case "boolean":
      return { ...extensions(node), ...pick(node, ["type", "default"]) };
    default:
      throw new NotStructural(`${path}: type ${JSON.stringify(node.type)} is not known to a CRD`);
  }
}

function convertObject(node: JsonNode, path: string, conversion: Conversion): StructuralSchema {
  only(node, path, [
    "type",
    "default",
    "properties",
    "required",
    "additionalProperties",
    "propertyNames",
    "maxProperties",
    "minProperties",
  ]);
  const properties = node.properties as Readonly<Record<string, JsonNode>> | undefined;
  const extra = node.additionalProperties as JsonNode | false | undefined;
  const base = { ...extensions(node), ...pick(node, ["type", "default"]) };
  if (extra === false)
    throw new NotStructural(`${path}: strictObject cannot stand in a CRD, which drops unknown fields anyway; write object`);
  if (properties === undefined) {
    if (extra === undefined) return base;
    if (node.maxProperties === undefined) throw new NotStructural(`${path}: a map needs a bound; add .meta({maxProperties})`);
    return { ...base, ...pick(node, ["maxProperties", "minProperties"]), additionalProperties: convert(extra, `${path}.*`, conversion) };
  }
  if (extra !== undefined && Object.keys(extra).length > 0)
    throw new NotStructural(`${path}: catchall beside fields cannot stand in a CRD; write looseObject`);
  const converted = Object.entries(properties).map(([key, value]) => [key, convert(value, `${path}.${key}`, conversion)] as const);
  return {
    ...base,
    ...(extra === undefined ? {} : { "x-kubernetes-preserve-unknown-fields": true }),
    ...pick(node, ["required"]),
    ...(converted.length > 0 ? { properties: Object.fromEntries(converted) } : {}),
  };
}

function convertArray(node: JsonNode, path: string, conversion: Conversion): StructuralSchema {
  only(node, path, ["type", "default", "items", "minItems", "maxItems"]);
  if (node.maxItems === undefined) throw new NotStructural(`${path}: a list needs a bound; add .max(n)`);
  const items = convert((node.items ?? {}) as JsonNode, `${path}[]`, conversion);
  const listType = node["x-kubernetes-list-type"] ?? conversion.listType;
  refuseListType(listType, node, items, path);
  return { ...extensions(node), "x-kubernetes-list-type": listType, ...pick(node, ["type", "default", "minItems", "maxItems"]), items };
}

/** Every list says how appliers share it; the keys of a map list must always be there. */
function refuseListType(listType: unknown, node: JsonNode, items: StructuralSchema, path: string): void {
  if (listType === undefined) throw new NotStructural(`${path}: a list needs a list type; .meta(mapList(…)), SET_LIST or ATOMIC_LIST`);
  if (listType === "set" && items.type === "object")
    throw new NotStructural(`${path}: a set holds scalars; write mapList(…) or ATOMIC_LIST`);
  if (listType !== "map") return;
  for (const key of node["x-kubernetes-list-map-keys"] as readonly string[]) {
    const always = items.required?.includes(key) || items.properties?.[key]?.default !== undefined;
    if (!always) throw new NotStructural(`${path}: the list key ${key} must be a required field of the items, or have a default`);
  }
}

/** Formats that the API server checks. It takes no other, and reads `duration` as Go does, so we use neither that nor uri. */
const FORMATS: ReadonlySet<unknown> = new Set(["date-time", "date", "uuid", "email", "ipv4", "ipv6", "byte"]);
/** Go's RE2 has no look-around and no back-references. */
const NOT_RE2 = /\(\?[=!<]|\\[1-9]/;

function convertString(node: JsonNode, path: string): StructuralSchema {
  only(node, path, ["type", "default", "enum", "minLength", "maxLength", "pattern", "format"]);
  if (node.enum === undefined && node.maxLength === undefined) throw new NotStructural(`${path}: a string needs a bound; add .max(n)`);
  if (typeof node.pattern === "string" && NOT_RE2.test(node.pattern) && node.format === undefined) {
    throw new NotStructural(`${path}: the API server's regular expressions have no look-around and no back-references: ${node.pattern}`);
  }
  const base = { ...extensions(node), ...pick(node, ["type", "default", "enum", "maxLength"]) };
  if (node["x-kubernetes-validations"] !== undefined) return { ...base, maxLength: wordedLength(node.maxLength) };
  if (node.format === undefined) return { ...base, ...pick(node, ["minLength", "pattern"]) };
  if (!FORMATS.has(node.format))
    throw new NotStructural(`${path}: the API server does not check format ${JSON.stringify(node.format)}; write a CEL rule`);
  // zod's patterns beside a format use look-ahead in places, and the server checks the format itself.
  return { ...base, ...pick(node, ["minLength", "format"]) };
}

/**
 * The rules state the whole form (see rules() in cel.ts), and the length is a bound for their cost only: a time of day of eight
 * characters must reach the sentence that says how to write it.
 */
const wordedLength = (maxLength: unknown): number => Math.max(Number(maxLength), 64);

function convertNumber(node: JsonNode, path: string): StructuralSchema {
  only(node, path, ["type", "default", "enum", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "format"]);
  const kept = pick(node, ["type", "default", "enum", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]);
  // zod bounds every integer by what JavaScript can count; that says nothing.
  const bounds = Object.entries(kept).filter(([, value]) => value !== Number.MAX_SAFE_INTEGER && value !== Number.MIN_SAFE_INTEGER);
  return { ...extensions(node), ...Object.fromEntries(bounds), ...(node.type === "integer" ? { format: "int64" } : {}) };
}

/** The one union that a CRD can say. Bounds of its branches cannot stand beside it: its CEL rules state them. */
function intOrString(node: JsonNode, path: string): StructuralSchema {
  only(node, path, ["anyOf", "default"]);
  const branches = node.anyOf as readonly JsonNode[];
  const types = new Set(branches.map((branch) => branch.type));
  if (branches.length !== 2 || !types.has("integer") || !types.has("string"))
    throw new NotStructural(`${path}: a CRD knows no union but integer | string; write one object with optional fields and a CEL rule`);
  if (node["x-kubernetes-validations"] === undefined)
    throw new NotStructural(`${path}: integer | string needs CEL rules for the bounds of both`);
  const maxLength = branches.find((branch) => branch.type === "string")?.maxLength;
  if (maxLength === undefined) throw new NotStructural(`${path}: the string needs a bound; add .max(n)`);
  return { ...extensions(node), ...pick(node, ["default"]), "x-kubernetes-int-or-string": true, maxLength: wordedLength(maxLength) };
}

const isExtension = (key: string): boolean => key === "description" || key.startsWith("x-kubernetes-");

/** Description and `x-kubernetes-…`, as `.meta()` set them. */
const extensions = (node: JsonNode): JsonNode => Object.fromEntries(Object.entries(node).filter(([key]) => isExtension(key)));

const pick = (node: JsonNode, keys: readonly string[]): JsonNode =>
  Object.fromEntries(keys.filter((key) => node[key] !== undefined).map((key) => [key, node[key]]));

/** A keyword that nobody translated would be lost silently. */
function only(node: JsonNode, path: string, known: readonly string[]): void {
  const strange = Object.keys(node).find((key) => !known.includes(key) && !isExtension(key) && key !== "$schema");
  if (strange !== undefined) throw new NotStructural(`${path}: ${strange} has no place in a CRD`);
}
