import {
  NODE,
  POD,
  POD_DISRUPTION_BUDGET,
  type LabelSelector,
  type PodDisruptionBudgetObject,
  type PodObject,
} from "../../control/kinds.ts";
import { ApiError } from "../../control/ports.ts";
import { conflict, disruptionRefused, notFound } from "./errors.ts";
import { asPublic, wireCopy, type RawObject } from "./objects.ts";
import { matchesSelector } from "./selectors.ts";
import type { Store } from "./store.ts";
import { deleteObject } from "./writes.ts";

/**
 * Evictions. The real server reads the budget from the PodDisruptionBudget's status, which its disruption controller keeps; here the
 * same numbers are computed at the moment of asking, as if that controller were always up to date.
 */

/** What a budget allows now; `syncFailed` says why it can allow nothing, whatever the pods do. */
export interface DisruptionState {
  readonly disruptionsAllowed: number;
  readonly currentHealthy: number;
  readonly desiredHealthy: number;
  readonly expectedPods: number;
  readonly syncFailed?: string;
}

export const isReady = (pod: PodObject): boolean =>
  pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;

export function disruptionState(store: Store, budget: PodDisruptionBudgetObject): DisruptionState {
  const pods = podsOf(store, budget.metadata.namespace, budget.spec.selector);
  const currentHealthy = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined && isReady(pod)).length;
  const { minAvailable, maxUnavailable } = budget.spec;
  const nothing = { disruptionsAllowed: 0, currentHealthy, desiredHealthy: 0, expectedPods: 0 };
  const counted = maxUnavailable === undefined && typeof minAvailable !== "string" ? pods.length : expectedScale(store, pods);
  if (typeof counted === "string") return { ...nothing, syncFailed: counted };
  const desiredHealthy =
    maxUnavailable === undefined ? scaled(minAvailable ?? 0, counted) : Math.max(0, counted - scaled(maxUnavailable, counted));
  const disruptionsAllowed = counted <= 0 ? 0 : Math.max(0, currentHealthy - desiredHealthy);
  return { disruptionsAllowed, currentHealthy, desiredHealthy, expectedPods: counted };
}

/** An integer, or a percentage of the total, rounded up. */
const scaled = (value: number | string, total: number): number =>
  typeof value === "number" ? value : Math.ceil((Number.parseInt(value, 10) * total) / 100);

function podsOf(store: Store, namespace: string | undefined, selector: LabelSelector | undefined): PodObject[] {
  const pods = store.list(POD).filter(({ metadata }) => metadata.namespace === namespace && matchesSelector(selector, metadata.labels));
  return pods.map((pod) => asPublic<PodObject>(pod));
}

/** The sum of the replicas of the pods' controllers, or why there is none: a DaemonSet has no scale, so no share of it can be counted. */
function expectedScale(store: Store, pods: readonly PodObject[]): number | string {
  const scales = new Map<string, number>();
  for (const pod of pods) {
    const owner = pod.metadata.ownerReferences?.find(({ controller }) => controller);
    if (owner === undefined || scales.has(owner.uid)) continue;
    const kind = store.definitions().find((definition) => definition.kind.kind === owner.kind)?.kind;
    const found = kind && store.get(kind, owner.name, pod.metadata.namespace);
    const replicas = found?.metadata.uid === owner.uid ? (found.spec as { replicas?: unknown } | undefined)?.replicas : undefined;
    if (typeof replicas !== "number") return `the ${owner.kind} ${owner.name} has no scale subresource`;
    scales.set(owner.uid, replicas);
  }
  return [...scales.values()].reduce((sum, replicas) => sum + replicas, 0);
}

export interface EvictOptions {
  readonly uid: string;
  readonly dryRun?: boolean;
}

/** @throws 404, 409 (another UID), 429 (a budget refuses, named in the message), 500 (two budgets cover the pod) */
export function evictPod(store: Store, name: string, namespace: string, options: EvictOptions): void {
  const found = store.get(POD, name, namespace);
  if (found === undefined) throw notFound(POD, name);
  const pod = asPublic<PodObject>(found);
  if (!outlivesBudgets(pod)) askBudgets(store, pod);
  if (found.metadata.uid !== options.uid) throw conflict(POD, name, `its UID is ${found.metadata.uid}, not ${options.uid}`);
  if (options.dryRun) return;
  store.put(POD, withDisruptionTarget(found, store.now()));
  deleteObject(store, POD, name, namespace, { uid: options.uid });
}

/** Pods that do not run any more, not yet, or no longer for long: taking them disrupts nobody. */
const outlivesBudgets = (pod: PodObject): boolean =>
  pod.metadata.deletionTimestamp !== undefined || ["Pending", "Succeeded", "Failed"].includes(pod.status?.phase ?? "Pending");

function askBudgets(store: Store, pod: PodObject): void {
  const budgets = store
    .list(POD_DISRUPTION_BUDGET)
    .map((budget) => asPublic<PodDisruptionBudgetObject>(budget))
    .filter(({ metadata, spec }) => metadata.namespace === pod.metadata.namespace && matchesSelector(spec.selector, pod.metadata.labels));
  const [budget, another] = budgets;
  if (budget === undefined) return;
  if (another !== undefined) {
    throw new ApiError(
      500,
      "InternalError",
      `The pod has more than one PodDisruptionBudget (${budget.metadata.name}, ${another.metadata.name}): eviction supports one.`,
    );
  }
  const state = disruptionState(store, budget);
  const { currentHealthy, desiredHealthy, disruptionsAllowed, syncFailed } = state;
  // A pod that is not ready is not missed while enough others are.
  if (!isReady(pod) && desiredHealthy > 0 && currentHealthy >= desiredHealthy) return;
  if (disruptionsAllowed > 0) return;
  if (syncFailed === undefined) {
    throw disruptionRefused(
      `the disruption budget ${budget.metadata.name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`,
    );
  }
  // A budget that never could be counted keeps observedGeneration 0, and the server takes it for one that is merely new.
  throw disruptionRefused(`the disruption budget ${budget.metadata.name} is still being processed by the server (${syncFailed})`, 10_000);
}

function withDisruptionTarget(pod: RawObject, now: string): RawObject {
  const next = wireCopy(pod);
  const status = (next.status ??= {}) as { conditions?: object[] };
  const condition = {
    type: "DisruptionTarget",
    status: "True",
    reason: "EvictionByEvictionAPI",
    message: "Evicted through the API",
    lastTransitionTime: now,
  };
  status.conditions = [...(status.conditions ?? []).filter((other) => (other as { type?: string }).type !== condition.type), condition];
  return next;
}

/** Binds a pod to a node: the `binding` subresource of the scheduler. @throws 404, 409 (already bound, or being deleted) */
export function bindPod(store: Store, name: string, namespace: string, nodeName: string): RawObject {
  const found = store.get(POD, name, namespace);
  if (found === undefined) throw notFound(POD, name);
  if (found.metadata.deletionTimestamp !== undefined || (found.spec as { nodeName?: string }).nodeName) {
    throw conflict(POD, name, "it is bound already or being deleted");
  }
  if (store.get(NODE, nodeName) === undefined) throw notFound(NODE, nodeName);
  const next = wireCopy(found);
  (next.spec as { nodeName?: string }).nodeName = nodeName;
  const status = (next.status ??= {}) as { conditions?: { type?: string }[] };
  const scheduled = { type: "PodScheduled", status: "True", lastTransitionTime: store.now() };
  status.conditions = [...(status.conditions ?? []).filter(({ type }) => type !== "PodScheduled"), scheduled];
  return store.put(POD, next);
}
