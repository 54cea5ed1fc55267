import { createHash } from "node:crypto";
import { DAEMON_SET, type DaemonSetObject, type NodeObject, type PodObject, type PodSpec } from "../control/kinds.ts";
import type { Draft } from "../control/ports.ts";
import { oncePer } from "../core/once-per.ts";
import { affinityTerms, daemonTolerations, selectsNode, untolerated } from "./cluster/node-fit.ts";
import { isReady } from "./cluster/subresources.ts";

/** What the DaemonSet controller decides of one DaemonSet, its nodes and its pods: nothing here reads or writes. */

export const HASH_LABEL = "controller-revision-hash";
const GENERATION_LABEL = "pod-template-generation";
const GENERATION_ANNOTATION = "deprecated.daemonset.template.generation";

/** One DaemonSet as one sync sees it. */
export interface Sight {
  readonly daemonSet: DaemonSetObject;
  readonly hash: string;
  readonly nodes: readonly NodeObject[];
  readonly podsByNode: ReadonlyMap<string, readonly PodObject[]>;
}

export const hasEnded = ({ status }: PodObject): boolean => status?.phase === "Failed" || status?.phase === "Succeeded";

export const byAge = (a: PodObject, b: PodObject): number =>
  (a.metadata.creationTimestamp ?? "").localeCompare(b.metadata.creationTimestamp ?? "") || (a.metadata.name < b.metadata.name ? -1 : 1);

/** Where it is, or, while unbound, where it was made for. */
export function targetNode(pod: PodObject): string | undefined {
  return pod.spec.nodeName ?? affinityTerms(pod.spec)?.[0]?.matchFields?.find(({ key }) => key === "metadata.name")?.values?.[0];
}

/** Whether a new pod should start on the node, and whether one that is there may stay: NoSchedule keeps pods out but drives none away. */
export function verdict(daemonSet: DaemonSetObject, node: NodeObject): { readonly shouldRun: boolean; readonly shouldStay: boolean } {
  const spec = daemonSet.spec.template.spec;
  if (!selectsNode(spec, node)) return { shouldRun: false, shouldStay: false };
  const tolerant = { ...spec, tolerations: daemonTolerations(spec) } as unknown as PodSpec;
  const shouldStay = untolerated(tolerant, node, ["NoExecute"]).length === 0;
  return { shouldRun: shouldStay && untolerated(tolerant, node, ["NoSchedule"]).length === 0, shouldStay };
}

const hashOf = oncePer((template: DaemonSetObject["spec"]["template"], length: number): string =>
  createHash("sha256").update(JSON.stringify(template)).digest("hex").slice(0, length),
);

export const templateHash = ({ spec }: DaemonSetObject): string => hashOf(spec.template, 10);

export const ownerOf = ({ metadata: { name, uid } }: DaemonSetObject) => ({
  apiVersion: DAEMON_SET.apiVersion,
  kind: DAEMON_SET.kind,
  name,
  uid,
  controller: true,
  blockOwnerDeletion: true,
});

export function podFor({ daemonSet, hash }: Sight, node: string): Draft<PodObject> {
  const { metadata: templateMetadata = {}, spec } = daemonSet.spec.template;
  const affinity = { ...spec.affinity, nodeAffinity: { ...(spec.affinity?.nodeAffinity as object | undefined), ...bindingTo(node) } };
  const generation = daemonSet.metadata.annotations?.[GENERATION_ANNOTATION];
  const metadata = {
    generateName: `${daemonSet.metadata.name}-`,
    namespace: daemonSet.metadata.namespace!,
    labels: { ...templateMetadata.labels, [HASH_LABEL]: hash, ...(generation && { [GENERATION_LABEL]: generation }) },
    ...(templateMetadata.annotations && { annotations: { ...templateMetadata.annotations } }),
    ownerReferences: [ownerOf(daemonSet)],
  };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata,
    spec: { ...spec, tolerations: daemonTolerations(spec), affinity } as unknown as PodSpec,
  };
}

/** Replaces the template's own required terms: they were judged when the node was chosen. */
const bindingTo = (node: string) => ({
  requiredDuringSchedulingIgnoredDuringExecution: {
    nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: [node] }] }],
  },
});

const isUpdated = ({ daemonSet, hash }: Sight, { metadata: { labels } }: PodObject): boolean =>
  labels?.[HASH_LABEL] === hash || labels?.[GENERATION_LABEL] === daemonSet.metadata.annotations?.[GENERATION_ANNOTATION];

/** With RollingUpdate: pods of an older template, those that serve nobody first, as far as maxUnavailable goes. */
export function outdated(sight: Sight): readonly PodObject[] {
  const strategy = sight.daemonSet.spec.updateStrategy;
  if (strategy?.type !== "RollingUpdate") return [];
  const wanted = sight.nodes.filter((node) => verdict(sight.daemonSet, node).shouldRun);
  const value = (strategy.rollingUpdate?.maxUnavailable ?? 1) as number | string;
  const limit = typeof value === "number" ? value : Math.ceil((Number.parseInt(value, 10) * wanted.length) / 100);
  const pods = wanted.flatMap((node) => sight.podsByNode.get(node.metadata.name)?.[0] ?? []);
  const serving = pods.filter((pod) => isReady(pod) && pod.metadata.deletionTimestamp === undefined);
  const old = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined && !isUpdated(sight, pod));
  const spare = Math.max(0, limit - (wanted.length - serving.length));
  return [...old.filter((pod) => !isReady(pod)), ...old.filter(isReady).slice(0, spare)];
}

export function statusFor(
  sight: Sight,
  now: number,
): Required<NonNullable<DaemonSetObject["status"]>> & { numberMisscheduled: number; numberUnavailable: number } {
  const { daemonSet, nodes, podsByNode } = sight;
  const wanted = nodes.filter((node) => verdict(daemonSet, node).shouldRun);
  const oldest = wanted.flatMap((node) => podsByNode.get(node.metadata.name)?.[0] ?? []);
  const misscheduled = nodes.filter((node) => !wanted.includes(node) && podsByNode.has(node.metadata.name));
  const ready = oldest.filter(isReady);
  const minReady = (daemonSet.spec.minReadySeconds ?? 0) * 1_000;
  const available = ready.filter((pod) => minReady === 0 || readySince(pod) + minReady <= now);
  return {
    observedGeneration: daemonSet.metadata.generation ?? 0,
    desiredNumberScheduled: wanted.length,
    currentNumberScheduled: oldest.length,
    numberMisscheduled: misscheduled.length,
    numberReady: ready.length,
    numberAvailable: available.length,
    numberUnavailable: wanted.length - available.length,
    updatedNumberScheduled: oldest.filter((pod) => isUpdated(sight, pod)).length,
  };
}

const readySince = (pod: PodObject): number =>
  Date.parse(pod.status?.conditions?.find(({ type }) => type === "Ready")?.lastTransitionTime ?? "") || 0;
