import type { FleetSpec, FleetStatus } from "../../api/fleet.ts";

/** Everything that is known about the Fleet at one moment, as plain data. */
export interface FleetObservation {
  /** The object that the decision is written to, at the version that it is conditional on: only its ledger is counted (rule G14). */
  readonly fleet: { readonly generation: number; readonly spec: FleetSpec; readonly status: FleetStatus };
  /** Every PoPCluster of the fleet namespace; a lagging view only delays. */
  readonly pops: readonly FleetPop[];
  /** Who shares sites with whom; a site that an account merely claims is not in it (rule F2). */
  readonly partners: Partners;
  /** Answers of live reads, by PoP name, for the entries that `entriesToConfirm` names. */
  readonly live: ReadonlyMap<string, LiveAnswer>;
  /** The version of the time-zone data in use. */
  readonly tzdata: string;
}

/**
 * The other PoPs to which the two-tunnel sites of a PoP lead, and how many sites lead there: PoP → partner → sites. Symmetric; a PoP
 * without such a site is not in it.
 */
export type Partners = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** One PoPCluster, as far as grants look at it; `fleetPopOf` makes it from the object. */
export interface FleetPop {
  readonly name: string;
  readonly uid: string;
  readonly region?: string;
  readonly deleting: boolean;
  readonly grant?: AskedGrant;
  /** The version that the whole PoP runs. */
  readonly version?: string;
  /** Absent while the PoP has not reported it. */
  readonly members?: { readonly total: number; readonly out: number };
  /** Nodes that a granted disruption may have out at once. */
  readonly takesOut: { readonly Roll: number; readonly Rollback: number };
  /** More nodes out than its own budget allows, or nodes that RollbackFailed left out (rules F3, G14). */
  readonly degraded: boolean;
  /** A run was begun and is not over: it goes before runs that have not begun (rule F10). */
  readonly unfinished: boolean;
  readonly emergency: boolean;
  /** Its own cluster does not answer: nobody can see whether it serves its sites. */
  readonly unreachable: boolean;
  /** Sessions that nodes held which the version in hand broke, as far as the ledger knows them (rule F10). */
  readonly failedSessions: number;
}

export interface AskedGrant {
  readonly id: number;
  readonly kind: "Roll" | "Rollback";
  readonly state: "Asked" | "Returned";
  /** What it wants to go to; the order among equals depends on it (rule G7). */
  readonly version?: string | undefined;
}

/** What a live GET of a PoPCluster said. */
export type LiveAnswer = { readonly found: false } | { readonly found: true; readonly uid: string; readonly grant?: AskedGrant };
