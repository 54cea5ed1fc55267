import { API_VERSION } from "../../../api/common.ts";
import { allResources } from "../../../api/resources.ts";
import type { StructuralSchema } from "../../../api/structural-schema.ts";
import { type Refused, schemaRefusals, withDefaults } from "./schema-check.ts";

type Fields = Readonly<Record<string, unknown>>;

/** What the API server would refuse of an object of this kind: where, the sentence, and both in a line. */
export type Admission = (kind: string, object: Fields) => readonly (Refused & { readonly text: string })[];

const schemas = new Map<string, StructuralSchema>();

/** The schema of a kind as its CRD has it, without the status, which nobody writes who writes a manifest. */
function schemaOf(kind: string): StructuralSchema {
  const known = schemas.get(kind);
  if (known !== undefined) return known;
  const { versions } = allResources.find((resource) => resource.kind === kind)!.crd().spec as {
    readonly versions?: readonly { readonly schema: { readonly openAPIV3Schema: StructuralSchema } }[];
  };
  const { openAPIV3Schema: whole } = versions![0]!.schema;
  const { status: _, ...properties } = whole.properties ?? {};
  const schema = { ...whole, properties };
  schemas.set(kind, schema);
  return schema;
}

/**
 * What the API server would refuse of an object of ours by its name, its version, the rules (CEL) and the list types of its CRD; of an
 * update of `old` also what may not change. Types and required fields are not asked here.
 */
function refusals(kind: string, object: Fields, old?: Fields): readonly Refused[] {
  const schema = schemaOf(kind);
  const value = withDefaults(schema, object);
  const before = old === undefined ? undefined : withDefaults(schema, old);
  return [...headRefusals(object), ...schemaRefusals(schema, value, "", before)];
}

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/;
const QUALIFIED = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

/** apiVersion and metadata, as of every object. */
function headRefusals({ apiVersion, metadata }: Fields): Refused[] {
  const { name, namespace, labels, annotations } = (metadata ?? {}) as Fields;
  const found: Refused[] = [];
  if (apiVersion === undefined) found.push({ path: "apiVersion", message: `it is missing: write ${API_VERSION}` });
  else if (apiVersion !== API_VERSION) found.push(refused("apiVersion", apiVersion, `write ${API_VERSION}`));
  if (typeof name !== "string" || name.length > 253 || !SUBDOMAIN.test(name))
    found.push(
      refused("metadata.name", name, "write lower-case letters, digits, hyphens and points, a letter or digit first and last, at most 253"),
    );
  if (namespace !== undefined && (typeof namespace !== "string" || namespace.length > 63 || !LABEL.test(namespace)))
    found.push(
      refused(
        "metadata.namespace",
        namespace,
        "write lower-case letters, digits and hyphens, a letter or digit first and last, at most 63",
      ),
    );
  return [...found, ...labelRefusals(labels), ...annotationRefusals(annotations)];
}

function labelRefusals(labels: unknown): Refused[] {
  if (typeof labels !== "object" || labels === null) return [];
  return Object.entries(labels).flatMap(([key, value]) => {
    const path = `metadata.labels[${key}]`;
    if (!QUALIFIED.test(key)) return [{ path, message: "write a key such as rollward.dev/pop or stage" }];
    if (typeof value === "string" && value.length <= 63 && LABEL_VALUE.test(value)) return [];
    return [
      refused(path, value, "write a text of letters, digits, hyphens, underscores and points, at most 63, in quotes where it is a number"),
    ];
  });
}

const annotationRefusals = (annotations: unknown): Refused[] =>
  typeof annotations !== "object" || annotations === null
    ? []
    : Object.entries(annotations)
        .filter(([, value]) => typeof value !== "string")
        .map(([key, value]) => refused(`metadata.annotations[${key}]`, value, `write a text in quotation marks, "${String(value)}"`));

/** The admission of what is created, or takes the place of what `standing` finds. */
export const admissionOver =
  (standing: (kind: string, object: Fields) => Fields | undefined): Admission =>
  (kind, object) =>
    refusals(kind, object, standing(kind, object)).map((one) => ({ ...one, text: refusalText(one) }));

const refused = (path: string, value: unknown, message: string): Refused =>
  typeof value === "string" || typeof value === "number" ? { path, message, value } : { path, message };

/** `spec.version is "v2"; write …`; where a whole list or mapping is refused: `spec.waves: …`. */
function refusalText({ path, message, value }: Refused): string {
  if (path === "") return message;
  if (value === undefined) return `${path}: ${message}`;
  return `${path} is ${JSON.stringify(value).slice(0, 60)}${message.startsWith("write ") ? ";" : ":"} ${message}`;
}
