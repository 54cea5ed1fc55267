import { createHash } from "node:crypto";
import { revisionLabelValue } from "../../api/names.ts";
import type { PodTemplate } from "../../api/pop-cluster.ts";
import { canonicalJson } from "../canonical-json.ts";
import { oncePer } from "../once-per.ts";
import { base32 } from "../rollout/order.ts";

/** The pseudo-revision of a data plane that ran before Rollward took it over: nodes without our label (rule P16). */
export const NO_REVISION = "none";

/**
 * The revision: the first 10 characters of lower-case base32(sha256(canonical JSON of the user's template and the version)). Of the
 * user's text, never of what we add, so that an upgrade of the operator rolls nothing (kinds: Revision).
 */
export const revisionOf = oncePer((template: PodTemplate, version: string): string =>
  base32(createHash("sha256").update(canonicalJson({ template, version })).digest()).slice(0, 10),
);

/** The label that puts a node on a revision; for the adopted data plane that is no label at all. */
export const labelFor = (pop: string, revision: string): string | undefined =>
  revision === NO_REVISION ? undefined : revisionLabelValue(pop, revision);

/** Replaces `${version}` in every image of the template. */
export function withVersion(template: PodTemplate, version: string): PodTemplate {
  const containers = template.spec.containers.map((container) => ({
    ...container,
    image: container.image.replaceAll("${version}", version),
  }));
  const init = (template.spec as { initContainers?: { image?: string }[] }).initContainers?.map((container) => ({
    ...container,
    ...(container.image === undefined ? {} : { image: container.image.replaceAll("${version}", version) }),
  }));
  return { ...template, spec: { ...template.spec, containers, ...(init ? { initContainers: init } : {}) } };
}

/** The images that a revision runs, version filled in. */
export function imagesOf(template: PodTemplate, version: string): string[] {
  const { spec } = withVersion(template, version) as {
    readonly spec: {
      readonly containers: readonly { readonly image: string }[];
      readonly initContainers?: readonly { readonly image?: string }[];
    };
  };
  return [...new Set([...spec.containers, ...(spec.initContainers ?? [])].flatMap(({ image }) => image ?? []))];
}
