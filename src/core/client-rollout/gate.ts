import type { ClientGate, ClientNumbers, StageRecord } from "../../api/client-rollout.ts";
import { parseDuration } from "../time/duration.ts";

/** What has to be shown before the next stage opens. */
export type Gate = Pick<ClientGate, "attemptedAtLeast" | "failedPercentAtMost" | "patience"> & {
  /** Milliseconds after which a stage in which nobody is eligible passes; absent: a person decides. */
  readonly emptyAfter?: number;
};

export type GateVerdict =
  | { readonly state: "Passed"; readonly outcome: Exclude<NonNullable<StageRecord["outcome"]>, "Approved"> }
  /** Too many failed. Another version mends it, or a person who writes another limit. */
  | { readonly state: "Failed"; readonly found: string }
  /** Too few so far; `left` milliseconds of patience. */
  | { readonly state: "Waits"; readonly left: number; readonly found: string }
  /** Too few, and the patience is over: an Approval decides. */
  | { readonly state: "Undecided"; readonly found: string }
  /** Nothing was counted. */
  | { readonly state: "Unknown" };

/** Of those that can be reached, so many have to have attempted when fewer than the minimum are judged. */
const FEW_PERCENT = 80;

/**
 * The verdict of a gate (rule C4) after its stage lasted `elapsed` milliseconds: failed of attempted, with a minimum attempted; fewer are
 * judged when its patience is over, if nearly all that can be reached attempted. Who cannot be reached blocks nothing, and is told apart;
 * nobody attempted is no evidence, and no success. A stage in which nobody is eligible passes as an empty wave does (rule G4).
 */
export function gateOf(gate: Gate, numbers: ClientNumbers | undefined, elapsed: number): GateVerdict {
  if (numbers === undefined) return { state: "Unknown" };
  const { eligible, attempted, failed, unreachable } = numbers;
  const found = foundText(numbers);
  const judged = (outcome: "Passed" | "FewButPassed"): GateVerdict =>
    failed * 100 > gate.failedPercentAtMost * attempted
      ? { state: "Failed", found: `${found}: more than ${gate.failedPercentAtMost} %` }
      : { state: "Passed", outcome };
  if (attempted >= gate.attemptedAtLeast) return judged("Passed");
  if (eligible === 0 && gate.emptyAfter !== undefined) {
    const left = gate.emptyAfter - elapsed;
    return left <= 0 ? { state: "Passed", outcome: "NobodyEligible" } : { state: "Waits", left, found };
  }
  const left = (parseDuration(gate.patience) ?? Infinity) - elapsed;
  if (left > 0) return { state: "Waits", left, found };
  const reachable = Math.max(0, eligible - unreachable);
  return attempted > 0 && attempted * 100 >= FEW_PERCENT * reachable ? judged("FewButPassed") : { state: "Undecided", found };
}

const foundText = ({ eligible, attempted, failed, unreachable }: ClientNumbers): string =>
  `${attempted} of ${eligible} eligible devices attempted it, ${failed} failed, ${unreachable} cannot be reached`;
