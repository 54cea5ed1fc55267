/**
 * The precedence table of brakes against acts (rule G13), as data. `precedence.test.ts` reads it cell by cell.
 *
 * A brake that is on meets an act; the cell says what happens to the act. Where several brakes are on, the strictest answer wins.
 */
export const ACTS = ["StartForward", "Join", "Draining", "ChangeMade", "RollBackOut", "RollBackServing"] as const;
export type Act = (typeof ACTS)[number];

export const BRAKES = ["WindowClosed", "Paused", "NoGrant", "PartnerOut", "BudgetFilled"] as const;
export type Brake = (typeof BRAKES)[number];

/**
 * - `Go`: the brake does not hold this act.
 * - `Wait`: the act does not start.
 * - `GiveBack`: what was begun is given back.
 * - `Finish`: what was begun is finished; nothing else starts.
 * - `IgnoreWindow`: goes where `rollback.ignoreWindow` says so, else waits.
 * - `GiveBackIfPartnerWaits`: given back if the partner waits to roll back, else goes on.
 * - `RollbackBudget`: goes up to `rollback.maxUnavailable`.
 */
export type Answer = "Go" | "Wait" | "GiveBack" | "Finish" | "IgnoreWindow" | "GiveBackIfPartnerWaits" | "RollbackBudget";

export const PRECEDENCE: Readonly<Record<Act, Readonly<Record<Brake, Answer>>>> = {
  StartForward: { WindowClosed: "Wait", Paused: "Wait", NoGrant: "Wait", PartnerOut: "Wait", BudgetFilled: "Wait" },
  Join: { WindowClosed: "Go", Paused: "Wait", NoGrant: "Go", PartnerOut: "Go", BudgetFilled: "Go" },
  Draining: {
    WindowClosed: "GiveBack",
    Paused: "GiveBack",
    NoGrant: "Go",
    PartnerOut: "GiveBackIfPartnerWaits",
    BudgetFilled: "GiveBack",
  },
  ChangeMade: { WindowClosed: "Finish", Paused: "Finish", NoGrant: "Finish", PartnerOut: "Finish", BudgetFilled: "Finish" },
  RollBackOut: { WindowClosed: "Go", Paused: "Go", NoGrant: "Go", PartnerOut: "Go", BudgetFilled: "Go" },
  RollBackServing: {
    WindowClosed: "IgnoreWindow",
    Paused: "Go",
    NoGrant: "Wait",
    PartnerOut: "Wait",
    BudgetFilled: "RollbackBudget",
  },
};

/** What decides the cells that a policy or the partner settles. */
export interface Circumstances {
  readonly ignoreWindow: boolean;
  readonly partnerWaitsToRollBack: boolean;
  readonly withinRollbackBudget: boolean;
}

export type Ruling = "Go" | "Wait" | "GiveBack";

/** What one brake does to one act; `Finish` reads as `Go`, because the piece in hand goes on. */
export function ruling(act: Act, brake: Brake, circumstances: Circumstances): Ruling {
  const answer = PRECEDENCE[act][brake];
  switch (answer) {
    case "Go":
    case "Finish":
      return "Go";
    case "Wait":
    case "GiveBack":
      return answer;
    case "IgnoreWindow":
      return circumstances.ignoreWindow ? "Go" : "Wait";
    case "GiveBackIfPartnerWaits":
      return circumstances.partnerWaitsToRollBack ? "GiveBack" : "Go";
    case "RollbackBudget":
      return circumstances.withinRollbackBudget ? "Go" : "Wait";
  }
}
