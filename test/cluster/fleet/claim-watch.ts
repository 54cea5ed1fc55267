import { CLAIM_ANNOTATION, RELEASED_PREFIX } from "../../../src/api/names.ts";
import type { Fleet } from "../../../src/api/fleet.ts";
import type { PopCluster } from "../../../src/api/pop-cluster.ts";
import { FLEET, POP_CLUSTER } from "../../../src/api/resources.ts";
import { LEASE, type LeaseObject, NODE, type NodeObject } from "../../../src/control/kinds.ts";
import type { Kind, KubernetesObject } from "../../../src/control/ports.ts";
import type { KubernetesCluster } from "../../../src/kubernetes/cluster.ts";
import { FLEET_NAMESPACE } from "../../../src/simulation/world.ts";
import { clusterOf } from "../rolls/cluster-world.ts";
import type { RealWorld } from "../rolls/real-world.ts";

/** Where a claim stands: the Fleet's ledger of grants, the PoP's ledger of nodes, the node itself. */
export type ClaimPlace = "grant" | "ledger" | "node";

/** Sees every claim as the server tells it, with credentials of its own that may only read; knows who leads. */
export class ClaimWatch {
  readonly #cluster: KubernetesCluster;
  readonly #seen = new Set<string>();
  readonly #tell: (place: ClaimPlace, claim: string) => void;
  #leader = "";
  #mostGranted = 0;
  #telling = false;

  private constructor(cluster: KubernetesCluster, tell: (place: ClaimPlace, claim: string) => void) {
    this.#cluster = cluster;
    this.#tell = tell;
  }

  /** Tells each claim once, in the moment in which it is seen; those that stand already are not told. */
  static async start(world: RealWorld, tell: (place: ClaimPlace, claim: string) => void): Promise<ClaimWatch> {
    const watch = new ClaimWatch(clusterOf(world.controlPlane, "watcher"), tell);
    await Promise.all([
      watch.#follow<Fleet>(FLEET, FLEET_NAMESPACE, (fleet) => {
        const { disruptions = [] } = fleet.status ?? {};
        watch.#mostGranted = Math.max(watch.#mostGranted, disruptions.length);
        for (const { pop, id, kind } of disruptions) watch.#see("grant", `${kind} ${id} of ${pop}`);
      }),
      watch.#follow<PopCluster>(POP_CLUSTER, FLEET_NAMESPACE, ({ status }) => {
        for (const { step, name, token } of status?.nodes ?? []) if (step === "Claimed") watch.#see("ledger", `${name} by ${token}`);
      }),
      watch.#follow<NodeObject>(NODE, undefined, ({ metadata }) => {
        const claim = metadata.annotations?.[CLAIM_ANNOTATION];
        if (claim !== undefined && !claim.startsWith(RELEASED_PREFIX)) watch.#see("node", `${metadata.name} by ${claim}`);
      }),
      watch.#follow<LeaseObject>(LEASE, FLEET_NAMESPACE, ({ metadata, spec }) => {
        if (metadata.name === "rollward") watch.#leader = spec?.holderIdentity ?? "";
      }),
    ]);
    watch.#telling = true;
    return watch;
  }

  /** The identity that holds the lease. */
  get leader(): string {
    return this.#leader;
  }

  /** The most grants that stood in the Fleet's ledger at once. */
  get mostGranted(): number {
    return this.#mostGranted;
  }

  async stop(): Promise<void> {
    await this.#cluster.close();
  }

  async #follow<T extends KubernetesObject>(kind: Kind<T>, namespace: string | undefined, look: (object: T) => void): Promise<void> {
    const cache = this.#cluster.cache<T>(kind, namespace === undefined ? {} : { namespace });
    cache.onChange((object, deleted) => {
      if (!deleted) look(object);
    });
    await cache.whenSynced();
    for (const object of cache.list()) look(object);
  }

  #see(place: ClaimPlace, claim: string): void {
    const key = `${place}: ${claim}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    if (this.#telling) this.#tell(place, claim);
  }
}
