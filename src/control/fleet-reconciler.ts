import type { Fleet, FleetStatus } from "../api/fleet.ts";
import type { PopCluster } from "../api/pop-cluster.ts";
import { FLEET, POP_CLUSTER } from "../api/resources.ts";
import type { Decision } from "../core/decision.ts";
import { decide } from "../core/fleet/decide.ts";
import type { FleetObservation, LiveAnswer, Partners } from "../core/fleet/observation.ts";
import { fleetPopOf } from "../core/fleet/pop.ts";
import { entriesToConfirm } from "../core/fleet/strike.ts";
import { oncePer } from "../core/once-per.ts";
import { canonicalJson } from "../core/canonical-json.ts";
import type { Reconciler } from "../runtime/reconcile.ts";
import { announce } from "./announce.ts";
import type { HubCaches } from "./hub-caches.ts";
import type { Cluster, EventSink } from "./ports.ts";
import { asWritten } from "./status-refused.ts";
import type { Told } from "./told.ts";

export interface FleetReconcilerPorts {
  readonly hub: Cluster;
  readonly hubCaches: HubCaches;
  readonly events: EventSink;
  readonly told: Told;
  readonly namespace: string;
  readonly tzdata: string;
  /** Who shares two-tunnel sites with whom, as it is now. */
  readonly partners: () => Partners;
}

export interface ObservedFleet {
  readonly fleet: Fleet;
  readonly seen: FleetObservation;
}

/** The whole fleet is looked at when one PoP asks, and most of the others are the same objects as before. */
const seenPop = oncePer((pop: PopCluster, _: undefined) => fleetPopOf(pop));

type FleetDecision = Decision<FleetStatus, never>;

/** The Fleet on the one loop (rule G14): its status is the ledger of grants, and only the object that is compared-and-set is counted. */
export class FleetReconciler implements Reconciler<ObservedFleet, FleetStatus, never, never, FleetDecision> {
  readonly kind = "Fleet";
  readonly #ports: FleetReconcilerPorts;

  constructor(ports: FleetReconcilerPorts) {
    this.#ports = ports;
  }

  async observe(key: string): Promise<ObservedFleet | undefined> {
    const fleet = this.#ports.hubCaches.fleets.get(key, this.#ports.namespace);
    return fleet && this.#observed(fleet);
  }

  async observeLive(key: string): Promise<ObservedFleet | undefined> {
    const fleet = await this.#ports.hub.get<Fleet>(FLEET, key, this.#ports.namespace);
    return fleet && this.#observed(fleet);
  }

  decide({ fleet, seen }: ObservedFleet, now: number): FleetDecision {
    const decision = decide(seen, now);
    const same = decision.status === undefined || canonicalJson(decision.status) === canonicalJson(fleet.status ?? {});
    if (!same) return decision;
    const { status: _, ...rest } = decision;
    return { ...rest, events: [] };
  }

  async claim({ fleet }: ObservedFleet, status: FleetStatus): Promise<undefined> {
    const what = `Fleet ${fleet.metadata.name}`;
    const written = await asWritten(what, status, this.#ports.hub.updateStatus<Fleet>(FLEET, { ...fleet, status }));
    this.#ports.told.fleet(written);
    return undefined;
  }

  act(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  isDisruptive(): boolean {
    return false;
  }

  tell(key: string, { fleet }: ObservedFleet, decision: FleetDecision, done: "Claimed" | "Acted" | "Rested"): void {
    const { events, told } = this.#ports;
    if (done === "Rested") return told.fleet(fleet);
    const { metadata, apiVersion } = fleet;
    announce(events, decision.events, { apiVersion, kind: this.kind, metadata });
    told.decided({ kind: this.kind, namespace: metadata.namespace ?? "", name: key, decision });
  }

  forget(): void {}

  /** Entries that a cache alone must not strike are read live (G14). */
  async #observed(fleet: Fleet): Promise<ObservedFleet> {
    const { hub, hubCaches, namespace, tzdata } = this.#ports;
    const pops = hubCaches.pops.list().map((pop) => seenPop(pop, undefined));
    const confirm = entriesToConfirm(fleet.status?.disruptions ?? [], pops);
    const answers = await Promise.all(
      confirm.map(async (entry): Promise<readonly [string, LiveAnswer]> => {
        const pop = await hub.get<PopCluster>(POP_CLUSTER, entry.pop, namespace);
        return [
          entry.pop,
          pop ? { found: true, uid: pop.metadata.uid, ...(pop.status?.grant ? { grant: pop.status.grant } : {}) } : { found: false },
        ];
      }),
    );
    const seen: FleetObservation = {
      fleet: { generation: fleet.metadata.generation ?? 0, spec: fleet.spec, status: fleet.status ?? {} },
      pops,
      partners: this.#ports.partners(),
      live: new Map(answers),
      tzdata,
    };
    return { fleet, seen };
  }
}
