import { createHash } from "node:crypto";
import {
  CONTROLLER_REVISION,
  DAEMON_SET,
  NODE,
  POD,
  type ControllerRevisionObject,
  type DaemonSetObject,
  type NodeObject,
  type PodObject,
  type PodSpec,
} from "../control/kinds.ts";
import { isConflict, type Cache, type Cluster, type Draft } from "../control/ports.ts";
import type { Clock } from "../runtime/clock.ts";
import type { InMemoryCluster } from "./cluster/in-memory-cluster.ts";
import { affinityTerms, daemonTolerations, selectsNode, untolerated } from "./cluster/node-fit.ts";
import { runNodeTaints, runPodCollector } from "./cluster/node-lifecycle.ts";
import { runScheduler } from "./cluster/scheduler.ts";
import { isReady } from "./cluster/subresources.ts";
import { Worker } from "./cluster/worker.ts";

const HASH_LABEL = "controller-revision-hash";
const GENERATION_LABEL = "pod-template-generation";
const GENERATION_ANNOTATION = "deprecated.daemonset.template.generation";
const FIRST_BACK_OFF = 1_000;
const LONGEST_BACK_OFF = 15 * 60_000;

/** What a PoP needs of the control plane: DaemonSets, scheduler, node taints, pods of vanished nodes. Answers with their end. */
export function runControlPlane(cluster: InMemoryCluster, clock: Clock): () => void {
  const stops = [
    runDaemonSets(cluster, clock),
    runScheduler(cluster, clock),
    runNodeTaints(cluster, clock),
    runPodCollector(cluster, clock),
  ];
  return () => stops.forEach((stop) => stop());
}

/** The DaemonSet controller (strategies OnDelete, and RollingUpdate by maxUnavailable; no surge). Answers with its end. */
export function runDaemonSets(cluster: Cluster, clock: Clock, reactionMilliseconds = 20): () => void {
  const controller = new DaemonSetController(cluster, clock, reactionMilliseconds);
  return () => controller.stop();
}

/** One DaemonSet as one sync sees it. */
interface Sight {
  readonly daemonSet: DaemonSetObject;
  readonly hash: string;
  readonly nodes: readonly NodeObject[];
  readonly podsByNode: ReadonlyMap<string, readonly PodObject[]>;
}

class DaemonSetController {
  readonly #cluster: Cluster;
  readonly #clock: Clock;
  readonly #worker: Worker;
  readonly #daemonSets: Cache<DaemonSetObject>;
  readonly #nodes: Cache<NodeObject>;
  readonly #pods: Cache<PodObject>;
  readonly #revisions: Cache<ControllerRevisionObject>;
  /** Failed pods by DaemonSet, generation and node: when one was last deleted, and how long the next has to wait. */
  readonly #backOff = new Map<string, { readonly at: number; readonly wait: number }>();

  constructor(cluster: Cluster, clock: Clock, reactionMilliseconds: number) {
    this.#cluster = cluster;
    this.#clock = clock;
    this.#worker = new Worker(clock, reactionMilliseconds, () => this.#sync());
    // Whole objects: affinity and tolerations, which the operator's projections drop, are what is decided here.
    this.#daemonSets = this.#worker.watch(cluster.cache({ ...DAEMON_SET, project: (object: DaemonSetObject) => object }));
    this.#nodes = this.#worker.watch(cluster.cache({ ...NODE, project: (object: NodeObject) => object }));
    this.#pods = this.#worker.watch(cluster.cache({ ...POD, project: (object: PodObject) => object }));
    this.#revisions = this.#worker.watch(cluster.cache(CONTROLLER_REVISION));
  }

  stop(): void {
    this.#worker.stop();
  }

  async #sync(): Promise<void> {
    if (![this.#daemonSets, this.#nodes, this.#pods, this.#revisions].every((cache) => cache.synced)) return;
    const refusals: unknown[] = [];
    for (const daemonSet of this.#daemonSets.list()) {
      // One DaemonSet whose writes are refused must not keep the others waiting.
      if (daemonSet.metadata.deletionTimestamp === undefined)
        await this.#syncOne(daemonSet).catch((error: unknown) => refusals.push(error));
    }
    if (refusals.length > 0) throw refusals[0];
  }

  async #syncOne(daemonSet: DaemonSetObject): Promise<void> {
    const hash = templateHash(daemonSet);
    await this.#recordRevision(daemonSet, hash);
    await this.#managePods(this.#look(daemonSet, hash));
    await this.#updateStatus(this.#look(daemonSet, hash));
  }

  #look(daemonSet: DaemonSetObject, hash: string): Sight {
    const podsByNode = new Map<string, PodObject[]>();
    for (const pod of this.#pods.list()) {
      if (!pod.metadata.ownerReferences?.some(({ uid, controller }) => controller && uid === daemonSet.metadata.uid)) continue;
      if (hasEnded(pod) && pod.metadata.deletionTimestamp !== undefined) continue;
      const node = targetNode(pod);
      if (node !== undefined) podsByNode.set(node, [...(podsByNode.get(node) ?? []), pod]);
    }
    for (const pods of podsByNode.values()) pods.sort(byAge);
    return { daemonSet, hash, nodes: this.#nodes.list(), podsByNode };
  }

  async #managePods(sight: Sight): Promise<void> {
    const create: string[] = [];
    const remove: PodObject[] = [];
    for (const node of sight.nodes) {
      const pods = sight.podsByNode.get(node.metadata.name) ?? [];
      const { shouldRun, shouldStay } = verdict(sight.daemonSet, node);
      if (shouldRun && pods.length === 0) create.push(node.metadata.name);
      else if (shouldStay) remove.push(...this.#surplus(sight.daemonSet, node, pods));
      else remove.push(...pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined));
    }
    const names = new Set(sight.nodes.map(({ metadata }) => metadata.name));
    for (const [name, pods] of sight.podsByNode) if (!names.has(name)) remove.push(...pods.filter(({ spec }) => !spec.nodeName));
    remove.push(...outdated(sight));
    for (const node of create) await this.#cluster.create(POD, podFor(sight, node));
    for (const { metadata } of new Set(remove)) await this.#delete(metadata.name, metadata.namespace!, metadata.uid);
  }

  async #delete(name: string, namespace: string, uid: string): Promise<void> {
    try {
      await this.#cluster.delete(POD, name, namespace, { uid });
    } catch (error) {
      if (!isConflict(error)) throw error; // another pod bears the name now: the one that was meant is gone
    }
  }

  /** Ended pods, each node's no faster than its back-off allows, and of several living ones all but the oldest. */
  #surplus(daemonSet: DaemonSetObject, node: NodeObject, pods: readonly PodObject[]): readonly PodObject[] {
    const present = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    const failed = present.filter(({ status }) => status?.phase === "Failed");
    const due = failed.length > 0 && this.#mayReplace(daemonSet, node) ? failed : [];
    const succeeded = present.filter(({ status }) => status?.phase === "Succeeded");
    return [...due, ...succeeded, ...present.filter((pod) => !hasEnded(pod)).slice(1)];
  }

  #mayReplace(daemonSet: DaemonSetObject, node: NodeObject): boolean {
    const key = [daemonSet.metadata.uid, daemonSet.metadata.generation, node.metadata.name].join("/");
    const now = this.#clock.elapsed();
    const last = this.#backOff.get(key);
    if (last !== undefined && now - last.at < last.wait) {
      this.#worker.wakeLater(last.at + last.wait - now);
      return false;
    }
    const forgotten = last === undefined || now - last.at > 2 * LONGEST_BACK_OFF;
    this.#backOff.set(key, { at: now, wait: forgotten ? FIRST_BACK_OFF : Math.min(LONGEST_BACK_OFF, last.wait * 2) });
    return true;
  }

  async #updateStatus(sight: Sight): Promise<void> {
    const { daemonSet } = sight;
    const status = statusFor(sight, this.#clock.now());
    const current = (daemonSet.status ?? {}) as Record<string, number | undefined>;
    if (status.numberReady > status.numberAvailable) this.#worker.wakeLater(1_000);
    if (Object.entries(status).every(([field, value]) => (current[field] ?? 0) === value)) return;
    // These four are left out while they are 0.
    const { numberAvailable, numberUnavailable, updatedNumberScheduled, observedGeneration, ...always } = status;
    const optional = Object.entries({ numberAvailable, numberUnavailable, updatedNumberScheduled, observedGeneration }).filter(
      ([, value]) => value > 0,
    );
    await this.#cluster.updateStatus(DAEMON_SET, {
      ...daemonSet,
      status: { ...always, ...Object.fromEntries(optional) },
    });
  }

  /** The real controller keeps its own record of each template, with the *template's* labels: a list by label finds these too. */
  async #recordRevision(daemonSet: DaemonSetObject, hash: string): Promise<void> {
    const { name, namespace } = daemonSet.metadata;
    const own = this.#revisions
      .list()
      .filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === daemonSet.metadata.uid));
    if (own.some(({ metadata }) => metadata.labels?.[HASH_LABEL] === hash)) return;
    const labels = { ...daemonSet.spec.template.metadata?.labels, [HASH_LABEL]: hash };
    const revision = Math.max(0, ...own.map((each) => each.revision)) + 1;
    const metadata = { name: `${name}-${hash}`, namespace: namespace!, labels, ownerReferences: [ownerOf(daemonSet)] };
    const data = { spec: { template: { ...daemonSet.spec.template, $patch: "replace" } } };
    await this.#cluster.create(CONTROLLER_REVISION, { metadata, data, revision });
  }
}

const hasEnded = ({ status }: PodObject): boolean => status?.phase === "Failed" || status?.phase === "Succeeded";

const byAge = (a: PodObject, b: PodObject): number =>
  (a.metadata.creationTimestamp ?? "").localeCompare(b.metadata.creationTimestamp ?? "") || (a.metadata.name < b.metadata.name ? -1 : 1);

/** Where it is, or, while unbound, where it was made for. */
function targetNode(pod: PodObject): string | undefined {
  return pod.spec.nodeName ?? affinityTerms(pod.spec)?.[0]?.matchFields?.find(({ key }) => key === "metadata.name")?.values?.[0];
}

/** Whether a new pod should start on the node, and whether one that is there may stay: NoSchedule keeps pods out but drives none away. */
function verdict(daemonSet: DaemonSetObject, node: NodeObject): { readonly shouldRun: boolean; readonly shouldStay: boolean } {
  const spec = daemonSet.spec.template.spec;
  if (!selectsNode(spec, node)) return { shouldRun: false, shouldStay: false };
  const tolerant = { ...spec, tolerations: daemonTolerations(spec) } as unknown as PodSpec;
  const shouldStay = untolerated(tolerant, node, ["NoExecute"]).length === 0;
  return { shouldRun: shouldStay && untolerated(tolerant, node, ["NoSchedule"]).length === 0, shouldStay };
}

function templateHash(daemonSet: DaemonSetObject): string {
  return createHash("sha256").update(JSON.stringify(daemonSet.spec.template)).digest("hex").slice(0, 10);
}

const ownerOf = ({ metadata: { name, uid } }: DaemonSetObject) => ({
  apiVersion: DAEMON_SET.apiVersion,
  kind: DAEMON_SET.kind,
  name,
  uid,
  controller: true,
  blockOwnerDeletion: true,
});

function podFor({ daemonSet, hash }: Sight, node: string): Draft<PodObject> {
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
function outdated(sight: Sight): readonly PodObject[] {
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

function statusFor(
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
