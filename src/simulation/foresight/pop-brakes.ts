import type { Fleet } from "../../api/fleet.ts";
import type { MaintenanceWindow } from "../../api/maintenance-window.ts";
import type { PopCluster } from "../../api/pop-cluster.ts";
import type { Hold, Instant } from "../../core/decision.ts";
import type { PopAssignment, PopAssignments } from "../../core/rollout/assignment.ts";

/** What a PoP sees of everything else. */
export interface Surroundings {
  readonly fleet: Fleet | undefined;
  readonly window: MaintenanceWindow | undefined;
  readonly assigned: PopAssignments;
}

export const held = (reason: Hold["reason"], rule: string, message: string): Hold => ({ rule, reason, message });

/** A person's pin, else what a rollout assigns (rule P12). */
export const wantedOf = ({ spec }: PopCluster, { assigned }: Surroundings): string | undefined => spec.version ?? assigned.version?.version;

/** The assignment that brings this version; a pin is nobody's (rule P12). */
export const bringing = ({ spec }: PopCluster, { assigned }: Surroundings, version: string | undefined): PopAssignment | undefined =>
  spec.version === undefined && assigned.version?.version === version ? assigned.version : undefined;

/** From when the notice counts (rule W3). */
export function announcedAt({ status }: PopCluster, assignment: PopAssignment | undefined, now: Instant): Instant {
  if (assignment === undefined) return status?.announcedAt === undefined ? now : Date.parse(status.announcedAt);
  return Math.max(Date.parse(assignment.announcedAt), assignment.seenAt === undefined ? now : Date.parse(assignment.seenAt));
}

/** What holds the way forward beside window and grant: pauses, orders, a partner that waits to go back (rules G13, F10). */
export function brakeOn({ spec, metadata, status }: PopCluster, { fleet, assigned }: Surroundings): Hold | undefined {
  if (spec.paused) return held("Paused", "G13", `PoPCluster ${metadata.name} is paused by spec.paused`);
  if (fleet === undefined) return held("FleetMissing", "G14", "there is no Fleet that could grant it a disruption");
  if (fleet.spec.paused) return held("FleetPaused", "G13", "the Fleet is paused");
  if (status?.unreachable) return held("ClusterUnreachable", "P17", "its own cluster cannot be reached");
  const { version: assignment } = assigned;
  if (assignment !== undefined && spec.version === undefined && assignment.order !== "Go")
    return held("Paused", "G13", assignment.because ?? `PoPRollout ${assignment.rollout} holds it`);
  const waits = fleet.status?.waiting?.find(
    ({ kind, pop, partners }) => kind === "Rollback" && pop !== metadata.name && partners?.includes(metadata.name),
  );
  return waits && held("PartnerDisrupted", "F10", `its partner ${waits.pop} waits to roll back`);
}

/** The Fleet's ledger has the grant that was asked for (rule G14). */
export function isGranted({ metadata, status }: PopCluster, fleet: Fleet | undefined): boolean {
  const grant = status?.grant;
  return (
    grant?.state === "Asked" && (fleet?.status?.disruptions ?? []).some((entry) => entry.uid === metadata.uid && entry.id === grant.id)
  );
}

/** A version with a failed verdict is not tried again unless somebody says so (rule G8). */
export function failedHere({ status }: PopCluster, version: string, assignment: PopAssignment | undefined): Hold | undefined {
  const failed = status?.revisions?.failed?.find((one) => one.version === version);
  if (failed === undefined || (assignment?.retryAt !== undefined && Date.parse(assignment.retryAt) > Date.parse(failed.at)))
    return undefined;
  return held("FailedBefore", "G8", `${version} failed here at ${failed.at}: ${failed.evidence}`);
}
