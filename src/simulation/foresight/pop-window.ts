import type { Fleet } from "../../api/fleet.ts";
import type { MaintenanceWindow } from "../../api/maintenance-window.ts";
import type { PopClusterSpec } from "../../api/pop-cluster.ts";
import type { Hold, Instant } from "../../core/decision.ts";
import type { PopAssignment } from "../../core/rollout/assignment.ts";
import { parseDuration } from "../../core/time/duration.ts";
import { freezeGate } from "../../core/window/freeze-gate.ts";
import { windowGate, type WindowGate } from "../../core/window/gate.ts";
import type { UsableOccurrence } from "../../core/window/last-start.ts";

export interface WindowFacts {
  readonly spec: PopClusterSpec;
  readonly window: MaintenanceWindow | undefined;
  readonly fleet: Fleet | undefined;
  /** What the way forward carries out; absent: a person pinned the version. */
  readonly assignment: PopAssignment | undefined;
  readonly announcedAt: Instant | undefined;
}

/** `until`: the answer is the same before then. An emergency and content have no occurrence. */
export type Gate =
  | { readonly open: true; readonly until: Instant; readonly occurrence?: UsableOccurrence }
  | { readonly open: false; readonly until: Instant; readonly hold: Hold };

/** May a node of this PoP be started now (rules W1 to W10, F1, F8)? The same question that the PoP's controller asks of core/window. */
export function gateAt({ spec, window, fleet, assignment, announcedAt }: WindowFacts, now: Instant): Gate {
  if (window === undefined) {
    const message = `MaintenanceWindow ${spec.windowRef.name} does not exist; nothing starts until it does`;
    return { open: false, until: Infinity, hold: { rule: "W10", reason: "WindowInvalid", message } };
  }
  const lifted = new Set(assignment?.liftedFreezes);
  const stands = ({ name }: { readonly name: string }) => !lifted.has(name);
  const freezes = (fleet?.spec.freezes ?? []).filter(stands);
  const ofWindow = (window.spec.freezes ?? []).filter(stands);
  if (assignment?.class === "Emergency") return frozenAt([...freezes, ...ofWindow], spec.timeZone, now, "Disruption");
  const notice = parseDuration(window.spec.notice ?? "") ?? 0;
  const dated = assignment !== undefined && (assignment.from !== undefined || assignment.to !== undefined);
  return gate(
    windowGate({
      name: window.metadata.name,
      spec: lifted.size === 0 ? window.spec : { ...window.spec, freezes: ofWindow },
      zone: spec.timeZone,
      now,
      pieceMilliseconds: parseDuration(spec.strategy.perNode.expected) ?? 0,
      freezes,
      startDates: dated ? { from: assignment.from, to: assignment.to, of: `PoPRollout ${assignment.rollout}` } : undefined,
      ...(notice > 0 && announcedAt !== undefined ? { announcedAt, noticeMilliseconds: notice } : {}),
    }),
  );
}

function gate(answer: WindowGate): Gate {
  if (!answer.open) return { open: false, until: answer.hold.until ?? Infinity, hold: answer.hold };
  // The last start itself may still be used.
  return { open: true, until: answer.occurrence.lastStart + 1, occurrence: answer.occurrence };
}

/** Freezes alone: for emergencies, and for content (rule P15). */
export function frozenAt(freezes: NonNullable<Fleet["spec"]["freezes"]>, zone: string, now: Instant, act: "Disruption" | "Content"): Gate {
  const hold = freezeGate({ freezes, zone, now, act });
  if (hold !== undefined) return { open: false, until: hold.until ?? Infinity, hold };
  const begins = freezes.map(({ from }) => Date.parse(from) - FIRST_CLOCK).filter((at) => at > now);
  return { open: true, until: Math.min(Infinity, ...begins, now + LOOK_AGAIN) };
}

/** The easternmost clocks are so far ahead: no freeze begins earlier. */
const FIRST_CLOCK = 14 * 3_600_000;
/** Within a freeze's first day the zone decides. */
const LOOK_AGAIN = 15 * 60_000;
