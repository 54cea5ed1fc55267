import type { Resource as AnyResource } from "../../api/define-resource.ts";
import type { Cause } from "./errors.ts";
import type { KindDefinition } from "./kinds.ts";
import { sameJson, textOf, type RawObject } from "./objects.ts";

/** The part of a structural schema that decides what is pruned, filled in and refused. */
interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly nullable?: boolean;
  readonly pattern?: string;
  readonly format?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly [extension: `x-kubernetes-${string}`]: unknown;
}

type Resource = Pick<AnyResource<unknown>, "apiVersion" | "kind" | "plural" | "namespaced" | "crd">;
type Fields = Record<string, unknown>;

/**
 * One of our kinds, treated as its CRD says: unknown fields pruned, defaults filled in, the schema's limits a 422 with its fields. Of the
 * rules in CEL only plain patterns (`self.matches('…')`) are evaluated; a test that leans on another one hands it in as `more.validate`.
 */
export function customKind(resource: Resource, more: Pick<KindDefinition, "validate"> = {}): KindDefinition {
  const { crd, ...kind } = resource;
  const [version] = crd().spec.versions as readonly [
    { schema: { openAPIV3Schema: Schema }; selectableFields?: readonly { jsonPath: string }[] },
  ];
  const { properties = {} } = version.schema.openAPIV3Schema;
  const parts = Object.entries({ spec: properties.spec, status: properties.status }).filter(
    (part): part is [string, Schema] => part[1] !== undefined,
  );
  const paths = (version.selectableFields ?? []).map(({ jsonPath }) => jsonPath.slice(1));
  return {
    kind: kind,
    statusSubresource: true,
    selectableFields: Object.fromEntries(paths.map((path) => [path, (object: RawObject) => textAt(object, path.split("."))])),
    prune: (object) => {
      const known = new Set(["apiVersion", "kind", "metadata", ...Object.keys(properties)]);
      const unknown = Object.keys(object).filter((field) => !known.has(field));
      for (const field of unknown) delete object[field];
      return [...unknown, ...parts.flatMap(([part, schema]) => prune(object[part], schema, part))];
    },
    defaults: (object) => {
      for (const [part, schema] of parts) fillIn(object[part], schema);
      return object;
    },
    validate: (object, previous) => {
      const required = (version.schema.openAPIV3Schema.required ?? []).filter((field) => object[field] === undefined);
      const causes = parts.flatMap(([part, schema]) => (object[part] === undefined ? [] : check(object[part], schema, part)));
      return [...required.map(missing), ...causes, ...(more.validate?.(object, previous) ?? [])];
    },
  };
}

const missing = (field: string): Cause => ({ field, message: "Required value" });

function textAt(object: unknown, path: readonly string[]): string {
  return textOf(path.reduce<unknown>((value, field) => (value as Fields | undefined)?.[field], object));
}

const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);
const valuesOf = (schema: Schema): Schema | undefined =>
  typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;

/** Every child of a value that a schema speaks of. */
function children(
  value: unknown,
  schema: Schema,
  path: string,
): { readonly value: unknown; readonly schema: Schema; readonly path: string }[] {
  if (Array.isArray(value))
    return schema.items === undefined
      ? []
      : value.map((item, index) => ({ value: item, schema: schema.items!, path: `${path}[${index}]` }));
  if (!isFields(value)) return [];
  return Object.entries(value).flatMap(([field, child]) => {
    const of = schema.properties?.[field] ?? valuesOf(schema);
    return of === undefined ? [] : [{ value: child, schema: of, path: `${path}.${field}` }];
  });
}

/** Removes what the schema does not name and answers the paths; nulls of fields that may not be null go silently. */
function prune(value: unknown, schema: Schema, path: string): string[] {
  const unknown: string[] = [];
  if (isFields(value)) {
    const keepsUnknown = schema["x-kubernetes-preserve-unknown-fields"] === true || schema.additionalProperties !== undefined;
    for (const field of Object.keys(value)) {
      const of = schema.properties?.[field] ?? valuesOf(schema);
      if (of === undefined && !keepsUnknown) unknown.push(`${path}.${field}`);
      if ((of === undefined && !keepsUnknown) || (value[field] === null && of !== undefined && !of.nullable)) delete value[field];
    }
  }
  return [...unknown, ...children(value, schema, path).flatMap((child) => prune(child.value, child.schema, child.path))];
}

function fillIn(value: unknown, schema: Schema): void {
  if (isFields(value)) {
    for (const [field, { default: standard }] of Object.entries(schema.properties ?? {})) {
      if (value[field] === undefined && standard !== undefined) value[field] = structuredClone(standard);
    }
  }
  for (const child of children(value, schema, "")) fillIn(child.value, child.schema);
}

function check(value: unknown, schema: Schema, path: string): Cause[] {
  const wrong = (message: string): Cause[] => [{ field: path, message: `Invalid value: ${message}` }];
  if (value === null) return schema.nullable ? [] : wrong("null is not allowed");
  if (!hasType(value, schema)) return wrong(`must be of type ${schema.type}`);
  if (schema.enum !== undefined && !schema.enum.some((each) => sameJson(each, value))) {
    return [{ field: path, message: `Unsupported value: write one of ${schema.enum.join(", ")}` }];
  }
  const own =
    typeof value === "string"
      ? checkText(value, schema)
      : typeof value === "number"
        ? checkNumber(value, schema)
        : checkSize(value, schema);
  const absent = isFields(value) ? (schema.required ?? []).filter((field) => value[field] === undefined) : [];
  return [
    ...own.flatMap(wrong),
    ...brokenPatterns(value, schema).flatMap(wrong),
    ...repeated(value, schema).map((index) => ({ field: `${path}[${index}]`, message: "Duplicate value" })),
    ...absent.map((field) => missing(`${path}.${field}`)),
    ...children(value, schema, path).flatMap((child) => check(child.value, child.schema, child.path)),
  ];
}

const PATTERN_RULE = /^self\.matches\('([^']*)'\)$/;

function brokenPatterns(value: unknown, schema: Schema): string[] {
  const rules = (schema["x-kubernetes-validations"] ?? []) as readonly { readonly rule: string; readonly message?: string }[];
  return rules.flatMap(({ rule, message }) => {
    const pattern = PATTERN_RULE.exec(rule)?.[1];
    return pattern === undefined || new RegExp(pattern.replaceAll("\\\\", "\\"), "u").test(String(value))
      ? []
      : [message ?? `it does not match ${pattern}`];
  });
}

function hasType(value: unknown, schema: Schema): boolean {
  if (schema["x-kubernetes-int-or-string"] === true) return typeof value === "string" || Number.isInteger(value);
  switch (schema.type) {
    case "object":
      return isFields(value);
    case "array":
      return Array.isArray(value);
    case "integer":
      return Number.isInteger(value);
    case undefined:
      return true;
    default:
      return typeof value === schema.type;
  }
}

function checkText(value: string, { pattern, minLength, maxLength, format }: Schema): string[] {
  const length = Array.from(value).length;
  return [
    ...(pattern !== undefined && !new RegExp(pattern, "u").test(value) ? [`it does not match ${pattern}`] : []),
    ...(minLength !== undefined && length < minLength ? [`it must have at least ${minLength} characters`] : []),
    ...(maxLength !== undefined && length > maxLength ? [`Too long: it may have at most ${maxLength} characters`] : []),
    ...(format === "date-time" && Number.isNaN(Date.parse(value)) ? ["it is no RFC 3339 instant"] : []),
  ];
}

function checkNumber(value: number, { minimum, maximum }: Schema): string[] {
  if (minimum !== undefined && value < minimum) return [`it must be at least ${minimum}`];
  return maximum !== undefined && value > maximum ? [`it must be at most ${maximum}`] : [];
}

function checkSize(value: unknown, schema: Schema): string[] {
  if (isFields(value)) {
    const { maxProperties } = schema;
    return maxProperties !== undefined && Object.keys(value).length > maxProperties ? [`Too many: at most ${maxProperties} entries`] : [];
  }
  if (!Array.isArray(value)) return [];
  const { minItems, maxItems } = schema;
  return [
    ...(minItems !== undefined && value.length < minItems ? [`it must have at least ${minItems} items`] : []),
    ...(maxItems !== undefined && value.length > maxItems ? [`Too many: it may have at most ${maxItems} items`] : []),
  ];
}

/** Indexes of items of a set or map list that were there before. */
function repeated(value: unknown, schema: Schema): number[] {
  if (!Array.isArray(value) || !["map", "set"].includes(String(schema["x-kubernetes-list-type"]))) return [];
  const keys = schema["x-kubernetes-list-map-keys"] as readonly string[] | undefined;
  const identities = value.map((item: unknown) =>
    JSON.stringify(keys === undefined || !isFields(item) ? item : keys.map((key) => item[key])),
  );
  return identities.flatMap((identity, index) => (identities.indexOf(identity) < index ? [index] : []));
}
