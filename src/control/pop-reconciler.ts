import type { PopCluster, PopClusterStatus } from "../api/pop-cluster.ts";
import { POP_CLUSTER } from "../api/resources.ts";
import type { Probe, Sample } from "../core/health/probe.ts";
import { DISRUPTIVE, type PopAction } from "../core/pop-cluster/action.ts";
import { decide, type PopDecision } from "../core/pop-cluster/decide.ts";
import type { Announcement } from "../core/decision.ts";
import type { PopClusterObservation } from "../core/pop-cluster/observation.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Reading, Reconciler } from "../runtime/reconcile.ts";
import { act } from "./act/index.ts";
import { pullKey, pullOutcome } from "./act/pull-images.ts";
import { announce } from "./announce.ts";
import type { HubCaches } from "./hub-caches.ts";
import { assignmentsAmong } from "./observe/assignments.ts";
import { assumedContentSources } from "./observe/content-sources.ts";
import { popObservation, type PopObjects } from "./observe/pop-cluster.ts";
import { type PopServers, reached, readLive } from "./observe/pop-reads.ts";
import { readInHand } from "./observe/read-in-hand.ts";
import type { NodeObject } from "./kinds.ts";
import { PopMemory } from "./pop-memory.ts";
import type { Cluster, EventSink, KubernetesObject, Prober } from "./ports.ts";
import {
  allSynced,
  cachedDaemonSetsOf,
  cachedMembersOf,
  cachedPodsAround,
  cachedPodsOf,
  isSilent,
  type SiteCacheSet,
} from "./site-caches.ts";
import type { Site, Sites } from "./sites.ts";
import { asWritten, unlessInvalid } from "./status-refused.ts";
import type { Told } from "./told.ts";
import { breachOf } from "./window-breach.ts";

export interface PopReconcilerPorts {
  readonly clock: Clock;
  readonly hub: Cluster;
  readonly hubCaches: HubCaches;
  readonly sites: Sites;
  readonly siteCaches: SiteCacheSet;
  readonly prober: Prober;
  readonly events: EventSink;
  readonly told: Told;
  readonly namespace: string;
  readonly defaultPrometheus: string | undefined;
  /** The PoPs with which this one shares two-tunnel sites, and how many. */
  readonly partnersOf: (pop: string) => ReadonlyMap<string, number> | undefined;
  readonly samplesOf: (key: string) => { readonly keys: Iterable<string>; readonly samples: (probe: string) => readonly Sample[] };
}

/** An observation, with the objects that claims and effects are conditional on. */
export interface ObservedPopCluster {
  readonly seen: PopClusterObservation;
  readonly objects: PopObjects;
  readonly site: Site;
}

/** PoPClusters on the one loop: reads and effects; every decision is core's. */
export class PopReconciler implements Reconciler<ObservedPopCluster, PopClusterStatus, PopAction, Probe, PopDecision> {
  readonly kind = "PoPCluster";
  readonly #ports: PopReconcilerPorts;
  readonly #memory = new Map<string, PopMemory>();
  /** The kubeconfig Secret that each PoP was seen to name last. */
  readonly #secrets = new Map<string, string | undefined>();
  readonly rereading = {
    last: new Map<string, Reading<ObservedPopCluster>>(),
    refresh: async ({ objects }: ObservedPopCluster): Promise<ObservedPopCluster | undefined> => {
      const servers = await this.#serversOf(objects.pop);
      const again = await readInHand(servers, objects);
      return again && this.#observed(servers.site, again);
    },
    isOutdated: ({ objects: { pop, window, fleet } }: ObservedPopCluster): boolean => {
      const { pops, windows, fleets } = this.#ports.hubCaches;
      const { name, namespace } = pop.metadata;
      const pairs = [
        [pop, pops.get(name, namespace)],
        [window, windows.get(pop.spec.windowRef.name, namespace)],
        [fleet, fleets.get("fleet", namespace)],
      ] as const;
      return pairs.some(([seen, cached]) => seen?.metadata.resourceVersion !== cached?.metadata.resourceVersion);
    },
    suffices: ({ objects }: ObservedPopCluster, { status, actions }: PopDecision): boolean =>
      (status === undefined || staysOnCourse(objects.pop.status, status)) && actions.every(concernsOwnNodeAlone),
  };
  readonly aside = {
    is: ({ kind }: PopAction): boolean => kind === "StartDrain" || kind === "CheckEviction",
    recall: ({ objects, site }: ObservedPopCluster): ObservedPopCluster => this.#observed(site, objects),
  };

  constructor(ports: PopReconcilerPorts) {
    this.#ports = ports;
  }

  async observe(key: string): Promise<ObservedPopCluster | undefined> {
    const { hubCaches, namespace } = this.#ports;
    const pop = hubCaches.pops.get(key, namespace);
    if (!pop) return undefined;
    const site = await this.#siteOf(pop);
    if (site.state !== "Reachable") return this.observeLive(key);
    const caches = this.#ports.siteCaches.of(site.cluster);
    if (!allSynced(caches) || isSilent(caches)) return this.observeLive(key);
    const members = cachedMembersOf(caches, pop);
    const assignments = assignmentsAmong(hubCaches.rollouts.list(), pop);
    return this.#observed(site, {
      pop,
      assignments,
      window: hubCaches.windows.get(pop.spec.windowRef.name, namespace),
      fleet: hubCaches.fleets.get("fleet", namespace),
      site: reached(this.#memoryOf(key), pop, site.uid, this.#ports.clock.elapsed()),
      ...members,
      pods: cachedPodsOf(caches, pop),
      allPods: cachedPodsAround(caches, pop, members.nodes),
      daemonSets: cachedDaemonSetsOf(caches, pop),
      records: hubCaches.recordIndex.find(pop.metadata.name),
      contentSources: assumedContentSources(pop, assignments.content),
      live: false,
    });
  }

  async observeLive(key: string): Promise<ObservedPopCluster | undefined> {
    const { hub, hubCaches, namespace, clock } = this.#ports;
    const known = hubCaches.pops.get(key, namespace) ?? (await hub.get<PopCluster>(POP_CLUSTER, key, namespace));
    if (!known) return undefined;
    const servers = await this.#serversOf(known);
    const objects = await readLive(servers, known, this.#memoryOf(key), clock.elapsed());
    return objects && this.#observed(servers.site, objects);
  }

  decide(observed: ObservedPopCluster, now: number): PopDecision {
    return decide(observed.seen, now);
  }

  async claim({ objects, site }: ObservedPopCluster, status: PopClusterStatus): Promise<ObservedPopCluster | undefined> {
    const written = await asWritten(
      `PoPCluster ${objects.pop.metadata.name}`,
      status,
      this.#ports.hub.updateStatus<PopCluster>(POP_CLUSTER, { ...objects.pop, status }),
    );
    this.#ports.told.pop(written);
    return claimsAnew(objects.pop.status, status) ? undefined : this.#observed(site, { ...objects, pop: written });
  }

  async act({ objects, site }: ObservedPopCluster, action: PopAction): Promise<ObservedPopCluster | undefined> {
    const { hub, prober } = this.#ports;
    if (site.state !== "Reachable" && action.kind !== "RemoveFinalizer") {
      throw new Error(
        `${action.kind} was decided for PoP ${objects.pop.metadata.name}, whose cluster is ${site.state}; it is decided anew`,
      );
    }
    const breach = breachOf(objects.pop, action, this.#ports.clock.now());
    if (breach !== undefined) this.#tellBreach(objects.pop, breach);
    const numbers = objects.records.map((record) => record.revision);
    const { name } = objects.pop.metadata;
    const world = {
      hub,
      site: site.state === "Reachable" ? site.cluster : hub,
      siteUID: site.state === "Reachable" ? site.uid : "",
      prober,
      memory: this.#memoryOf(name),
      pop: objects.pop,
      nextRecord: Math.max(0, ...numbers) + 1,
    };
    const changed = await unlessInvalid(action.kind, `PoPCluster ${name}`, act(world, action));
    if (changed === undefined) return undefined;
    return this.#observed(site, {
      ...objects,
      pop: changed.pop ?? objects.pop,
      nodes: withChanged(objects.nodes, changed.node, false),
      daemonSets: withChanged(objects.daemonSets, changed.daemonSet, true),
      records: withChanged(objects.records, changed.record, true),
    });
  }

  isDisruptive(action: PopAction): boolean {
    return DISRUPTIVE.has(action.kind);
  }

  tell(key: string, { objects }: ObservedPopCluster, decision: PopDecision, done: "Claimed" | "Acted" | "Rested"): void {
    const { events, told } = this.#ports;
    const { metadata, apiVersion } = objects.pop;
    if (done === "Rested") return told.pop(objects.pop);
    announce(events, decision.events, { apiVersion, kind: this.kind, metadata });
    told.decided({ kind: this.kind, namespace: metadata.namespace ?? "", name: key, decision });
  }

  #tellBreach(pop: PopCluster, breach: Announcement): void {
    const { events, told } = this.#ports;
    told.windowBreached(pop);
    announce(events, [breach], { ...POP_CLUSTER, metadata: pop.metadata });
  }

  forget(key: string): void {
    this.#memory.delete(key);
    this.#secrets.delete(key);
    this.#closeUnnamed();
    this.rereading.last.delete(key);
    this.#ports.told.popGone(key, this.#ports.namespace);
  }

  #observed(site: Site, objects: PopObjects): ObservedPopCluster {
    const key = objects.pop.metadata.name;
    const memory = this.#memoryOf(key);
    for (const pod of objects.allPods) {
      const pull = pullKey(pod, key);
      const outcome = pull === undefined ? undefined : pullOutcome(pod);
      if (pull !== undefined && outcome) memory.pulled(pull, { ...outcome, pod: pod.metadata.uid });
    }
    const { samplesOf, partnersOf, defaultPrometheus } = this.#ports;
    const { keys, samples } = samplesOf(key);
    const seen = popObservation(objects, {
      memory,
      samples,
      sampledKeys: () => keys,
      pops: objects.pop.spec.region === undefined ? [] : this.#ports.hubCaches.popIndex.find(objects.pop.spec.region),
      defaultPrometheus,
      partners: partnersOf(key),
    });
    return { seen, objects, site };
  }

  async #serversOf(pop: PopCluster): Promise<PopServers> {
    const { hub, hubCaches, siteCaches } = this.#ports;
    const site = await this.#siteOf(pop);
    const caches = site.state === "Reachable" ? siteCaches.of(site.cluster) : undefined;
    const podsAround = (nodes: readonly NodeObject[]) => (caches ? cachedPodsAround(caches, pop, nodes) : []);
    return { hub, site, podsAround, cachedRollouts: hubCaches.rollouts.list() };
  }

  async #siteOf(pop: PopCluster): Promise<Site> {
    const { sites, namespace } = this.#ports;
    const key = pop.metadata.name;
    const secret = pop.spec.kubeconfigSecretRef;
    const before = this.#secrets.get(key);
    this.#secrets.set(key, secret?.name);
    if (before !== undefined && before !== secret?.name) this.#closeUnnamed();
    return sites.of(secret && { name: secret.name, namespace });
  }

  /** A cluster that no PoP names any more is not watched any more (rule P17). */
  #closeUnnamed(): void {
    const { hubCaches, sites, namespace } = this.#ports;
    const named = hubCaches.pops.list().flatMap(({ spec }) => (spec.kubeconfigSecretRef ? [spec.kubeconfigSecretRef.name] : []));
    sites.keepOnly(named.map((name) => ({ name, namespace })));
  }

  #memoryOf(key: string): PopMemory {
    const known = this.#memory.get(key);
    if (known) return known;
    const memory = new PopMemory(this.#ports.clock);
    this.#memory.set(key, memory);
    return memory;
  }
}

/** What is done to a node that is out by our hand already, whatever became of the others: it gets its new label, or serves again. */
const concernsOwnNodeAlone = (action: PopAction): boolean =>
  (action.kind === "SetLabel" && action.row === "LabelOn") || (action.kind === "ReleaseNode" && !action.giveBack);

/** Does the ledger only follow its nodes in hand, and claim the next: no verdict, no end, nobody given up (rules G5, G8). */
function staysOnCourse(before: PopClusterStatus = {}, after: PopClusterStatus): boolean {
  const course = ({ run, grant }: PopClusterStatus) => [
    run?.id,
    run?.kind,
    run?.state,
    run?.ending,
    run?.revision,
    grant?.id,
    grant?.state,
  ];
  const steps = new Map((before.nodes ?? []).map(({ uid, step }) => [uid, step]));
  const there = new Set((after.nodes ?? []).map(({ uid }) => uid));
  return (
    course(after).every((part, index) => part === course(before)[index]) &&
    [...steps.keys()].every((uid) => there.has(uid)) &&
    (after.nodes ?? []).every(({ uid, step }) => steps.get(uid) === step || (step !== "Failed" && step !== "Skipped"))
  );
}

/** Does the ledger take a node into its hand, or begin to roll back: then everybody is looked at after it is written (rule G5). */
function claimsAnew(before: PopClusterStatus = {}, after: PopClusterStatus): boolean {
  const held = new Set((before.nodes ?? []).map(({ uid, token }) => `${uid}/${token}`));
  return (
    (after.nodes ?? []).some(({ uid, token }) => token !== undefined && !held.has(`${uid}/${token}`)) ||
    (after.run?.kind === "Rollback" && before.run?.kind !== "Rollback")
  );
}

/** The list with one object as it is now; a new one joins it where `joins` says so: who is a member is the selector's to say. */
function withChanged<T extends KubernetesObject>(objects: readonly T[], changed: T | undefined, joins: boolean): readonly T[] {
  if (changed === undefined) return objects;
  const known = objects.some((object) => object.metadata.uid === changed.metadata.uid);
  if (!known) return joins ? [...objects, changed] : objects;
  return objects.map((object) => (object.metadata.uid === changed.metadata.uid ? changed : object));
}
