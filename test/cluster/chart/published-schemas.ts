// JSON schemas for kubeconform out of what an API server publishes of its own kinds: those of the cluster that is meant, custom kinds
// included, and nothing is fetched from anywhere else.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly format?: string;
  readonly "x-kubernetes-group-version-kind"?: readonly { readonly group: string; readonly version: string; readonly kind: string }[];
  readonly [keyword: string]: unknown;
}

/** Writes `kind-group-version.json` for every kind of /openapi/v2 into the folder; the location that kubeconform is given. */
export function writeSchemas(openapi: { readonly definitions: Readonly<Record<string, Schema>> }, folder: string): string {
  mkdirSync(folder, { recursive: true });
  const definitions = Object.fromEntries(Object.entries(openapi.definitions).map(([name, schema]) => [name, strict(schema)]));
  writeFileSync(join(folder, "definitions.json"), JSON.stringify({ definitions }));
  for (const [name, schema] of Object.entries(openapi.definitions)) {
    for (const { group, version, kind } of schema["x-kubernetes-group-version-kind"] ?? []) {
      // Kubeconform's own way to name a file: the first word of the group.
      const suffix = [group.split(".")[0], version].filter((part) => part !== "").join("-");
      writeFileSync(
        join(folder, `${kind.toLowerCase()}-${suffix}.json`),
        JSON.stringify({ $ref: `definitions.json#/definitions/${name}` }),
      );
    }
  }
  return join(folder, "{{.ResourceKind}}{{.KindSuffix}}.json");
}

/** Refuses fields that are not named; a port may be a number or a name, which OpenAPI 2 cannot say. */
function strict(schema: Schema): Schema {
  if (schema.format === "int-or-string") return { type: ["integer", "string"] };
  const { properties, items, additionalProperties } = schema;
  return {
    ...schema,
    ...(typeof schema["$ref"] === "string" ? { $ref: schema["$ref"] } : {}),
    ...(properties === undefined
      ? {}
      : {
          additionalProperties: false,
          properties: Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, strict(one)])),
        }),
    ...(items === undefined ? {} : { items: strict(items) }),
    ...(typeof additionalProperties === "object" ? { additionalProperties: strict(additionalProperties) } : {}),
  };
}
