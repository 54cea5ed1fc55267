import type { Cause } from "./errors.ts";
import type { RawMeta } from "./objects.ts";

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const QUALIFIED_PART = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
const ANNOTATIONS_LIMIT = 256 * 1024;

/** What the API server refuses in anybody's metadata. A label that is too long must fail here, not first in production. */
export function metadataCauses(metadata: RawMeta, previous: RawMeta | undefined): Cause[] {
  const causes: Cause[] = [];
  const refuse = (field: string, message: string) => causes.push({ field: `metadata.${field}`, message: `Invalid value: ${message}` });
  if (metadata.name.length > 253 || !SUBDOMAIN.test(metadata.name)) {
    refuse("name", `"${metadata.name}" is no lower-case RFC 1123 subdomain of at most 253 characters`);
  }
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    if (!isQualifiedName(key)) refuse("labels", `"${key}" is no label key`);
    if (typeof value !== "string" || !LABEL_VALUE.test(value)) refuse("labels", `"${value}" is no label value of at most 63 characters`);
  }
  const annotations = Object.entries(metadata.annotations ?? {});
  for (const [key, value] of annotations) {
    if (!isQualifiedName(key.toLowerCase())) refuse("annotations", `"${key}" is no annotation key`);
    if (typeof value !== "string") refuse("annotations", `the value of ${key} is no string`);
  }
  if (annotations.reduce((size, [key, value]) => size + key.length + value.length, 0) > ANNOTATIONS_LIMIT) {
    causes.push({ field: "metadata.annotations", message: "Too long: may not be more than 262144 bytes" });
  }
  for (const [index, finalizer] of (metadata.finalizers ?? []).entries()) {
    if (!isQualifiedName(finalizer) || !(finalizer.includes("/") || STANDARD_FINALIZERS.has(finalizer))) {
      refuse(`finalizers[${index}]`, `"${finalizer}" must be a qualified name, for example example.com/name`);
    }
  }
  if (previous?.deletionTimestamp !== undefined) {
    const added = (metadata.finalizers ?? []).filter((finalizer) => !previous.finalizers?.includes(finalizer));
    if (added.length > 0)
      causes.push({ field: "metadata.finalizers", message: `Forbidden: ${added.join(", ")} cannot be added, the object is being deleted` });
  }
  return causes;
}

const STANDARD_FINALIZERS = new Set(["orphan", "foregroundDeletion", "kubernetes"]);

function isQualifiedName(key: string): boolean {
  const slash = key.indexOf("/");
  const [prefix, name] = slash < 0 ? [undefined, key] : [key.slice(0, slash), key.slice(slash + 1)];
  return QUALIFIED_PART.test(name) && (prefix === undefined || (prefix.length <= 253 && SUBDOMAIN.test(prefix)));
}
