import { describe, expect, it } from "vitest";
import { type Act, ACTS, type Answer, type Brake, BRAKES, PRECEDENCE, ruling, type Ruling } from "./precedence.ts";

/** The table of rule G13 as it is written there, read by a person: columns are brakes, rows are acts. */
const WRITTEN: Readonly<Record<Act, readonly [window: Answer, paused: Answer, grant: Answer, partner: Answer, others: Answer]>> = {
  StartForward: ["Wait", "Wait", "Wait", "Wait", "Wait"],
  Join: ["Go", "Wait", "Go", "Go", "Go"],
  Draining: ["GiveBack", "GiveBack", "Go", "GiveBackIfPartnerWaits", "GiveBack"],
  ChangeMade: ["Finish", "Finish", "Finish", "Finish", "Finish"],
  RollBackOut: ["Go", "Go", "Go", "Go", "Go"],
  RollBackServing: ["IgnoreWindow", "Go", "Wait", "Wait", "RollbackBudget"],
};
const COLUMNS: readonly Brake[] = ["WindowClosed", "Paused", "NoGrant", "PartnerOut", "BudgetFilled"];

describe("[G13] brakes against acts", () => {
  it("the table is total: every act has an answer to every brake", () => {
    expect(BRAKES).toEqual(COLUMNS);
    for (const act of ACTS) expect(Object.keys(PRECEDENCE[act]).toSorted()).toEqual([...BRAKES].toSorted());
  });

  it.each(ACTS.flatMap((act) => COLUMNS.map((brake, column) => [act, brake, WRITTEN[act][column]!] as const)))(
    "%s meets %s: %s",
    (act, brake, answer) => {
      expect(PRECEDENCE[act][brake]).toBe(answer);
    },
  );

  const usual = { ignoreWindow: true, partnerWaitsToRollBack: false, withinRollbackBudget: true };
  it.each<[Act, Brake, Partial<typeof usual>, Ruling]>([
    ["RollBackServing", "WindowClosed", { ignoreWindow: true }, "Go"],
    ["RollBackServing", "WindowClosed", { ignoreWindow: false }, "Wait"],
    ["RollBackServing", "BudgetFilled", { withinRollbackBudget: true }, "Go"],
    ["RollBackServing", "BudgetFilled", { withinRollbackBudget: false }, "Wait"],
    ["Draining", "PartnerOut", { partnerWaitsToRollBack: true }, "GiveBack"],
    ["Draining", "PartnerOut", { partnerWaitsToRollBack: false }, "Go"],
    ["ChangeMade", "WindowClosed", {}, "Go"],
    ["StartForward", "Paused", {}, "Wait"],
  ])("%s meets %s with %o: %s", (act, brake, circumstances, expected) => {
    expect(ruling(act, brake, { ...usual, ...circumstances })).toBe(expected);
  });

  it("what has been changed is never stopped, and a node that is out may always go back, whatever the circumstances", () => {
    for (const brake of BRAKES) {
      for (const ignoreWindow of [true, false]) {
        for (const act of ["ChangeMade", "RollBackOut"] as const) {
          expect(ruling(act, brake, { ignoreWindow, partnerWaitsToRollBack: true, withinRollbackBudget: false })).toBe("Go");
        }
      }
    }
  });
});
