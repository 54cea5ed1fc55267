import type { Fleet } from "../../../src/api/fleet.ts";
import { CLAIM_ANNOTATION, RELEASED_PREFIX, UPDATING_TAINT } from "../../../src/api/names.ts";
import type { MaintenanceWindow } from "../../../src/api/maintenance-window.ts";
import type { PopCluster } from "../../../src/api/pop-cluster.ts";
import type { Assignment, PopRollout } from "../../../src/api/pop-rollout.ts";
import type { NodeObject, PodObject } from "../../../src/control/kinds.ts";
import type { StoreEvent } from "../../../src/simulation/cluster/store.ts";
import type { World } from "../../../src/simulation/world.ts";
import { labelOf, podReady, ready } from "../truth.ts";

/** One node as servers and data planes know it. */
export interface KnownNode {
  readonly object: NodeObject;
  readonly pop: string;
  /** A claim, our taint, or a label that we took: it is out by our hand. */
  readonly ours: boolean;
  readonly served: boolean;
  /** Elapsed instant since which it does not serve, whoever did it; undefined while it serves. */
  readonly outSince: number | undefined;
}

const GRACE = 15_000;

/** The store's truth of a fleet, kept as its events tell it, so that a look costs the same with two hundred PoPs as with two. */
export class FleetTruth {
  readonly pops = new Map<string, PopCluster>();
  readonly rollouts = new Map<string, PopRollout>();
  readonly windows = new Map<string, MaintenanceWindow>();
  fleet: Fleet | undefined;
  readonly #clock: World["clock"];
  readonly #nodes = new Map<string, Map<string, KnownNode>>();
  readonly #pods = new Map<string, Map<string, PodObject>>();
  /** When the spec of an object was last another one, by kind and name. */
  readonly #edited = new Map<string, number>();

  constructor(clock: World["clock"]) {
    this.#clock = clock;
  }

  nodesOf(pop: string): readonly KnownNode[] {
    return [...(this.#nodes.get(pop)?.values() ?? [])];
  }

  /** PoPs of which a node is out by our hand. */
  disrupted(): string[] {
    return [...this.#nodes].filter(([, nodes]) => [...nodes.values()].some((node) => node.ours)).map(([pop]) => pop);
  }

  isDisrupted(pop: string): boolean {
    return this.nodesOf(pop).some(({ ours }) => ours);
  }

  /** Was the spec of one of these edited so lately that an effect under way may rest on the one before? */
  justEdited(...keys: readonly string[]): boolean {
    return keys.some((key) => (this.#edited.get(key) ?? -Infinity) > this.#clock.elapsed() - GRACE);
  }

  /** Every share that rollouts have given this PoP in that version, by the UID. */
  assignments({ metadata }: PopCluster, version: string): { readonly rollout: PopRollout; readonly one: Assignment }[] {
    return [...this.rollouts.values()].flatMap((rollout) =>
      (rollout.status?.assignments ?? [])
        .filter((one) => one.pop === metadata.name && one.uid === metadata.uid && one.version === version)
        .map((one) => ({ rollout, one })),
    );
  }

  /** Takes note; answers the node as it was and is when it is one of a PoP. */
  note({ type, kind, object, previous }: StoreEvent): readonly [before: KnownNode | undefined, after: KnownNode | undefined] | undefined {
    const gone = type === "DELETED";
    const key = `${kind.kind}/${object.metadata.name}`;
    if (type === "MODIFIED" && previous?.metadata.generation !== object.metadata.generation) this.#edited.set(key, this.#clock.elapsed());
    switch (kind.kind) {
      case "Node":
        return this.#node(object, gone);
      case "Pod":
        this.#pod(object as unknown as PodObject, gone);
        return undefined;
      case "Fleet":
        this.fleet = gone ? undefined : (object as unknown as Fleet);
        return undefined;
      default: {
        const map = (
          { PoPCluster: this.pops, PoPRollout: this.rollouts, MaintenanceWindow: this.windows } as Record<string, Map<string, unknown>>
        )[kind.kind];
        if (gone) map?.delete(object.metadata.name);
        else map?.set(object.metadata.name, object);
        return undefined;
      }
    }
  }

  #node(object: NodeObject, gone: boolean): readonly [KnownNode | undefined, KnownNode | undefined] | undefined {
    const pop = object.metadata.labels?.["rollward.dev/pop"];
    if (pop === undefined) return undefined;
    const nodes = this.#nodes.get(pop) ?? new Map<string, KnownNode>();
    this.#nodes.set(pop, nodes);
    const { name, uid } = object.metadata;
    const before = nodes.get(name)?.object.metadata.uid === uid ? nodes.get(name) : undefined;
    if (gone) {
      nodes.delete(name);
      return [before, undefined];
    }
    const after = this.#known(object, pop, before);
    nodes.set(name, after);
    return [before, after];
  }

  #known(object: NodeObject, pop: string, before: KnownNode | undefined): KnownNode {
    const serves =
      labelOf(object) !== undefined &&
      ready(object) &&
      [...(this.#pods.get(object.metadata.name)?.values() ?? [])].some((pod) => podReady(pod) && !pod.metadata.deletionTimestamp);
    const served = serves || (before?.served ?? false);
    const ours = served && (isClaimed(object) || labelOf(object) === undefined);
    const out = !serves || ours || object.spec?.unschedulable === true;
    return { object, pop, ours, served, outSince: out ? (before?.outSince ?? this.#clock.elapsed()) : undefined };
  }

  #pod(pod: PodObject, gone: boolean): void {
    const { nodeName } = pod.spec;
    if (nodeName === undefined || pod.metadata.labels?.["rollward.dev/revision"] === undefined) return;
    const pods = this.#pods.get(nodeName) ?? new Map<string, PodObject>();
    this.#pods.set(nodeName, pods);
    if (gone) pods.delete(pod.metadata.uid);
    else pods.set(pod.metadata.uid, pod);
    const pop = pod.metadata.labels["rollward.dev/pop"];
    const nodes = pop === undefined ? undefined : this.#nodes.get(pop);
    const known = nodes?.get(nodeName);
    if (known) nodes!.set(nodeName, this.#known(known.object, known.pop, known));
  }
}

/** A claim that has not ended, or our taint. */
export const isClaimed = ({ metadata, spec }: NodeObject): boolean => {
  const claim = metadata.annotations?.[CLAIM_ANNOTATION];
  return (claim !== undefined && !claim.startsWith(RELEASED_PREFIX)) || (spec?.taints ?? []).some(({ key }) => key === UPDATING_TAINT);
};
