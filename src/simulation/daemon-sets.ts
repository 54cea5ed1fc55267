import { CacheIndex } from "../control/cache-index.ts";
import {
  CONTROLLER_REVISION,
  DAEMON_SET,
  NODE,
  POD,
  type ControllerRevisionObject,
  type DaemonSetObject,
  type NodeObject,
  type PodObject,
} from "../control/kinds.ts";
import { isConflict, type Cache, type Cluster, type KubernetesObject } from "../control/ports.ts";
import type { Clock } from "../runtime/clock.ts";
import type { InMemoryCluster } from "./cluster/in-memory-cluster.ts";
import { selectsNode } from "./cluster/node-fit.ts";
import { runNodeTaints, runPodCollector } from "./cluster/node-lifecycle.ts";
import { runScheduler } from "./cluster/scheduler.ts";
import { Worker } from "./cluster/worker.ts";
import {
  byAge,
  HASH_LABEL,
  hasEnded,
  outdated,
  ownerOf,
  podFor,
  type Sight,
  statusFor,
  targetNode,
  templateHash,
  verdict,
} from "./daemon-set-rules.ts";

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

class DaemonSetController {
  readonly #cluster: Cluster;
  readonly #clock: Clock;
  readonly #worker: Worker;
  readonly #daemonSets: Cache<DaemonSetObject>;
  readonly #nodes: Cache<NodeObject>;
  readonly #pods: Cache<PodObject>;
  readonly #revisions: Cache<ControllerRevisionObject>;
  readonly #podsOf: CacheIndex<PodObject>;
  readonly #revisionsOf: CacheIndex<ControllerRevisionObject>;
  /** UIDs of DaemonSets that something has befallen since they were last looked at. */
  readonly #touched = new Set<string>();
  /** Nodes as they were last seen, for whom a change concerns. */
  readonly #seen = new Map<string, NodeObject>();
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
    this.#podsOf = new CacheIndex(this.#pods, controllers);
    this.#revisionsOf = new CacheIndex(this.#revisions, controllers);
    this.#daemonSets.onChange(({ metadata }) => this.#touched.add(metadata.uid));
    for (const cache of [this.#pods, this.#revisions])
      cache.onChange((object: KubernetesObject) => controllers(object).forEach((uid) => this.#touched.add(uid)));
    this.#nodes.onChange((node, deleted) => this.#nodeChanged(node, deleted));
  }

  stop(): void {
    this.#worker.stop();
  }

  async #sync(): Promise<void> {
    if (![this.#daemonSets, this.#nodes, this.#pods, this.#revisions].every((cache) => cache.synced)) return;
    const refusals: unknown[] = [];
    for (const daemonSet of this.#daemonSets.list()) {
      const { uid, deletionTimestamp } = daemonSet.metadata;
      if (!this.#touched.delete(uid) || deletionTimestamp !== undefined) continue;
      // One DaemonSet whose writes are refused must not keep the others waiting.
      await this.#syncOne(daemonSet).catch((error: unknown) => {
        this.#touched.add(uid);
        refusals.push(error);
      });
    }
    if (refusals.length > 0) throw refusals[0];
  }

  /** A node concerns the DaemonSets that select it, as it was or as it is; pods of others on it tell of themselves when it is gone. */
  #nodeChanged(node: NodeObject, deleted: boolean): void {
    const { name } = node.metadata;
    const before = this.#seen.get(name);
    if (deleted) this.#seen.delete(name);
    else this.#seen.set(name, node);
    for (const { metadata, spec } of this.#daemonSets.list()) {
      const selected = (one: NodeObject | undefined) => one !== undefined && selectsNode(spec.template.spec, one);
      if (selected(before) || selected(node)) this.#touched.add(metadata.uid);
    }
  }

  #lookLater({ metadata: { uid } }: DaemonSetObject, milliseconds: number): void {
    this.#worker.wakeLater(milliseconds, () => this.#touched.add(uid));
  }

  async #syncOne(daemonSet: DaemonSetObject): Promise<void> {
    const hash = templateHash(daemonSet);
    await this.#recordRevision(daemonSet, hash);
    await this.#managePods(this.#look(daemonSet, hash));
    await this.#updateStatus(this.#look(daemonSet, hash));
  }

  #look(daemonSet: DaemonSetObject, hash: string): Sight {
    const podsByNode = new Map<string, PodObject[]>();
    for (const pod of this.#podsOf.find(daemonSet.metadata.uid)) {
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
      this.#lookLater(daemonSet, last.at + last.wait - now);
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
    if (status.numberReady > status.numberAvailable) this.#lookLater(daemonSet, 1_000);
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
    const own = this.#revisionsOf.find(daemonSet.metadata.uid);
    if (own.some(({ metadata }) => metadata.labels?.[HASH_LABEL] === hash)) return;
    const labels = { ...daemonSet.spec.template.metadata?.labels, [HASH_LABEL]: hash };
    const revision = Math.max(0, ...own.map((each) => each.revision)) + 1;
    const metadata = { name: `${name}-${hash}`, namespace: namespace!, labels, ownerReferences: [ownerOf(daemonSet)] };
    const data = { spec: { template: { ...daemonSet.spec.template, $patch: "replace" } } };
    await this.#cluster.create(CONTROLLER_REVISION, { metadata, data, revision });
  }
}

const controllers = ({ metadata }: KubernetesObject): string[] =>
  (metadata.ownerReferences ?? []).filter(({ controller }) => controller === true).map(({ uid }) => uid);
