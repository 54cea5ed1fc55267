import { REVISION_LABEL } from "../../api/names.ts";
import type { PopAction } from "../../core/pop-cluster/action.ts";
import { DAEMON_SET, type DaemonSetObject } from "../kinds.ts";
import type { Cluster } from "../ports.ts";

/** P16: first OnDelete, then, seen as observed, the affinity that keeps the old DaemonSet off nodes with our label. */
export async function adoptDaemonSet(
  site: Cluster,
  namespace: string,
  { name, uid, step }: Extract<PopAction, { kind: "AdoptDaemonSet" }>,
): Promise<void> {
  const found = await site.get(DAEMON_SET, name, namespace);
  if (!found || found.metadata.uid !== uid) return;
  await site.update(DAEMON_SET, step === "OnDelete" ? onDelete(found) : excludingOurNodes(found));
}

const onDelete = (set: DaemonSetObject): DaemonSetObject => ({ ...set, spec: { ...set.spec, updateStrategy: { type: "OnDelete" } } });

interface Affinity {
  readonly nodeAffinity?: {
    readonly requiredDuringSchedulingIgnoredDuringExecution?: {
      readonly nodeSelectorTerms?: readonly { readonly matchExpressions?: readonly unknown[] }[];
    };
  };
}

/** Terms are alternatives, so each of them gets the condition; without any there is one new term. */
function excludingOurNodes(set: DaemonSetObject): DaemonSetObject {
  const affinity = (set.spec.template.spec.affinity ?? {}) as Affinity;
  const absent = { key: REVISION_LABEL, operator: "DoesNotExist" };
  const terms = affinity.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [{}];
  const nodeSelectorTerms = terms.map((term) => ({ ...term, matchExpressions: [...(term.matchExpressions ?? []), absent] }));
  const nodeAffinity = { ...affinity.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } };
  const spec = { ...set.spec.template.spec, affinity: { ...affinity, nodeAffinity } };
  return { ...set, spec: { ...set.spec, template: { ...set.spec.template, spec } } };
}
