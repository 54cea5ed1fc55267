import type { Freeze } from "../../api/common.ts";
import { type Ruling, ruling, type Act, type Brake } from "../rollout/precedence.ts";
import type { Hold, Instant } from "../decision.ts";
import { oncePer } from "../once-per.ts";
import { freezeGate } from "../window/freeze-gate.ts";
import { windowGate } from "../window/gate.ts";
import { bringsAssigned, isEmergency, orderHold, startDatesOf } from "./assigned.ts";
import { milliseconds } from "./milliseconds.ts";
import type { PopView } from "./view.ts";

/** Open, or held; `closed`: what has begun is given back too, unless its change is made (W5). */
type PopGate = { readonly open: true } | { readonly open: false; readonly closed: boolean; readonly hold: Hold };

/**
 * May a node be started now, by the PoP's window, its freezes and the notice, and by the dates of its rollout's train; else the hold that
 * says when (W1 to W10, F1). An emergency asks for the freezes alone (F8).
 */
export const windowOf = oncePer((view: PopView, now: Instant): PopGate => {
  const { pop, window, fleet } = view.seen;
  if (!window.found) {
    const message = `MaintenanceWindow ${pop.spec.windowRef.name} does not exist in namespace ${pop.namespace}; nothing starts until it does`;
    return { open: false, closed: true, hold: { rule: "W10", reason: "WindowInvalid", message } };
  }
  const lifted = new Set(bringsAssigned(view)?.liftedFreezes);
  const stands = ({ name }: Freeze) => !lifted.has(name);
  const ofWindow = (window.spec.freezes ?? []).filter(stands);
  const freezes = (fleet.found ? fleet.freezes : []).filter(stands);
  const zone = pop.spec.timeZone;
  if (isEmergency(view)) {
    const frozen = freezeGate({ freezes: [...freezes, ...ofWindow], zone, now, act: "Disruption" });
    if (!frozen) return { open: true };
    const message = `${frozen.message}; an emergency needs no window, and obeys a freeze until an Approval lifts it by name`;
    return { open: false, closed: true, hold: { ...frozen, message } };
  }
  const notice = window.spec.notice === undefined ? 0 : milliseconds(window.spec.notice);
  return windowGate({
    spec: lifted.size === 0 ? window.spec : { ...window.spec, freezes: ofWindow },
    zone,
    now,
    pieceMilliseconds: milliseconds(pop.spec.strategy.perNode.expected),
    freezes,
    startDates: startDatesOf(view),
    // Without a promised notice a version may start in the occurrence that runs when it is announced.
    ...(notice > 0 && pop.status.announcedAt ? { announcedAt: Date.parse(pop.status.announcedAt), noticeMilliseconds: notice } : {}),
  });
});

export function pausedHold(view: PopView): Hold | undefined {
  const { pop, fleet } = view.seen;
  if (pop.spec.paused)
    return { rule: "G13", reason: "Paused", message: `PoPCluster ${pop.name} is paused by spec.paused; rollward resume lifts it` };
  if (fleet.found && fleet.paused) {
    return {
      rule: "G13",
      reason: "FleetPaused",
      message: `Fleet is paused${fleet.reason ? `: ${fleet.reason}` : ""}; spec.paused of the Fleet lifts it`,
    };
  }
  return undefined;
}

/** Do we hold the grant that we asked for: the Fleet's ledger has our own id (rule G14). */
export function grantHeld(view: PopView): boolean {
  const { pop, fleet } = view.seen;
  const grant = pop.status.grant;
  if (!grant || grant.state !== "Asked" || !fleet.found) return false;
  return fleet.disruptions.some((entry) => entry.pop === pop.name && entry.uid === pop.uid && entry.id === grant.id);
}

/**
 * A dual-tunnel partner keeps this PoP from going on (rules F2, F10): `waits` to roll back until this PoP is whole, which stops only the
 * way forward, for of two that go back one has to be first; or is `out` beside it, both with a grant, because the site that they share
 * was seen only then. Without a grant of its own the PoP asks, and the Fleet keeps them apart.
 */
export interface PartnerBrake {
  readonly waits: Hold | undefined;
  readonly out: Hold | undefined;
}

function partnerBrake(view: PopView): PartnerBrake {
  const { pop, fleet, partners } = view.seen;
  if (!fleet.found) return { waits: undefined, out: undefined };
  const waits = fleet.waiting?.find(
    (entry) => entry.kind === "Rollback" && entry.pop !== pop.name && entry.partners?.includes(pop.name) === true,
  );
  const out = grantHeld(view) ? fleet.disruptions.find((entry) => entry.pop !== pop.name && partners?.has(entry.pop) === true) : undefined;
  const hold = (rule: string, partner: string, does: string): Hold => {
    const sites = partners?.get(partner);
    const shared =
      sites === undefined ? "sites that have two tunnels" : `${sites} ${sites === 1 ? "site that has" : "sites that have"} two tunnels`;
    return { rule, reason: "PartnerDisrupted", message: `PoP ${partner}, with which it shares ${shared}, ${does}` };
  };
  return {
    waits:
      waits &&
      hold("F10", waits.pop, "has to roll back and waits until this PoP is whole; what was changed is finished, nothing new starts"),
    out: out && hold("F2", out.pop, "is disrupted too; what was changed is finished, then both ask for their grants one after the other"),
  };
}

/** Why the Fleet does not grant what this PoP asked for, where it says that a partner is the reason (rule F2). */
function partnerKeepsGrant(view: PopView): Hold | undefined {
  const { pop, fleet } = view.seen;
  const { grant } = pop.status;
  const entry = fleet.found && grant?.state === "Asked" && fleet.waiting?.find(({ uid, id }) => uid === pop.uid && id === grant.id);
  if (!entry || entry.reason !== "PartnerDisrupted") return undefined;
  return { rule: entry.rule, reason: "PartnerDisrupted", message: `waits for the Fleet's grant: ${entry.message}` };
}

export function grantHold(view: PopView): Hold | undefined {
  if (grantHeld(view)) return undefined;
  const partner = partnerKeepsGrant(view);
  if (partner) return partner;
  if (!view.seen.fleet.found) {
    return {
      rule: "G14",
      reason: "FleetMissing",
      message: `there is no Fleet object named fleet in namespace ${view.seen.pop.namespace}, so nobody can grant this PoP a disruption; create one`,
    };
  }
  // Nobody is named: each of those who wait would write its status with every grant that anybody gets (G11). The Fleet names them.
  return {
    rule: "G14",
    reason: "RegionBusy",
    message: "waits for the Fleet's grant; status.waiting of the Fleet says who is disrupted before it",
  };
}

/** All brakes that are on, each with the hold that names it. */
export interface BrakesOn {
  readonly window: Hold | undefined;
  /** No occurrence holds now, or a freeze does: what has begun is given back too, unless its change is made (W5). */
  readonly windowClosed: boolean;
  readonly paused: Hold | undefined;
  readonly grant: Hold | undefined;
  readonly partner: PartnerBrake;
}

export const brakesOn = oncePer((view: PopView, now: Instant): BrakesOn => {
  const window = windowOf(view, now);
  return {
    window: window.open ? undefined : window.hold,
    windowClosed: !window.open && window.closed,
    paused: pausedHold(view) ?? orderHold(view),
    grant: grantHold(view),
    partner: partnerBrake(view),
  };
});

/**
 * The brakes as they bear on a piece in hand: that the last start has passed, or that an announcement is young, concerns only what
 * has not begun (rules W4, W5).
 */
export const forPieceInHand = (on: BrakesOn): BrakesOn => (on.windowClosed ? on : { ...on, window: undefined });

/** The hold of each brake that is on, as it bears on an act; that others fill the budget is asked node by node. */
function holdsOn(
  act: Act,
  { window, paused, grant, partner }: BrakesOn,
): readonly (readonly [Exclude<Brake, "BudgetFilled">, Hold | undefined])[] {
  const back = act === "RollBackServing" || act === "RollBackOut";
  return [
    ["WindowClosed", window],
    ["Paused", paused],
    ["NoGrant", grant],
    ["PartnerOut", back ? partner.out : (partner.waits ?? partner.out)],
  ];
}

/** What the brakes say to an act, by the table G13: the strictest ruling, and the holds that make it. */
export function ruled(view: PopView, act: Act, on: BrakesOn): { readonly ruling: Ruling; readonly holds: readonly Hold[] } {
  const circumstances = {
    ignoreWindow: view.seen.pop.spec.rollback.ignoreWindow,
    partnerWaitsToRollBack: on.partner.waits !== undefined,
    withinRollbackBudget: true,
  };
  const held = holdsOn(act, on).flatMap(([brake, hold]) => {
    const answer = hold ? ruling(act, brake, circumstances) : "Go";
    return hold && answer !== "Go" ? [{ brake, hold, answer }] : [];
  });
  const strictest: Ruling = held.some(({ answer }) => answer === "GiveBack") ? "GiveBack" : held.length > 0 ? "Wait" : "Go";
  // A grant is given back while a window or a pause holds, so that it is missing then tells nobody anything.
  const others = held.filter(({ brake, hold }) => brake !== "NoGrant" || hold.reason === "FleetMissing");
  return { ruling: strictest, holds: (others.length > 0 ? others : held).map(({ hold }) => hold) };
}
