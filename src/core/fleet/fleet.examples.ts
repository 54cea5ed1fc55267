import { fleetSpec, type FleetSpec, type FleetStatus } from "../../api/fleet.ts";
import type { FleetObservation, FleetPop } from "./observation.ts";

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
  ...changes,
});

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

export const fleetOf = (
  spec: Partial<FleetSpec>,
  pops: readonly FleetPop[],
  status: FleetStatus = {},
  rest: Partial<FleetObservation> = {},
): FleetObservation => ({ fleet: { generation: 1, spec: fleetSpec.parse(spec), status }, pops, live: new Map(), tzdata: "2026c", ...rest });
