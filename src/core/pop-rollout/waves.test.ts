import { describe, expect, it } from "vitest";
import { DAY, FRIDAY, HOUR, pop, pops, RolloutWorld, SUNDAY } from "./pop-rollout.examples.ts";

describe("[F1] waves", () => {
  it("the first wave opens 24 h before the first window of its PoPs, not earlier, and wakes for it", () => {
    const world = new RolloutWorld(pops(6)).settle(FRIDAY);
    expect(world.status.assignments ?? []).toEqual([]);
    expect(world.status.holds![0]).toMatchObject({ rule: "F1", reason: "OutsideWindow", until: "2026-11-21T01:00:00.000Z" });
    expect(world.decide().wakeAt).toBe(Date.UTC(2026, 10, 21, 1));
    world.settle(Date.UTC(2026, 10, 21, 0, 59));
    expect(world.status.assignments ?? []).toEqual([]);
    world.settle(Date.UTC(2026, 10, 21, 1));
    expect(world.members("canary")).toHaveLength(2);
    expect(world.status.assignments).toMatchObject([
      {
        version: "2026.11.2",
        from: "2026-11-22",
        to: "2026-12-06",
        bake: "4h",
        order: "Go",
        state: "Assigned",
        watchUntil: "2026-12-07T00:00:00.000Z",
      },
      {},
    ]);
  });

  it("the next wave opens when every member of the one before has passed, and takes 100 % of the PoPs, those of earlier waves included", () => {
    const world = new RolloutWorld(pops(6)).settle(SUNDAY);
    const [first, second] = world.members("canary");
    world
      .rolls(first!)
      .rolls(second!)
      .settle(SUNDAY + 2 * HOUR);
    expect([world.state(first!), world.wave("canary")?.state]).toEqual(["Rolling", "Open"]);
    world.passes(first!).settle(SUNDAY + 3 * HOUR);
    expect(world.wave("rest")?.state).toBe("Pending");
    world.passes(second!).settle(SUNDAY + 5 * HOUR);
    expect([world.wave("canary")?.state, world.wave("rest")?.state]).toEqual(["Passed", "Pending"]);
    world.settle(SUNDAY + 6 * DAY + 2 * HOUR);
    expect(world.wave("rest")?.pops).toHaveLength(4);
    world.passes(...world.members("rest")).settle(SUNDAY + 7 * DAY + 4 * HOUR);
    expect(world.status).toMatchObject({
      outcome: "Completed",
      standing: true,
      numbers: { pops: 6, passed: 6, open: 0, failed: 0, skipped: 0 },
    });
    expect([world.condition("Succeeded"), world.condition("Progressing")]).toEqual(["True Completed", "False Standing"]);
  });

  it("EarliestWindow gives whole windows: one that still runs for 30 minutes comes after those that open later on that Sunday", () => {
    const world = new RolloutWorld(
      [
        pop("akl", { timeZone: "Pacific/Auckland" }),
        pop("per", { timeZone: "Australia/Perth" }),
        pop("lon", { timeZone: "Europe/London" }),
      ],
      {
        waves: [
          { name: "canary", pops: { count: 1 }, bake: "4h" },
          { name: "small", pops: { count: 1 } },
          { name: "rest", pops: { percent: 100 } },
        ],
      },
    );
    world.settle(Date.UTC(2026, 10, 21));
    expect(world.members("canary")).toEqual(["akl"]);
    // Perth's window lasts until 21:00Z.
    world.passes("akl").settle(Date.UTC(2026, 10, 21, 20, 30));
    expect(world.members("small")).toEqual(["lon"]);
  });

  it("EarliestWindow takes the PoPs whose Sunday comes first: Auckland bakes while London's is to come", () => {
    const world = new RolloutWorld([
      ...pops(4),
      pop("akl", { timeZone: "Pacific/Auckland" }),
      pop("syd", { timeZone: "Australia/Sydney" }),
    ]);
    world.settle(Date.UTC(2026, 10, 21));
    expect(world.members("canary").toSorted()).toEqual(["akl", "syd"]);
  });

  it("[G7] within three hours the hash of PoP, rollout and version decides, and not the order of the list", () => {
    const list = pops(12);
    const one = new RolloutWorld(list).settle(SUNDAY);
    const other = new RolloutWorld(list.toReversed()).settle(SUNDAY);
    expect(other.members("canary")).toEqual(one.members("canary"));
    const picked = ["2026.11.3", "2026.11.4", "2026.11.5"].map((version) =>
      new RolloutWorld(list, { version }).settle(SUNDAY).members("canary").join(),
    );
    expect(picked.some((members) => members !== one.members("canary").join())).toBe(true);
  });

  it("a percentage is cumulative and rounded up: 10 % of 25 is three, of which the canary has two", () => {
    const waves = [
      { name: "canary", pops: { count: 2 } },
      { name: "small", pops: { percent: 10 } },
      { name: "rest", pops: { percent: 100 } },
    ];
    const world = new RolloutWorld(pops(25), { waves }).settle(SUNDAY);
    world.passes(...world.members("canary")).settle(SUNDAY + HOUR);
    expect(world.members("small")).toHaveLength(1);
  });

  it("matchLabels takes the PoPs with the labels that no earlier wave has", () => {
    const waves = [
      { name: "labs", pops: { matchLabels: { stage: "lab" } } },
      { name: "rest", pops: { percent: 100 } },
    ];
    const world = new RolloutWorld([...pops(3), pop("lab1", { labels: { stage: "lab" } }), pop("lab2", { labels: { stage: "lab" } })], {
      waves,
    });
    world.settle(SUNDAY);
    expect(world.members("labs").toSorted()).toEqual(["lab1", "lab2"]);
  });

  it("[G4] members are frozen when the wave opens: who joins in mid-run belongs to the last wave, who leaves is Skipped(Gone)", () => {
    const world = new RolloutWorld(pops(4)).settle(SUNDAY);
    const [first, second] = world.members("canary");
    world.pops = [...world.pops.filter(({ name }) => name !== second), pop("new", { version: undefined as never })];
    world.settle(SUNDAY + HOUR);
    expect([world.state(second!), world.members("canary")]).toEqual(["Skipped(Gone)", [first, second]]);
    world.passes(first!).settle(SUNDAY + 2 * HOUR);
    expect(world.wave("canary")?.state).toBe("Passed");
    world.settle(SUNDAY + 6 * DAY + 2 * HOUR);
    expect(world.members("rest")).toContain("new");
  });

  it("[G6] a new PoP under the old name is not the member: it is Skipped(Gone)", () => {
    const world = new RolloutWorld(pops(4)).settle(SUNDAY);
    const [first] = world.members("canary");
    world.change(first!, { uid: "another" }).settle(SUNDAY + HOUR);
    expect(world.state(first!)).toBe("Skipped(Gone)");
  });

  it("[G4] a wave of which every member was skipped is Skipped(NoMembers), nobody is asked, and the next one has the budget of a first wave", () => {
    const world = new RolloutWorld(pops(4), { failureBudget: { pops: 2 } }).settle(SUNDAY);
    for (const name of world.members("canary")) world.change(name, { pinned: "2026.10.9" });
    world.settle(SUNDAY + 2 * HOUR);
    expect(world.wave("canary")).toMatchObject({ state: "Skipped", message: expect.stringContaining("NoMembers") as string });
    const [first] = world.members("rest");
    world.rolls(first!).settle(SUNDAY + 3 * HOUR);
    world.ends(first!, "RolledBack").settle(SUNDAY + 4 * HOUR);
    expect(world.status.halted?.because).toContain("first wave rest, whose failure budget is 0");
  });

  it("a PoP that has not begun when its train is over is skipped and does not hold the wave for ever", () => {
    const world = new RolloutWorld(pops(4)).settle(SUNDAY);
    const [first, second] = world.members("canary");
    world.passes(first!).settle(Date.UTC(2026, 11, 6, 23));
    expect(world.state(second!)).toBe("Assigned");
    world.settle(Date.UTC(2026, 11, 7));
    expect(world.state(second!)).toBe("Skipped(OutsideWindow)");
    expect(world.wave("canary")?.state).toBe("Passed");
  });

  it("[F6] a wave that never opened in its train halts the rollout, so that the next train need not wait; a retry takes the next departure", () => {
    const waves = [
      { name: "canary", pops: { count: 1 } },
      { name: "rest", pops: { percent: 100 }, approval: "Required" },
    ];
    const world = new RolloutWorld(pops(3), { waves }).settle(SUNDAY);
    world.passes(...world.members("canary")).settle(Date.UTC(2026, 11, 7, 11));
    expect(world.status.halted).toBeUndefined();
    world.settle(Date.UTC(2026, 11, 7, 12));
    expect([world.status.halted?.because, world.status.outcome]).toEqual([expect.stringContaining("before wave rest opened"), "Halted"]);
    world.edit({ requests: { retry: { at: "2026-12-08T00:00:00Z" } } }).settle(Date.UTC(2026, 11, 8));
    expect(world.status).toMatchObject({ startDate: "2026-12-20", endDate: "2027-01-03" });
    expect(world.status.halted).toBeUndefined();
  });

  it("[G11] in steady state nothing is written", () => {
    const world = new RolloutWorld(pops(6)).settle(FRIDAY);
    const { writes } = world;
    for (let hour = 1; hour < 24; hour++) world.settle(FRIDAY + hour * HOUR);
    expect(world.writes).toBe(writes);
  });
});
