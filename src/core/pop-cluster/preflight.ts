import type { PopClusterStatus, PopRun } from "../../api/pop-cluster.ts";
import { canonicalJson } from "../canonical-json.ts";
import type { Hold, Instant } from "../decision.ts";
import { problemsOf } from "./accept.ts";
import { brakesOn, grantHeld, ruled } from "./brakes.ts";
import { candidatesOf } from "./claim.ts";
import { destinationOf } from "./destination.ts";
import { healthOf } from "./health.ts";
import { nodeOrder } from "./node-order.ts";
import type { Outcome } from "./outcome.ts";
import { pullHold } from "./pre-pull.ts";
import { NO_REVISION } from "./revision.ts";
import { brokenAlready, forwardLimit, type PopView, recordOf } from "./view.ts";
import { askGrant, grantBack } from "./start.ts";

/** Preflight (P3, R3): the whole PoP is judged before the first write, and what was bad before is kept as the baseline (P10). */
export function preflight(view: PopView, now: Instant): Outcome | undefined {
  const { run } = view;
  if (run?.state !== "Preflight") return undefined;
  const { status, spec } = view.seen.pop;
  // Nothing is touched yet: checks that a person corrects meanwhile are the ones that count.
  if (canonicalJson(run.frozen.health) !== canonicalJson(spec.health))
    return { ledger: { ...status, checks: [], run: { ...run, frozen: { ...run.frozen, health: spec.health } } } };
  const health = healthOf(view, now);
  const brakes = [
    ...problemsOf(view, now),
    ...ruled(view, "StartForward", { ...brakesOn(view, now), grant: undefined }).holds,
    ...missing(view, run),
  ];
  if (brakes.length > 0) return { holds: brakes, wakes: untils(brakes), ...grantBack(view) };
  if (health.pop.verdict === "Unhealthy") {
    const hold: Hold = {
      rule: "P3",
      reason: "HealthUnknown",
      message: `the PoP is unhealthy before the roll, so the roll could not be judged: ${health.pop.finding}`,
    };
    return { holds: [hold], wakes: [now + 5_000], ...grantBack(view) };
  }
  const unread = [health.pop, ...health.nodes.values()].find((one) => one.verdict === "Unknown" && !one.undecided);
  const wobbles = [...health.nodes.values()].some((one) => one.undecided && one.verdict === "Unknown");
  if (unread || health.pop.verdict === "Unknown" || (wobbles && now < Date.parse(run.startedAt) + PREFLIGHT_PATIENCE)) {
    const found = now < Date.parse(run.startedAt) + PREFLIGHT_PATIENCE ? undefined : (unread ?? health.pop).finding;
    const hold: Hold = {
      rule: "G9",
      reason: "HealthUnknown",
      message: `preflight: the checks have not all been read yet${found ? `: ${found}` : ""}`,
    };
    return { holds: [hold], wakes: [now + 1_000] };
  }
  if (!grantHeld(view)) return askGrant(view, "Roll", brakesOn(view, now).grant, run.version);
  const baseline: NonNullable<PopRun["baseline"]> = view.nodes.flatMap((node) => {
    const verdict = health.nodes.get(node.member.uid)?.verdict;
    return verdict ? [{ name: node.member.name, verdict }] : [];
  });
  const ordered = new Set(run.frozen.order);
  const moving = view.nodes.filter((node) => ordered.has(node.member.uid));
  const order = nodeOrder(view, moving, [view.seen.pop.uid, run.id, run.revision]).map((node) => node.member.uid);
  return {
    ledger: {
      ...status,
      run: { ...run, state: "Rolling", baseline, frozen: { ...run.frozen, order, maxUnavailable: forwardLimit(view.seen) } },
    },
  };
}

/** R0 looked at again: a way back, and the images on every node. */
function missing(view: PopView, run: PopRun): Hold[] {
  const images = pullHold(view, run, true);
  const back = run.back;
  const canGoBack =
    back === undefined ||
    back === NO_REVISION ||
    recordOf(view, back) !== undefined ||
    view.seen.daemonSets.some((set) => set.revision === back && !set.deleting);
  const noWayBack: Hold = {
    rule: "P3",
    reason: "AwaitingEvidence",
    message: `revision ${back}, which the roll would go back to, has neither a record nor a DaemonSet; nothing starts without a way back`,
  };
  return [...(canGoBack ? [] : [noWayBack]), ...(images ? [images] : [])];
}

/** How long preflight waits for nodes whose checks wobble: they are as good or bad as they are, and the baseline says so (P10). */
const PREFLIGHT_PATIENCE = 30_000;

const untils = (holds: readonly Hold[]): Instant[] => holds.flatMap((hold) => (hold.until === undefined ? [] : [hold.until]));

/**
 * The grant of a run that pauses or goes on (G14): given back when nothing of it is in hand and nothing more will start now, asked
 * for anew, with a new id, when it may go on.
 */
export function regrant(view: PopView, now: Instant): Outcome | undefined {
  const { run } = view;
  if (!run || run.kind === "Join" || (run.state !== "Rolling" && run.state !== "RollingBack")) return undefined;
  const busy = view.nodes.some((node) => ["Claimed", "Updating"].includes(node.entry?.step ?? "") && node.entry?.token !== undefined);
  if (busy) return undefined;
  const serving = candidatesOf(view, run).filter((node) => !brokenAlready(node));
  const act = run.kind === "Rollback" ? "RollBackServing" : "StartForward";
  const { holds } = ruled(view, act, { ...brakesOn(view, now), grant: undefined });
  const soaking = view.nodes.some((node) => node.entry?.step === "Soaking");
  // A run that makes way for the next one leaves the grant to it: one would give back what the other asks for, for ever.
  if (run.ending && destinationOf(view)) return undefined;
  if (run.ending || holds.length > 0) {
    // A node that soaks is in service, but its verdict may still need the grant for the way back.
    if (soaking) return undefined;
    const ledger: PopClusterStatus | undefined = grantBack(view).ledger;
    return ledger ? { ledger } : { holds, wakes: untils(holds) };
  }
  if (serving.length === 0 || grantHeld(view)) return undefined;
  return askGrant(view, run.kind === "Rollback" ? "Rollback" : "Roll", brakesOn(view, now).grant, run.version);
}
