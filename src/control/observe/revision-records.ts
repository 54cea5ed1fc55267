import { POP_LABEL, POP_REVISION_LABEL } from "../../api/names.ts";
import type { PodTemplate } from "../../api/pop-cluster.ts";
import type { RevisionRecord } from "../../core/pop-cluster/observation.ts";
import type { ControllerRevisionObject } from "../kinds.ts";

/** Annotations of a record that carry a failed verdict (rule G8). */
export const FAILED_AT_ANNOTATION = "rollward.dev/failed-at";
export const FAILED_EVIDENCE_ANNOTATION = "rollward.dev/failed-evidence";

/** A ControllerRevision as the record of a PoP's revision; undefined when it is none of ours. */
export function recordFrom(object: ControllerRevisionObject, pop: string): RevisionRecord | undefined {
  const labels = object.metadata.labels ?? {};
  const written = object.data as { readonly version?: unknown; readonly template?: unknown } | undefined;
  const revision = labels[POP_REVISION_LABEL];
  if (labels[POP_LABEL] !== pop || revision === undefined || typeof written?.version !== "string" || !written.template) return undefined;
  const at = object.metadata.annotations?.[FAILED_AT_ANNOTATION];
  return {
    name: object.metadata.name,
    revision,
    version: written.version,
    template: written.template as PodTemplate,
    number: object.revision,
    ...(at ? { failed: { at, evidence: object.metadata.annotations?.[FAILED_EVIDENCE_ANNOTATION] ?? "" } } : {}),
  };
}
