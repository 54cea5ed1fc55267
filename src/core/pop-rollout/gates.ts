import type { Hold, Instant } from "../decision.ts";
import { cleanText } from "../text.ts";
import { eligibilityOf } from "./eligibility.ts";
import { excludedFrom } from "./excluded.ts";
import { otherHold } from "./other-rollouts.ts";
import { problemsOf } from "./problems.ts";
import { hasBegun, isEnding, type RolloutView } from "./view.ts";

/** Whether anything keeps the next wave shut, whichever it is, and what of it nobody else tells. */
export interface Gate {
  readonly shut: boolean;
  readonly holds: readonly Hold[];
}

/** What has to be true before any wave opens (rules F1, F4–F8, G13); then the wave itself has the say. */
export function gateOf(view: RolloutView, now: Instant): Gate {
  // What ended or halted it, a stage and an emergency tell of themselves.
  if (isEnding(view)) return { shut: true, holds: [] };
  const problems = problemsOf(view, now).map(({ reason, message }): Hold => ({ rule: RULE_OF[reason], reason, message }));
  const others = [pauseHold(view), fleetHold(view), otherHold(view, now), nobodyHold(view, now)].filter((hold) => hold !== undefined);
  const evidence = (view.ledger.stages ?? []).some(({ state }) => state === "Waiting" || state === "Failed");
  const unapproved = view.emergency && view.ledger.emergency === undefined;
  const holds = [...problems, ...others];
  return { shut: holds.length > 0 || evidence || unapproved, holds };
}

const RULE_OF = { StartInvalid: "F1", WavesInvalid: "F1", RangeInvalid: "F8", SupersedesUnknown: "F5" } as const;

/** A person's pause of the rollout, or of the whole fleet (rule G13). */
export function pauseHold({ spec, seen: { rollout, fleet } }: RolloutView): Hold | undefined {
  if (spec.paused)
    return { rule: "G13", reason: "Paused", message: `PoPRollout ${rollout.name} is paused by spec.paused; rollward resume lifts it` };
  if (fleet.found && fleet.paused)
    return { rule: "G13", reason: "FleetPaused", message: "the Fleet is paused; spec.paused of the Fleet lifts it" };
  return undefined;
}

function fleetHold({ seen: { fleet, rollout } }: RolloutView): Hold | undefined {
  if (fleet.found) return undefined;
  const message = `there is no Fleet object named fleet in namespace ${rollout.namespace}, so nothing can be granted; create one`;
  return { rule: "G14", reason: "FleetMissing", message };
}

/**
 * Before anything has begun a fleet without any PoP for it is one that is still being written: nothing is over by that. It is told before
 * anybody approves or gives evidence, with what each PoP runs instead.
 */
export function nobodyHold(view: RolloutView, now: Instant): Hold | undefined {
  if (hasBegun(view) || view.assignments.length > 0) return undefined;
  const found = [...view.pops.values()].some((pop) => !pop.deleting && eligibilityOf(view, pop, now).kind !== "Skipped");
  if (found) return undefined;
  const excluded = excludedFrom(view, now);
  const why =
    view.pops.size === 0
      ? "there is no PoPCluster"
      : excluded.length === 0
        ? `all of the ${view.pops.size} PoPs are being deleted`
        : `none of the ${view.pops.size} PoPs may get it: ${excluded.map(({ reason, message }) => `${message} (${reason})`).join("; ")}`;
  const range = view.spec.from !== undefined && excluded.some(({ reason }) => reason === "OtherBase");
  const instead = range ? `; write a spec.from that includes what they run, or bring them to it first` : "";
  return { rule: "F1", reason: "NoMembers", message: cleanText(`${view.version} has nowhere to go: ${why}${instead}`, 1024) };
}
