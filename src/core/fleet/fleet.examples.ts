import { fleetSpec, type FleetSpec, type FleetStatus, type WaitingForGrant } from "../../api/fleet.ts";
import type { FleetObservation, FleetPop, Partners } from "./observation.ts";

/** Objects for the tests of this folder. */
export const NOON = Date.UTC(2026, 10, 22, 12);

export const pop = (name: string, changes: Partial<FleetPop> = {}): FleetPop => ({
  name,
  uid: `uid-${name}`,
  region: "eu",
  deleting: false,
  version: "2026.11.1",
  members: { total: 4, out: 0 },
  takesOut: { Roll: 1, Rollback: 1 },
  degraded: false,
  unfinished: false,
  emergency: false,
  unreachable: false,
  failedSessions: 0,
  ...changes,
});

/** Partners from pairs, `["fra1", "ams1", 3]`: three sites have a tunnel to each of both. */
export const partnersOf = (...pairs: readonly (readonly [string, string, number?])[]): Partners => {
  const of = new Map<string, Map<string, number>>();
  const add = (one: string, other: string, sites: number) => of.set(one, (of.get(one) ?? new Map<string, number>()).set(other, sites));
  for (const [one, other, sites = 1] of pairs) {
    add(one, other, sites);
    add(other, one, sites);
  }
  return of;
};

export const asks = (name: string, kind: "Roll" | "Rollback", changes: Partial<FleetPop> & { id?: number } = {}): FleetPop => {
  const { id = 1, ...rest } = changes;
  return pop(name, { grant: { id, kind, state: "Asked" }, ...rest });
};

export const entry = (name: string, kind: "Roll" | "Rollback" = "Roll", id = 1) => ({
  pop: name,
  uid: `uid-${name}`,
  id,
  kind,
  region: "eu",
  since: "2026-11-22T11:00:00Z",
});

/** Who asks has done so long enough ago to be decided on (rule G7), where the status does not say otherwise. */
export const fleetOf = (
  spec: Partial<FleetSpec>,
  pops: readonly FleetPop[],
  status: FleetStatus = {},
  rest: Partial<FleetObservation> = {},
): FleetObservation => ({
  fleet: {
    generation: 1,
    spec: fleetSpec.parse(spec),
    status: { ...status, waiting: [...(status.waiting ?? []), ...askedBefore(pops, status.waiting)] },
  },
  pops,
  partners: new Map(),
  live: new Map(),
  tzdata: "2026c",
  ...rest,
});

/** The queue as it stands when all of them asked in the same second, a minute ago. */
const askedBefore = (pops: readonly FleetPop[], told: readonly WaitingForGrant[] = []): WaitingForGrant[] =>
  pops.flatMap(({ name, uid, grant }) =>
    grant?.state === "Asked" && !told.some((one) => one.uid === uid && one.id === grant.id)
      ? [{ pop: name, uid, id: grant.id, kind: grant.kind, since: "2026-11-22T11:59:00Z", rule: "G7", reason: "RegionBusy", message: "" }]
      : [],
  );
