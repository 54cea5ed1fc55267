import { DAEMON_SET, type DaemonSetObject, NODE, type NodeObject, POD, type PodObject } from "./kinds.ts";
import { POP_LABEL } from "../api/names.ts";
import type { PopCluster } from "../api/pop-cluster.ts";
import { PULL_LABEL } from "./act/pull-images.ts";
import { CacheIndex } from "./cache-index.ts";
import { membersAmong } from "./observe/selected-nodes.ts";
import type { Cache, Cluster } from "./ports.ts";

/** The projected copies of one PoP cluster; several PoPs of one cluster share them. */
export interface SiteCaches {
  readonly nodes: Cache<NodeObject>;
  readonly pods: Cache<PodObject>;
  readonly daemonSets: Cache<DaemonSetObject>;
  /** Nodes by each of their labels, as `key=value`. */
  readonly nodeIndex: CacheIndex<NodeObject>;
  /** Pods by the node that they are on, by the PoP that they are of, and by the PoP that they pull for. */
  readonly podIndex: CacheIndex<PodObject>;
  /** DaemonSets by the PoP that they are of. */
  readonly daemonSetIndex: CacheIndex<DaemonSetObject>;
}

export interface SiteListeners {
  /** `before`: as it was; whom it concerned then is to hear that it does no longer. */
  node(node: NodeObject, before: NodeObject | undefined): void;
  /** `node`: the one that it is on, as far as it is known. */
  pod(pod: PodObject, node: NodeObject | undefined): void;
  daemonSet(set: DaemonSetObject): void;
  /** A cluster fell silent, is heard again, or was closed: whoever is of it has to look where its nodes are now. */
  silence(): void;
}

/**
 * Opens the caches of a cluster once, when its first PoP is looked at, and lets them go when the cluster is closed: what was seen by a
 * kubeconfig that is not used any more would grow old for ever, and raise an alert that nobody can end (rule P17).
 */
export class SiteCacheSet {
  readonly #byCluster = new Map<Cluster, SiteCaches>();
  readonly #listeners: SiteListeners;

  constructor(listeners: SiteListeners) {
    this.#listeners = listeners;
  }

  of(cluster: Cluster): SiteCaches {
    const known = this.#byCluster.get(cluster);
    if (known) return known;
    const caches = openSiteCaches(cluster);
    cluster.closed.addEventListener("abort", () => this.#drop(cluster), { once: true });
    const seen = new Map<string, NodeObject>();
    caches.nodes.onChange((node, deleted) => {
      const { uid } = node.metadata;
      const before = seen.get(uid);
      if (deleted) seen.delete(uid);
      else seen.set(uid, node);
      this.#listeners.node(node, before);
    });
    caches.pods.onChange((pod) =>
      this.#listeners.pod(pod, pod.spec.nodeName === undefined ? undefined : caches.nodes.get(pod.spec.nodeName)),
    );
    const told = new Map<string, string>();
    caches.daemonSets.onChange((set, deleted) => {
      const { uid } = set.metadata;
      const substance = substanceOf(set);
      if (!deleted && told.get(uid) === substance) return;
      if (deleted) told.delete(uid);
      else told.set(uid, substance);
      this.#listeners.daemonSet(set);
    });
    for (const cache of [caches.nodes, caches.pods, caches.daemonSets]) cache.onSilence(() => this.#listeners.silence());
    this.#byCluster.set(cluster, caches);
    return caches;
  }

  /** Each cache with a name, for the metric of silent watches. */
  *named(): Iterable<readonly [string, Cache<NodeObject> | Cache<PodObject> | Cache<DaemonSetObject>]> {
    for (const caches of this.#byCluster.values()) {
      yield ["Node", caches.nodes];
      yield ["Pod", caches.pods];
      yield ["DaemonSet", caches.daemonSets];
    }
  }

  stop(): void {
    for (const caches of this.#byCluster.values()) stopAll(caches);
    this.#byCluster.clear();
  }

  #drop(cluster: Cluster): void {
    const caches = this.#byCluster.get(cluster);
    if (caches === undefined) return;
    this.#byCluster.delete(cluster);
    stopAll(caches);
    this.#listeners.silence();
  }
}

function stopAll({ nodes, pods, daemonSets }: SiteCaches): void {
  for (const cache of [nodes, pods, daemonSets]) cache.stop();
}

function openSiteCaches(cluster: Cluster): SiteCaches {
  const caches = { nodes: cluster.cache(NODE), pods: cluster.cache(POD), daemonSets: cluster.cache(DAEMON_SET) };
  return {
    ...caches,
    nodeIndex: new CacheIndex(caches.nodes, ({ metadata }) => labelTerms(metadata.labels)),
    podIndex: new CacheIndex(caches.pods, podTerms),
    daemonSetIndex: new CacheIndex(caches.daemonSets, ({ metadata }) => termOf(metadata.labels?.[POP_LABEL])),
  };
}

const termOf = (label: string | undefined): string[] => (label === undefined ? [] : [label]);
const labelTerms = (labels: Readonly<Record<string, string>> = {}): string[] =>
  Object.entries(labels).map(([key, value]) => `${key}=${value}`);
const onNode = (node: string): string => `node/${node}`;
const ofPop = (pop: string): string => `pop/${pop}`;
const pullsFor = (pop: string): string => `pull/${pop}`;

function podTerms({ metadata: { labels = {} }, spec: { nodeName } }: PodObject): string[] {
  const { [POP_LABEL]: pop, [PULL_LABEL]: pull } = labels;
  return [
    ...(nodeName === undefined ? [] : [onNode(nodeName)]),
    ...(pop === undefined ? [] : [ofPop(pop)]),
    ...(pull === undefined ? [] : [pullsFor(pull)]),
  ];
}

/** The nodes of a PoP: those with all labels that it selects, of which few have the rarest. */
export function cachedMembersOf({ nodes, nodeIndex }: SiteCaches, pop: PopCluster): ReturnType<typeof membersAmong> {
  const [first, ...others] = labelTerms(pop.spec.nodeSelector.matchLabels);
  const rarest = others.reduce((best, term) => (nodeIndex.count(term) < nodeIndex.count(best) ? term : best), first ?? "");
  return membersAmong(pop, first === undefined ? nodes.list() : nodeIndex.find(rarest), (name) => nodes.get(name));
}

/** The pods that may be this PoP's data plane: one that adopts tells them by an owner that it knows only by looking. */
export function cachedPodsOf({ pods, podIndex }: SiteCaches, { metadata, spec }: PopCluster): readonly PodObject[] {
  const found = spec.adopt ? pods.list() : podIndex.find(ofPop(metadata.name));
  return found.filter((pod) => pod.metadata.namespace === spec.dataPlaneNamespace);
}

/** All that a PoP may meet: its own pods, those that pull for it, and everybody's on its nodes. */
export const cachedPodsAround = (
  { podIndex }: SiteCaches,
  { metadata: { name } }: PopCluster,
  nodes: readonly NodeObject[],
): readonly PodObject[] => podIndex.find(ofPop(name), pullsFor(name), ...nodes.map((node) => onNode(node.metadata.name)));

export function cachedDaemonSetsOf({ daemonSets, daemonSetIndex }: SiteCaches, { metadata, spec }: PopCluster): readonly DaemonSetObject[] {
  const found = spec.adopt ? daemonSets.list() : daemonSetIndex.find(metadata.name);
  return found.filter((set) => set.metadata.namespace === spec.dataPlaneNamespace);
}

/** What decisions look at; the counters in its status change several times for each pod, and the pods themselves are watched. */
function substanceOf({ metadata, status }: DaemonSetObject): string {
  const { generation, deletionTimestamp, labels, annotations } = metadata;
  return JSON.stringify([generation, deletionTimestamp, labels, annotations, status?.observedGeneration]);
}

/** What a cluster that does not answer showed last is no ground to rest on: whoever asks it learns that it is silent (P17). */
export const isSilent = ({ nodes, pods, daemonSets }: SiteCaches): boolean => nodes.silent || pods.silent || daemonSets.silent;

export const allSynced = (caches: SiteCaches): boolean => caches.nodes.synced && caches.pods.synced && caches.daemonSets.synced;
