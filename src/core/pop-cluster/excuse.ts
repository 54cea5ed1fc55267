import type { PopRun } from "../../api/pop-cluster.ts";
import type { Hold, Instant } from "../decision.ts";
import { excuseOf, type Neighbour } from "../health/neighbours.ts";
import { elapsedOf, run as runTimer } from "../rollout/timer.ts";
import { isNeighbour, type PopHealthView } from "./health.ts";
import { milliseconds } from "./milliseconds.ts";
import type { Outcome } from "./outcome.ts";
import type { PopView } from "./view.ts";

/**
 * Neighbours that were bad before our first write excuse a node's own check, for at most `onUnknown.hold` (P10). The outcome is the hold,
 * and the ledger when the excuse begins; undefined: nothing excuses it.
 */
export function excuseFor(view: PopView, run: PopRun, health: PopHealthView, now: Instant): Outcome | undefined {
  const before = new Map((run.baseline ?? []).map((entry) => [entry.name, entry.verdict]));
  const neighbours = view.nodes
    .filter((node) => isNeighbour(view, node))
    .map((node): Neighbour => {
      const was = before.get(node.member.name);
      return {
        name: node.member.name,
        ...(was ? { before: was as Neighbour["now"] } : {}),
        now: health.nodes.get(node.member.uid)?.verdict ?? "Unknown",
      };
    });
  const timer = runTimer(run.timers.excuse, now);
  const limit = milliseconds(view.seen.pop.spec.health.onUnknown.hold);
  const excuse = excuseOf(neighbours, elapsedOf(timer, now), limit);
  if (!excuse.excused) return undefined;
  const until = now + limit - elapsedOf(timer, now);
  const held: Hold = {
    rule: "P10",
    reason: "HealthUnknown",
    message: "the node just updated is bad, but so were its neighbours before the first write; that excuses the version until then",
    until,
  };
  if (run.timers.excuse?.since !== undefined) return { holds: [held], wakes: [until] };
  return {
    ledger: { ...view.seen.pop.status, run: { ...run, timers: { ...run.timers, excuse: { ...timer, since: timer.since! } } } },
    holds: [held],
  };
}
