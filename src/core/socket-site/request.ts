import { compareVersions, parseVersion } from "../../api/version.ts";
import type { SocketSiteSpec } from "../../api/socket-site.ts";
import type { Hold, Instant } from "../decision.ts";
import type { RolloutView } from "../socket/rollout-view.ts";
import { DAY, HOUR, MINUTE } from "../time/civil.ts";
import { parseInstant } from "../time/instant.ts";
import { freezeGate } from "../window/freeze-gate.ts";
import { presenceHolds } from "./gates.ts";
import type { Outcome } from "./outcome.ts";
import { pieceOf } from "./piece.ts";
import { claimOf, insertion } from "./start.ts";
import { at, type ClaimedCommand, hasBegun, iso, rolloutOf, type SiteView, socketOf, type Upgrade, withUpgrade } from "./view.ts";

type UpgradeNow = NonNullable<NonNullable<SocketSiteSpec["requests"]>["upgradeNow"]>;

/** A request that could not begin for so long is of another day: who still wants it asks again. */
const PATIENCE = DAY;
/** How long the device has to fetch what a person asked for. */
const TO_FETCH = HOUR;

/** Upgrade one Socket now (rule S4): once for each `at`, without window, notice and ramp, with every guard. */
export function request(view: SiteView, now: Instant): Outcome | undefined {
  const asked = view.seen.site.spec.requests?.upgradeNow;
  const { upgrade, command } = view;
  if (upgrade?.cause === "Request" && command !== undefined && command.inserted !== true) return inserting(view, upgrade, command, now);
  const when = asked && parseInstant(asked.at);
  if (asked === undefined || when === undefined || isHandled(view, when)) return undefined;
  if (now < when)
    return { wakes: [when], holds: [{ rule: "S4", reason: "NotInPhase", message: `upgradeNow is for ${asked.at}`, until: when }] };
  const rollout = carrier(view, asked.version);
  const refused = refusal(view, asked, rollout) ?? (now > when + PATIENCE ? "it was asked more than a day ago" : undefined);
  if (refused !== undefined) return refuse(view, asked, refused);
  if (command !== undefined || hasBegun(upgrade)) {
    const message = `upgradeNow for ${asked.serial} waits until the upgrade in hand is over`;
    return { holds: [{ rule: "S4", reason: "DeviceBusy", message }], wakes: [when + PATIENCE + 1] };
  }
  const next = begun(view, asked, rollout!, now);
  const holds = requestHolds({ ...view, upgrade: next, command: undefined }, next, now);
  if (holds.length > 0) return { holds, wakes: [when + PATIENCE + 1] };
  const ledger = { ...view.ledger, attempts: (view.ledger.attempts ?? 0) + 1, handled: { upgradeNow: iso(when) } };
  const message = `upgradeNow: ${asked.serial} goes to ${asked.version}, as asked at ${asked.at}`;
  return { ledger: withUpgrade(ledger, next), events: [{ type: "Normal", reason: "UpgradeNow", action: "Upgrade", message }] };
}

const isHandled = ({ ledger }: SiteView, when: Instant): boolean =>
  ledger.handled?.upgradeNow !== undefined && at(ledger.handled.upgradeNow) === Math.floor(when / 1_000) * 1_000;

/** The rollout that carries the version, for this model. */
function carrier({ seen, sockets }: SiteView, version: string): RolloutView | undefined {
  const wanted = parseVersion(version);
  const carries = seen.rollouts.filter((one) => {
    const its = parseVersion(one.spec.version);
    return one.accepted && wanted !== undefined && its !== undefined && compareVersions(its, wanted) === 0;
  });
  const fits = (one: RolloutView): boolean =>
    one.spec.models === undefined || sockets.every(({ model }) => model === undefined || one.spec.models!.includes(model));
  return carries.find(fits);
}

/** Why it can never be carried out as it is written; undefined when it can. A verdict is no reason: a person names the version (rule G8). */
function refusal(view: SiteView, { serial, version }: UpgradeNow, rollout: RolloutView | undefined): string | undefined {
  const socket = socketOf(view, serial);
  if (socket === undefined) return `no Socket ${serial} is at this site; write one of ${view.sockets.map((one) => one.serial).join(", ")}`;
  if (rollout === undefined) return `no SocketRollout carries ${version} for its model; write a version of one that does`;
  if (rollout.stopped !== undefined) return `SocketRollout ${rollout.name} is stopped and starts nothing more`;
  const wanted = parseVersion(version)!;
  if (socket.version === undefined) return undefined;
  const order = compareVersions(socket.version, wanted);
  if (order === 0) return `${serial} runs ${version} already`;
  return order > 0 ? `${serial} runs ${socket.version.text}, and nothing is downgraded (rule V3)` : undefined;
}

function refuse({ ledger }: SiteView, asked: UpgradeNow, why: string): Outcome {
  const message = `upgradeNow for ${asked.serial} to ${asked.version} is refused: ${why}`;
  const handled = { upgradeNow: iso(parseInstant(asked.at)!) };
  return { ledger: { ...ledger, handled }, events: [{ type: "Warning", reason: "RequestRefused", action: "Upgrade", message }] };
}

/** What holds a request: no window, notice or ramp, but every guard (rule S4). */
export function requestHolds(view: SiteView, upgrade: Upgrade, now: Instant): readonly Hold[] {
  const { seen, zone } = view;
  const socket = socketOf(view, upgrade.order?.[0] ?? "");
  const rollout = rolloutOf(view, upgrade);
  if (socket === undefined || rollout === undefined) return [];
  const asked = seen.site.spec.requests?.upgradeNow;
  const acceptDowntime = asked?.serial === socket.serial && asked.acceptDowntime;
  const frozen = freezeGate({
    freezes: [...(seen.fleet?.freezes ?? []), ...(seen.window?.spec?.freezes ?? [])],
    zone,
    now,
    act: "Disruption",
  });
  // Who accepts the downtime answers for the partner; the Socket itself and the PoP are asked all the same.
  const asksOf = acceptDowntime ? { ...view, sockets: [socket], pair: false } : view;
  return [
    ...view.problems.filter(({ reason }) => reason !== "WindowInvalid"),
    ...pauses(view, rollout),
    ...(frozen === undefined ? [] : [frozen]),
    ...presenceHolds(asksOf, socket, now, pieceOf(rollout, [socket])),
  ];
}

function pauses({ seen: { fleet } }: SiteView, { name, spec, stopped }: RolloutView): readonly Hold[] {
  if (fleet === undefined)
    return [{ rule: "F3", reason: "FleetMissing", message: "there is no Fleet object; nothing starts until there is" }];
  if (fleet.paused)
    return [{ rule: "G13", reason: "FleetPaused", message: "the Fleet is paused; nothing starts until a person resumes it" }];
  if (stopped !== undefined) return [{ rule: "S10", reason: "Stopped", message: `SocketRollout ${name} starts nothing more` }];
  return spec.paused
    ? [{ rule: "G13", reason: "Paused", message: `SocketRollout ${name} is paused; nothing starts until a person resumes it` }]
    : [];
}

/** The ledger of a request: its Socket alone, from now on. What was planned before is planned anew afterwards. */
function begun(view: SiteView, { serial, version }: UpgradeNow, rollout: RolloutView, now: Instant): Upgrade {
  const socket = socketOf(view, serial)!;
  const notAfter = now + TO_FETCH;
  return {
    version: rollout.spec.version === version ? version : rollout.spec.version,
    rollout: { name: rollout.name, uid: rollout.uid },
    cause: "Request",
    step: "InProgress",
    since: iso(now),
    window: { start: iso(now), end: iso(notAfter + pieceOf(rollout, [socket])) },
    order: [serial],
    command: claimOf(view, serial, rollout.spec.version, { notBefore: now, notAfter }, now),
  };
}

/**
 * The row of a claimed request, by the rule of every claim (rules S1, S4). Where something has come in between and nobody can have had the
 * row, the request is as good as new; later it may have been given and lost, and stays the one command of its `at`.
 */
function inserting(view: SiteView, upgrade: Upgrade, command: ClaimedCommand, now: Instant): Outcome {
  const outcome = insertion(view, upgrade, command, requestHolds(view, upgrade, now), now);
  if (outcome.ledger?.upgrade === undefined || outcome.ledger.upgrade.command !== undefined)
    return { ...outcome, wakes: [...(outcome.wakes ?? []), now + MINUTE] };
  const { handled: _, ...ledger } = outcome.ledger;
  return { ...outcome, ledger: withUpgrade(ledger, { ...outcome.ledger.upgrade, step: "Skipped" }) };
}
