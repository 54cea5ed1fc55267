import type { Fleet } from "../api/fleet.ts";
import type { Partners } from "../core/fleet/observation.ts";

/** Whom a change of the Fleet concerns: everybody when its spec is another one, else these PoPs. */
export interface Concerned {
  readonly everybody: boolean;
  readonly pops: readonly string[];
}

/**
 * Which PoPs look again when the Fleet changed: those of whom its ledger says something else than before. It is written with every grant
 * that anybody gets or gives back, and two hundred others that wait or rest have nothing to look at.
 */
export class FleetChanges {
  #last: Fleet | undefined;

  of(fleet: Fleet, deleted: boolean, partners: Partners): Concerned {
    const before = this.#last;
    this.#last = deleted ? undefined : fleet;
    if (deleted || specOf(before) !== specOf(fleet)) return { everybody: true, pops: [] };
    // Both with the partners of now: who became one meanwhile was told of that, and has to be told when the other is done.
    const [then, now] = [sharesOf(before, partners), sharesOf(fleet, partners)];
    return { everybody: false, pops: [...new Set([...then.keys(), ...now.keys()])].filter((pop) => then.get(pop) !== now.get(pop)) };
  }
}

const specOf = (fleet: Fleet | undefined): string | undefined => fleet && `${fleet.metadata.uid}/${fleet.metadata.generation}`;

/** Of each PoP what it reads: its own entries, a partner's beside it, a rollback that waits until it is whole (rules G14, F2, F10). */
function sharesOf(fleet: Fleet | undefined, partners: Partners): ReadonlyMap<string, string> {
  const shares = new Map<string, string>();
  const tell = (pop: string, ...what: readonly (string | number)[]) => void shares.set(pop, (shares.get(pop) ?? "") + JSON.stringify(what));
  for (const { pop, uid, id } of fleet?.status?.disruptions ?? []) {
    tell(pop, "granted", uid, id);
    for (const partner of partners.get(pop)?.keys() ?? []) tell(partner, "beside", pop);
  }
  for (const { pop, uid, id, kind, rule, reason, message, partners: named = [] } of fleet?.status?.waiting ?? []) {
    if (reason === "PartnerDisrupted") tell(pop, "waits", uid, id, rule, message);
    if (kind === "Rollback") for (const partner of named) tell(partner, "keeps", pop);
  }
  return shares;
}
