import { DAEMON_SET, type DaemonSetObject, NODE, type NodeObject, POD, type PodObject } from "./kinds.ts";
import type { Cache, Cluster } from "./ports.ts";

/** The projected copies of one PoP cluster; several PoPs of one cluster share them. */
export interface SiteCaches {
  readonly nodes: Cache<NodeObject>;
  readonly pods: Cache<PodObject>;
  readonly daemonSets: Cache<DaemonSetObject>;
}

export interface SiteListeners {
  node(node: NodeObject): void;
  pod(pod: PodObject): void;
  daemonSet(set: DaemonSetObject): void;
  /** A cluster fell silent, or is heard again. */
  silence(): void;
}

/** Opens the caches of a cluster once, when its first PoP is looked at. */
export class SiteCacheSet {
  readonly #byCluster = new Map<Cluster, SiteCaches>();
  readonly #listeners: SiteListeners;

  constructor(listeners: SiteListeners) {
    this.#listeners = listeners;
  }

  of(cluster: Cluster): SiteCaches {
    const known = this.#byCluster.get(cluster);
    if (known) return known;
    const caches: SiteCaches = { nodes: cluster.cache(NODE), pods: cluster.cache(POD), daemonSets: cluster.cache(DAEMON_SET) };
    caches.nodes.onChange((node) => this.#listeners.node(node));
    caches.pods.onChange((pod) => this.#listeners.pod(pod));
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
    for (const caches of this.#byCluster.values()) {
      caches.nodes.stop();
      caches.pods.stop();
      caches.daemonSets.stop();
    }
    this.#byCluster.clear();
  }
}

/** What decisions look at; the counters in its status change several times for each pod, and the pods themselves are watched. */
function substanceOf({ metadata, status }: DaemonSetObject): string {
  const { generation, deletionTimestamp, labels, annotations } = metadata;
  return JSON.stringify([generation, deletionTimestamp, labels, annotations, status?.observedGeneration]);
}

/** What a cluster that does not answer showed last is no ground to rest on: whoever asks it learns that it is silent (P17). */
export const isSilent = ({ nodes, pods, daemonSets }: SiteCaches): boolean => nodes.silent || pods.silent || daemonSets.silent;

export const allSynced = (caches: SiteCaches): boolean => caches.nodes.synced && caches.pods.synced && caches.daemonSets.synced;
