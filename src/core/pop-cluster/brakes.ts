import { type Ruling, ruling, type Act, type Brake } from "../rollout/precedence.ts";
import type { Hold, Instant } from "../decision.ts";
import { windowGate, type WindowGate } from "../window/gate.ts";
import { milliseconds } from "./milliseconds.ts";
import type { PopView } from "./view.ts";

/** May a node be started now, by the PoP's window, its freezes and the notice; else the hold that says when (W1 to W10). */
export function windowOf(view: PopView, now: Instant): WindowGate {
  const { pop, window, fleet } = view.seen;
  if (!window.found) {
    const message = `MaintenanceWindow ${pop.spec.windowRef.name} does not exist in namespace ${pop.namespace}; nothing starts until it does`;
    return { open: false, closed: true, hold: { rule: "W10", reason: "WindowInvalid", message } };
  }
  const notice = window.spec.notice === undefined ? 0 : milliseconds(window.spec.notice);
  return windowGate({
    spec: window.spec,
    zone: pop.spec.timeZone,
    now,
    pieceMilliseconds: milliseconds(pop.spec.strategy.perNode.expected),
    freezes: fleet.found ? fleet.freezes : [],
    // Without a promised notice a version may start in the occurrence that runs when it is announced.
    ...(notice > 0 && pop.status.announcedAt ? { announcedAt: Date.parse(pop.status.announcedAt), noticeMilliseconds: notice } : {}),
  });
}

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

export function grantHold(view: PopView): Hold | undefined {
  if (grantHeld(view)) return undefined;
  if (!view.seen.fleet.found) {
    return {
      rule: "G14",
      reason: "FleetMissing",
      message: `there is no Fleet object named fleet in namespace ${view.seen.pop.namespace}, so nobody can grant this PoP a disruption; create one`,
    };
  }
  const holders = view.seen.fleet.disruptions.map((entry) => entry.pop);
  return {
    rule: "G14",
    reason: "RegionBusy",
    message:
      holders.length > 0 ? `waits for the Fleet's grant; disrupted now: ${holders.slice(0, 8).join(", ")}` : "waits for the Fleet's grant",
  };
}

/** All brakes that are on, each with the hold that names it. */
export interface BrakesOn {
  readonly window: Hold | undefined;
  /** No occurrence holds now, or a freeze does: what has begun is given back too, unless its change is made (W5). */
  readonly windowClosed: boolean;
  readonly paused: Hold | undefined;
  readonly grant: Hold | undefined;
}

export function brakesOn(view: PopView, now: Instant): BrakesOn {
  const window = windowOf(view, now);
  return {
    window: window.open ? undefined : window.hold,
    windowClosed: !window.open && window.closed,
    paused: pausedHold(view),
    grant: grantHold(view),
  };
}

/**
 * The brakes as they bear on a piece in hand: that the last start has passed, or that an announcement is young, concerns only what
 * has not begun (rules W4, W5).
 */
export const forPieceInHand = (on: BrakesOn): BrakesOn => (on.windowClosed ? on : { ...on, window: undefined });

const HOLD_OF: Readonly<Record<Exclude<Brake, "PartnerOut" | "BudgetFilled">, "window" | "paused" | "grant">> = {
  WindowClosed: "window",
  Paused: "paused",
  NoGrant: "grant",
};

/** What the brakes say to an act, by the table G13: the strictest ruling, and the holds that make it. */
export function ruled(view: PopView, act: Act, on: BrakesOn): { readonly ruling: Ruling; readonly holds: readonly Hold[] } {
  const circumstances = {
    ignoreWindow: view.seen.pop.spec.rollback.ignoreWindow,
    partnerWaitsToRollBack: false,
    withinRollbackBudget: true,
  };
  const held = (Object.keys(HOLD_OF) as (keyof typeof HOLD_OF)[]).flatMap((brake) => {
    const hold = on[HOLD_OF[brake]];
    const answer = hold ? ruling(act, brake, circumstances) : "Go";
    return hold && answer !== "Go" ? [{ hold, answer }] : [];
  });
  const strictest: Ruling = held.some(({ answer }) => answer === "GiveBack") ? "GiveBack" : held.length > 0 ? "Wait" : "Go";
  // A grant is given back while a window or a pause holds, so that it is missing then tells nobody anything.
  const others = held.filter(({ hold }) => hold.reason !== "RegionBusy");
  return { ruling: strictest, holds: (others.length > 0 ? others : held).map(({ hold }) => hold) };
}
