import type { WaitingReason } from "../../api/reasons.ts";
import type { Instant } from "../decision.ts";
import { windowOf } from "./brakes.ts";
import type { Outcome } from "./outcome.ts";
import { isInHand, type PopView } from "./view.ts";
import { goBack } from "./verdict.ts";

/** What says that this occurrence lets no further node start, and that nobody need correct anything. */
const OVER: ReadonlySet<WaitingReason> = new Set(["OutsideWindow", "LastStartPassed", "Frozen"]);

/**
 * `onWindowEnd: RollBack`: a PoP that is half rolled when its window lets nothing more start goes back as a whole, without a verdict on
 * the version: in the next window it is tried again (W5).
 */
export function windowEnd(view: PopView, now: Instant): Outcome | undefined {
  const { run } = view;
  if (!run || run.kind !== "Roll" || run.state !== "Rolling" || run.ending || run.back === undefined || run.back === run.revision)
    return undefined;
  if (view.seen.pop.spec.strategy.onWindowEnd !== "RollBack" || run.timers.watch !== undefined) return undefined;
  const gate = windowOf(view, now);
  if (gate.open || !OVER.has(gate.hold.reason)) return undefined;
  const begun = view.nodes.filter((node) => node.member.label === view.label(run.revision));
  const untouched = view.nodes.some((node) => node.entry?.step === "Pending");
  if (begun.length === 0 || !untouched || view.nodes.some((node) => isInHand(node.entry))) return undefined;
  const evidence = `the window lets no further node start with ${begun.length} of ${run.frozen.members.length} nodes on ${run.version}, and onWindowEnd is RollBack; ${run.version} has no verdict and is tried again`;
  return goBack(view, run, evidence, now);
}
