import type { Condition } from "../../api/common.ts";
import type { ConditionReason } from "../../api/conditions.ts";
import { type ConditionUpdate, is, setCondition } from "../conditions.ts";
import type { Hold, Instant } from "../decision.ts";
import { has, hasBegun, rolloutOf, type SiteView } from "./view.ts";
import { hasFailed } from "./verdict.ts";

/** What people and tools read of a site; made of the ledger, and read by no rule (rule G1). */
export function conditionsOf(view: SiteView, holds: readonly Hold[], now: Instant): Condition[] {
  const { generation, status } = view.seen.site;
  const updates = [accepted(view), ready(view), ...haReady(view), upToDate(view, holds), connected(view)];
  return updates.reduce<Condition[]>((all, update) => setCondition(all, update, generation, now), [...(status.conditions ?? [])]);
}

function accepted(view: SiteView): ConditionUpdate {
  const found = view.problems[0] ?? view.ledger.holds?.find(({ reason }) => reason === "WindowTooShort");
  if (found === undefined) return is("Accepted", "True", "Accepted", "the site can be upgraded in its window");
  return is("Accepted", "False", found.reason as ConditionReason<"Accepted">, found.message);
}

function ready(view: SiteView): ConditionUpdate {
  const [problem] = view.problems;
  if (problem !== undefined) return is("Ready", "False", "NotAccepted", problem.message);
  const revision = rolloutOf(view, view.upgrade)?.revision;
  const failed = revision === undefined ? undefined : view.sockets.find(({ serial }) => hasFailed(view, serial, revision));
  if (failed === undefined || view.upgrade?.step === "Completed") return is("Ready", "True", "Serving", "the site needs nobody");
  const message = `${view.upgrade!.version} failed on ${failed.serial} in two windows; a newer version, or upgradeNow, goes on`;
  return is("Ready", "False", "NeedsAttention", message);
}

function haReady(view: SiteView): ConditionUpdate[] {
  const { ha } = view.ledger;
  if (!view.pair || ha === undefined)
    return [is("HAReady", "Unknown", "SingleSocket", "the site has one Socket; a second one would take over when it fails")];
  const worst = ha.checks.find(({ status }) => status === ha.status);
  if (ha.status === "Ready" || worst === undefined) return [is("HAReady", "True", "PairReady", "each Socket of the pair can take over")];
  const status = ha.status === "NotReady" ? "False" : ha.status === "Upgrading" ? "True" : "Unknown";
  const reason = (worst.reason ?? "StateUnknown") as ConditionReason<"HAReady">;
  return [is("HAReady", status, reason, `${worst.name}: ${worst.message ?? "no Socket has said it"}`)];
}

function upToDate(view: SiteView, holds: readonly Hold[]): ConditionUpdate {
  const { upgrade } = view;
  if (upgrade !== undefined && (hasBegun(upgrade) || upgrade.command !== undefined)) {
    return is("UpToDate", "False", "Upgrading", `version ${upgrade.version} is being installed or verified`);
  }
  if (upgrade?.planned?.start !== undefined && view.problems.length === 0) {
    const when = upgrade.localStart ?? upgrade.planned.start;
    return is("UpToDate", "False", "Planned", `version ${upgrade.version} is planned for ${when}`);
  }
  const [hold] = holds;
  if (hold !== undefined) return is("UpToDate", "False", "Behind", hold.message);
  const known = view.seen.rollouts.some(({ accepted: counts }) => counts);
  if (!known) return is("UpToDate", "Unknown", "NothingAnnounced", "no rollout is announced");
  return is("UpToDate", "True", "Current", "it runs the newest version that is announced for it");
}

function connected({ sockets, pair }: SiteView): ConditionUpdate {
  const gone = sockets.filter((socket) => !socket.connected);
  if (gone.length === 0) return is("Connected", "True", "Connected", "every Socket of the site polls");
  const named = gone.map(({ serial }) => serial).join(" and ");
  if (gone.every(({ report }) => report === undefined || report.versionSeenAt === undefined) && gone.length === sockets.length)
    return is("Connected", "False", "NeverSeen", `${named} ${has(gone)} never reported`);
  const reason = pair && gone.length === 1 ? "SomeNotConnected" : "NotConnected";
  return is("Connected", "False", reason, `${named} ${has(gone)} not polled in time`);
}
