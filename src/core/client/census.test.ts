import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ClientRolloutStatus } from "../../api/client-rollout.ts";
import { answer, stageReaching } from "./answer.ts";
import { type CensusDevice, censusStage } from "./census.ts";
import { account, checkIn, clientRollout, inPhase, inStage } from "./client.examples.ts";
import { clientViews } from "./rollout-view.ts";

const NOW = Date.parse("2026-12-24T09:00:00Z");
const viewOf = (spec: Readonly<Record<string, unknown>> = {}, status: ClientRolloutStatus = inStage("Pilot")) =>
  clientViews([clientRollout({ spec, status })])[0]!;
const device = (given: Partial<CensusDevice> = {}): CensusDevice => {
  const { failures: _, ...known } = checkIn();
  return { ...known, reached: () => undefined, ...given };
};
const PHASES = [
  [20, 30],
  [60, 70],
  [100, 100],
].map(([accountsPercent, usersPercent]) => ({ accountsPercent: accountsPercent!, usersPercent: usersPercent! }));
const inherited = { from: "faulty", versions: ["5.12.2"], accountsPercent: 60, usersPercent: 70, pilotPassed: true, pilotElapsed: 0 };

describe("[C4] the stage that reaches a device first", () => {
  it("is the pilot for members of the group and all of the provider's own accounts, else a phase", () => {
    expect(censusStage(viewOf(), device({ groups: ["it"] }), account())).toBe("pilot");
    const own = viewOf({ pilot: { accounts: { matchLabels: { ring: "own" } } } });
    expect(censusStage(own, device(), account({}, { labels: { ring: "own" } }))).toBe("pilot");
    expect(censusStage(viewOf(), device(), account())).toMatch(/^phase-[123]$/);
  });

  it("is none where the account manages the system, or the device runs this version, a newer one, none that is one, or has a floor before it", () => {
    const floors = viewOf({ floors: [{ version: "5.11.5" }] });
    expect(censusStage(viewOf(), device(), account({ upgrade: "Managed" }))).toBeUndefined();
    expect(censusStage(viewOf(), device(), { labels: {} })).toBeUndefined();
    for (const version of ["5.12.3", "5.13.0", "latest"]) expect(censusStage(viewOf(), device({ version }), account())).toBeUndefined();
    expect(censusStage(floors, device({ version: "5.11.0" }), account())).toBeUndefined();
    expect(censusStage(floors, device({ version: "0.0.0.0" }), account())).toMatch(/^phase-/);
  });

  it("[C6] is exposed on a faulty version; of a phase that was jumped over, the one that the fixed version begins with", () => {
    const fixed = viewOf({ version: "5.12.4", phases: PHASES, supersedes: { name: "faulty" } }, { ...inStage("Exposed"), inherited });
    expect(censusStage(fixed, device({ version: "5.12.2" }), account())).toBe("exposed");
    const stages = Array.from({ length: 200 }, (_, nth) =>
      censusStage(fixed, device({ account: `account-${nth}`, user: `user-${nth}` }), account()),
    );
    expect(new Set(stages)).toEqual(new Set(["phase-2", "phase-3"]));
  });

  it("stays what it was once it has been reached, whatever runs there now", () => {
    const reached = () => "phase-1";
    expect(censusStage(viewOf(), device({ version: "5.12.3", reached }), account({ upgrade: "Managed" }))).toBe("phase-1");
  });

  it("is the one by which a check-in is offered it, and none before that has reached it", () => {
    const stages = ["pilot", "phase-1", "phase-2", "phase-3"];
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 }), fc.nat(5_000), fc.nat(400), fc.boolean(), (phase, user, home, pilot) => {
        const { accountsPercent, usersPercent } = PHASES[phase - 1]!;
        const view = viewOf({ phases: PHASES }, inPhase(phase, accountsPercent, usersPercent));
        const named = { account: `account-${home}`, user: `user-${user}`, groups: pilot ? ["it"] : [] };
        const stage = censusStage(view, device(named), account())!;
        const said = answer(checkIn(named), account(), [view], { fresh: true, paused: false }, NOW);
        const open = stages.indexOf(stage) <= phase;
        expect(said.kind === "Offer" ? said.stage : undefined).toBe(open ? stage : undefined);
        expect(stageReaching(view, checkIn(named), account())).toBe(open ? stage : undefined);
      }),
      { numRuns: 400, seed: 6 },
    );
  });
});
