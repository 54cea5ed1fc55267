import { expect, it } from "vitest";
import { rulesInOrder } from "./rules-in-order.ts";

interface Outcome {
  readonly ledger?: number;
  readonly said: string;
}

it("each rule sees the ledger as those before it left it, and who has nothing to say is passed over", () => {
  const adds = (view: number): Outcome => ({ ledger: view + 1, said: `adds to ${view}` });
  const silent = (): Outcome | undefined => undefined;
  const looks = (view: number, now: number): Outcome => ({ said: `sees ${view} at ${now}` });
  const { view, outcomes } = rulesInOrder<number, Outcome>([looks, adds, silent, adds, looks], 0, (_, ledger) => ledger, 7);
  expect([view, outcomes.map(({ said }) => said)]).toEqual([2, ["sees 0 at 7", "adds to 0", "adds to 1", "sees 2 at 7"]]);
});
