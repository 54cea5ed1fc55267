import type { Disruption, Fleet } from "../../../src/api/fleet.ts";
import type { World } from "../../../src/simulation/world.ts";
import type { Findings } from "../findings.ts";
import type { FleetTruth } from "./fleet-truth.ts";
import type { PartnerTruth } from "./partner-truth.ts";

export interface GrantSettings {
  readonly clock: World["clock"];
  readonly truth: FleetTruth;
  readonly partners: PartnerTruth;
  readonly findings: Findings;
  readonly isPaused: (kind: string, name: string) => boolean;
}

const UNFORESEEN = 15_000;

/** What the Fleet's ledger may say next (G14, F2, F3), judged from its own limits, nodes and reports of tunnels. */
export class GrantInvariants {
  readonly #its: GrantSettings;
  readonly #since = new Map<string, number>();

  constructor(settings: GrantSettings) {
    this.#its = settings;
  }

  /** Elapsed instant at which the entry of this PoP was written; undefined without one. */
  grantedAt = (uid: string): number | undefined => this.#since.get(uid);

  changed(fleet: Fleet, before: Fleet | undefined): void {
    const entries = fleet.status?.disruptions ?? [];
    const stood = before?.status?.disruptions ?? [];
    const isIn = (list: readonly Disruption[], { uid, id }: Disruption) => list.some((one) => one.uid === uid && one.id === id);
    for (const gone of stood.filter((one) => !isIn(entries, one))) this.#struck(gone);
    for (const added of entries.filter((one) => !isIn(stood, one))) {
      this.#since.set(added.uid, this.#its.clock.elapsed());
      this.#granted(fleet, entries, added);
    }
  }

  #granted({ spec }: Fleet, entries: readonly Disruption[], added: Disruption): void {
    const { findings, isPaused } = this.#its;
    const count = (what: string, counted: readonly Disruption[], most: number) => {
      if (counted.length > most)
        findings.violated("G14", `${added.pop} is granted a ${added.kind} as one of ${counted.length} ${what}; at most ${most}`);
    };
    findings.trace(`granted: ${added.pop} ${added.kind} ${added.id}`);
    this.#partnersRest(added, entries);
    if (added.kind === "Rollback")
      return count(
        "rollbacks",
        entries.filter(({ kind }) => kind === "Rollback"),
        spec.maxConcurrentRollbacks,
      );
    count(
      "rolls",
      entries.filter(({ kind }) => kind === "Roll"),
      spec.maxConcurrentPoPs,
    );
    if (added.region !== undefined)
      count(
        `disruptions in ${added.region}`,
        entries.filter(({ region }) => region === added.region),
        spec.maxConcurrentPerRegion,
      );
    if (isPaused("Fleet", "fleet")) findings.violated("I7", `${added.pop} is granted a roll after Fleet fleet said Paused=True`);
    if (entries.some(({ uid }) => uid !== added.uid) && entries.filter(({ uid }) => uid === added.uid).length > 1)
      findings.violated("G14", `${added.pop} has two entries in the ledger`);
  }

  /** F2: no entry beside a partner's; and no roll forward while a partner serves nobody, whoever took it out (F3). */
  #partnersRest(added: Disruption, entries: readonly Disruption[]): void {
    const { partners, truth, findings, clock } = this.#its;
    for (const partner of partners.partnersOf(added.pop)) {
      if (entries.some(({ pop, uid }) => pop === partner && uid !== added.uid))
        findings.violated("F2", `${added.pop} is granted a ${added.kind} beside ${partner}, with which it shares a site`);
      const nodes = truth.nodesOf(partner).filter(({ served }) => served);
      const dark = nodes.length > 0 && nodes.every(({ outSince }) => (outSince ?? Infinity) < clock.elapsed() - UNFORESEEN);
      const own = truth.nodesOf(added.pop).some(({ served, outSince }) => served && outSince !== undefined);
      if (added.kind === "Roll" && dark && !own && !truth.justEdited(`PoPCluster/${partner}`))
        findings.violated("F2", `${added.pop} may roll while no node of ${partner}, with which it shares a site, serves`);
    }
  }

  #struck({ pop, uid, id }: Disruption): void {
    const { truth, findings } = this.#its;
    this.#since.delete(uid);
    const held = truth.nodesOf(pop).filter(({ ours }) => ours);
    const { metadata, status } = truth.pops.get(pop) ?? {};
    if (metadata?.uid !== uid || status?.grant?.id !== id) return;
    // What is not returned holds for nodes between two labels too.
    if (status.grant.state === "Asked" ? held.length > 0 : held.some(({ object }) => !isLabelless(object)))
      findings.violated(
        "G14",
        `grant ${id} of ${pop} is struck while ${held.map(({ object }) => object.metadata.name).join(", ")} is out by our hand`,
      );
  }
}

/** What RollbackFailed left out stays without a label, and returns its grant all the same. */
const isLabelless = ({ metadata }: { metadata: { labels?: Readonly<Record<string, string>> } }): boolean =>
  metadata.labels?.["rollward.dev/revision"] === undefined;
