import type { PopRolloutStatus } from "../../api/pop-rollout.ts";
import type { Instant } from "../decision.ts";
import { cleanText } from "../text.ts";
import { decidedText, rulingOf } from "./approvals.ts";
import { rolloutDigest } from "./digest.ts";
import { iso, type Outcome } from "./outcome.ts";
import { isEnding, type RolloutView } from "./view.ts";

type Lifted = NonNullable<PopRolloutStatus["freezesLifted"]>[number];
const MOST_LIFTED = 8;

/** The names of all freezes that there are, of the Fleet and of the PoPs' windows. */
const namesOf = ({ fleet, windows }: RolloutView["seen"]): ReadonlySet<string> =>
  new Set(
    [...(fleet.found ? fleet.freezes : []), ...[...windows.values()].flatMap(({ spec }) => spec.freezes ?? [])].map(({ name }) => name),
  );

/**
 * Freezes that Approvals lift by name, for the rollout or for one wave; once used, they stay lifted for it (rule F8). A name that no
 * freeze has is not kept: it lifts nothing, and would take one of the few places.
 */
export function freezesLifted(view: RolloutView, now: Instant): Outcome | undefined {
  if (isEnding(view) || view.ledger.standing) return undefined;
  const known = view.ledger.freezesLifted ?? [];
  const names = namesOf(view.seen);
  const targets = [
    { digest: rolloutDigest(view) },
    ...view.waves.flatMap(({ name, digest }) => (digest === undefined ? [] : [{ digest, wave: name }])),
  ];
  const found = targets.flatMap(({ digest, ...target }): { lifted: Lifted; text: string }[] => {
    const { decision, approval } = rulingOf(view, "LiftFreeze", digest, now);
    if (decision !== "Approved" || known.some((one) => one.approval === approval!.name)) return [];
    const { approvedBy } = approval!.spec;
    const freezes = (approval!.spec.freezes ?? []).filter((name) => names.has(name));
    if (freezes.length === 0) return [];
    const lifted = { approval: approval!.name, by: cleanText(approvedBy, 256), at: iso(now), freezes, ...target };
    return [{ lifted, text: decidedText(approval!) }];
  });
  const taken = found.slice(0, MOST_LIFTED - known.length);
  if (taken.length === 0) return undefined;
  return {
    ledger: { ...view.ledger, freezesLifted: [...known, ...taken.map(({ lifted }) => lifted)] },
    events: taken.map(({ lifted, text }) => ({
      type: "Warning",
      reason: "FreezeLifted",
      action: "Approve",
      message: `freezes ${lifted.freezes.join(", ")} do not hold ${lifted.wave === undefined ? "this rollout" : `wave ${lifted.wave}`}: ${text}`,
    })),
  };
}

/** The freezes that do not hold the PoPs of this wave. */
export const liftedFor = (view: RolloutView, wave: string): string[] =>
  [
    ...new Set(
      (view.ledger.freezesLifted ?? []).filter((one) => one.wave === undefined || one.wave === wave).flatMap((one) => one.freezes),
    ),
  ].slice(0, MOST_LIFTED);
