import type { PopRun } from "../../api/pop-cluster.ts";
import type { Hold, Instant } from "../decision.ts";
import { excuseOf, type Neighbour } from "../health/neighbours.ts";
import { listText } from "../health/wording.ts";
import { elapsedOf, run as runTimer } from "../rollout/timer.ts";
import { isNeighbour, type PopHealthView } from "./health.ts";
import { milliseconds } from "./milliseconds.ts";
import type { NeighbourPop } from "./observation.ts";
import type { Outcome } from "./outcome.ts";
import { type PopView, recordOf } from "./view.ts";

/**
 * Neighbours that were bad before our first write excuse a node's own check, for at most `onUnknown.hold` (P10). The outcome is the hold,
 * and the ledger when the excuse begins; undefined: nothing excuses it.
 */
export function excuseOfNodes(view: PopView, run: PopRun, health: PopHealthView, now: Instant): Outcome | undefined {
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
  const message = "the node just updated is bad, but so were its neighbours before the first write; that excuses the version until then";
  return excuseWhile(view, run, [neighbours], message, now);
}

/**
 * While a version is watched every node of the PoP runs it: the neighbours are the PoPs of the region on the old revision (P10). Each check
 * that fails here must have failed there before our run began, and still; none on the old revision, no excuse. One whose checks nobody
 * reads counts as a neighbour that is not known to be bad.
 */
export function excuseOfRegion(view: PopView, run: PopRun, health: PopHealthView, now: Instant): Outcome | undefined {
  if (run.back === undefined || run.back === run.revision) return undefined;
  const pops = view.seen.neighbours.filter((pop) => pop.revision === run.back);
  const failing = [...new Set(health.checks.filter((check) => check.verdict === "Unhealthy").map((check) => check.name))];
  if (pops.length === 0 || failing.length === 0) return undefined;
  const old = recordOf(view, run.back)?.version ?? run.back;
  const message = `${listText(failing)} fails, and failed at ${listText(pops.map((pop) => pop.name))}, of the same region and on ${old}, before the first write; that excuses ${run.version} until then`;
  const neighbours = failing.map((check) => pops.map((pop) => neighbourBy(pop, check, Date.parse(run.startedAt))));
  return excuseWhile(view, run, neighbours, message, now);
}

/** A PoP by its verdicts on one check, over all of its nodes; `began`: what turned bad after it is no baseline. */
function neighbourBy({ name, checks }: NeighbourPop, check: string, began: Instant): Neighbour {
  const bad = checks.filter((one) => one.name === check && one.verdict === "Unhealthy");
  if (bad.length === 0) return { name, now: "Unknown" };
  return { name, before: bad.some((one) => Date.parse(one.since) < began) ? "Unhealthy" : "Healthy", now: "Unhealthy" };
}

/** All must be excused, by the neighbours given for each; the stored timer runs while they are. */
function excuseWhile(
  view: PopView,
  run: PopRun,
  neighbours: readonly (readonly Neighbour[])[],
  message: string,
  now: Instant,
): Outcome | undefined {
  const timer = runTimer(run.timers.excuse, now);
  const limit = milliseconds(view.seen.pop.spec.health.onUnknown.hold);
  const lasted = elapsedOf(timer, now);
  if (!neighbours.every((some) => excuseOf(some, lasted, limit).excused)) return undefined;
  const until = now + limit - lasted;
  const held: Hold = { rule: "P10", reason: "HealthUnknown", message, until };
  if (run.timers.excuse?.since !== undefined) return { holds: [held], wakes: [until] };
  return {
    ledger: { ...view.seen.pop.status, run: { ...run, timers: { ...run.timers, excuse: { ...timer, since: timer.since! } } } },
    holds: [held],
  };
}
