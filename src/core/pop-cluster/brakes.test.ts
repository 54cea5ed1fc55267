import { describe, expect, it } from "vitest";
import { observation, OPEN } from "../../../test/builders/observation.ts";
import type { Disruption, WaitingForGrant } from "../../api/fleet.ts";
import { brakesOn, ruled } from "./brakes.ts";
import type { PopClusterObservation } from "./observation.ts";
import { viewOf } from "./view.ts";

const entry = (pop: string, kind: "Roll" | "Rollback" = "Roll"): Disruption => ({
  pop,
  uid: `uid-${pop}`,
  id: 1,
  kind,
  since: "2026-11-22T00:00:00Z",
});
const waits = (pop: string, kind: "Roll" | "Rollback", partners: string[]): WaitingForGrant => ({
  ...entry(pop, kind),
  rule: "F2",
  reason: "PartnerDisrupted",
  message: `${partners.join()} is in hand`,
  partners,
});

/** fra1 has its grant, in an open window, and shares two sites with ams1. */
const viewWith = (waiting: readonly WaitingForGrant[], disruptions: readonly Disruption[] = [entry("fra1")]) => {
  const seen = observation({ partners: new Map([["ams1", 2]]), fleet: { found: true, paused: false, freezes: [], disruptions, waiting } });
  const status: PopClusterObservation["pop"]["status"] = { ...seen.pop.status, grant: { id: 1, kind: "Roll", state: "Asked" } };
  return viewOf({ ...seen, pop: { ...seen.pop, status } });
};
const ruling = (act: Parameters<typeof ruled>[1], view: ReturnType<typeof viewWith>) => {
  const { ruling: found, holds } = ruled(view, act, brakesOn(view, OPEN));
  return [found, ...holds.map(({ rule, reason, message }) => `${rule} ${reason}: ${message}`)];
};

describe("[F10] [G13] a partner waits to roll back until this PoP is whole", () => {
  const view = viewWith([waits("ams1", "Rollback", ["fra1"])]);

  it("nothing new starts, what only drains is given back, what was changed is finished, and who goes back himself goes on", () => {
    expect(ruling("StartForward", view)).toEqual([
      "Wait",
      "F10 PartnerDisrupted: PoP ams1, with which it shares 2 sites that have two tunnels, has to roll back and waits until this PoP is whole; what was changed is finished, nothing new starts",
    ]);
    expect(ruling("Draining", view)[0]).toBe("GiveBack");
    for (const act of ["ChangeMade", "RollBackOut", "RollBackServing", "Join"] as const) expect(ruling(act, view)).toEqual(["Go"]);
  });

  it("a roll that waits, or a rollback that waits for somebody else, stops nobody here", () => {
    for (const waiting of [waits("ams1", "Roll", ["fra1"]), waits("ams1", "Rollback", ["lon1"]), waits("fra1", "Rollback", ["fra1"])])
      for (const act of ["StartForward", "Draining"] as const) expect(ruling(act, viewWith([waiting]))).toEqual(["Go"]);
  });
});

describe("[F2] both have a grant, because the site that they share was seen only then", () => {
  const view = viewWith([], [entry("fra1"), entry("ams1")]);

  it("nothing that serves is started either way; what drains goes on, what is out goes back", () => {
    expect(ruling("StartForward", view)[0]).toBe("Wait");
    expect(ruling("RollBackServing", view)[0]).toBe("Wait");
    for (const act of ["Draining", "ChangeMade", "RollBackOut"] as const) expect(ruling(act, view)).toEqual(["Go"]);
  });

  it("a PoP that shares no site is nothing to it", () => {
    expect(ruling("StartForward", viewWith([], [entry("fra1"), entry("lon1")]))).toEqual(["Go"]);
  });
});

it("[F2] a grant that the Fleet keeps back for a partner's sake is told with the Fleet's own words", () => {
  const view = viewWith([waits("fra1", "Roll", ["ams1"])], [entry("ams1")]);
  expect(ruling("StartForward", view)).toEqual(["Wait", "F2 PartnerDisrupted: waits for the Fleet's grant: ams1 is in hand"]);
});
