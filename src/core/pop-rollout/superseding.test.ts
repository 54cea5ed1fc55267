import { describe, expect, it } from "vitest";
import { HOUR, other, pop, pops, REGULAR, RolloutWorld, SUNDAY, DAY } from "./pop-rollout.examples.ts";

const NEWER = "2026-11-20T00:00:00Z";

describe("[F6] two rollouts never interleave", () => {
  it("the newer waits for an older one that is under way, and says for which", () => {
    const world = new RolloutWorld(pops(4));
    world.others = [other("r-1", { waves: [{ name: "canary", state: "Open", pops: ["p00"] }] })];
    world.settle(SUNDAY);
    expect(world.status.holds![0]).toMatchObject({
      rule: "F6",
      reason: "RolloutUnderWay",
      message: expect.stringContaining("PoPRollout r-1 (2026.11.1) is under way") as string,
    });
    expect(world.status.assignments ?? []).toEqual([]);
  });

  it("[G2] [G11] it is told until when the other's forecast says, to a quarter of an hour, so that seconds that move are not written", () => {
    const world = new RolloutWorld(pops(4));
    const until = (finishAt: string, hours: number) => {
      world.others = [other("r-1", { waves: [{ name: "canary", state: "Open", pops: ["p00"] }], finishAt })];
      return world.settle(SUNDAY + hours * HOUR).status.holds![0]!.until;
    };
    expect(until("2026-11-22T14:03:27.000Z", 0)).toBe("2026-11-22T14:15:00.000Z");
    const { writes } = world;
    expect(until("2026-11-22T14:11:02.000Z", 1)).toBe("2026-11-22T14:15:00.000Z");
    expect(world.writes).toBe(writes);
    expect(until("2026-11-22T14:11:02.000Z", 15)).toBeUndefined();
  });

  it.each([
    ["is over", { ended: true }],
    ["stands", { standing: true, ended: true }],
    ["is faulty", { faulty: true }],
    ["was superseded by a third", { supersededBy: "r-x" }],
    ["has not begun", { waves: [{ name: "canary", state: "Pending" as const, pops: [] }] }],
    ["brings content", { content: true }],
  ])("it does not wait for one that %s", (_, changes) => {
    const world = new RolloutWorld(pops(4));
    world.others = [other("r-1", { waves: [{ name: "canary", state: "Open", pops: ["p00"] }], ...changes })];
    expect(world.settle(SUNDAY).wave("canary")?.state).toBe("Open");
  });

  it("an older one that has not begun waits for a newer one under way; when both have begun only the newer waits", () => {
    const newer = other("r-3", { createdAt: NEWER, waves: [{ name: "canary", state: "Open", pops: ["p00"] }] });
    const world = new RolloutWorld(pops(4));
    world.others = [newer];
    expect(world.settle(SUNDAY).status.assignments ?? []).toEqual([]);
    world.others = [];
    world.settle(SUNDAY);
    world.others = [newer];
    world.passes(...world.members("canary")).settle(SUNDAY + HOUR);
    expect(world.wave("rest")?.state).toBe("Open");
  });
});

describe("[F5] superseded", () => {
  it("from the moment the newer object is seen nothing starts: not begun is withdrawn, mid-run is asked to stop, what has it keeps it", () => {
    const world = new RolloutWorld(pops(6), {
      waves: [
        { name: "all", pops: { count: 4 } },
        { name: "rest", pops: { percent: 100 } },
      ],
    }).settle(SUNDAY);
    const [passed, mid, ...idle] = world.members("all");
    world
      .passes(passed!)
      .rolls(mid!)
      .settle(SUNDAY + HOUR);
    world.others = [other("r-3", { createdAt: NEWER, version: "2026.11.3", supersedes: "r-2" })];
    world.settle(SUNDAY + 2 * HOUR);
    expect(world.status.supersededBy).toEqual({ name: "r-3", uid: "uid-r-3", at: "2026-11-22T02:00:00.000Z" });
    expect([world.state(passed!), world.of(mid!)?.order, world.state(idle[0]!)]).toEqual(["Passed", "Stop", "Skipped(Superseded)"]);
    expect(world.status.outcome).toBeUndefined();
    world.ends(mid!, "Superseded").settle(SUNDAY + 3 * HOUR);
    expect(world.state(mid!)).toBe("Skipped(Superseded)");
    expect([world.status.outcome, world.condition("Progressing"), world.wave("rest")?.state]).toEqual([
      "Superseded",
      "False Superseded",
      "Pending",
    ]);
  });

  it("an older object that names this one does not supersede it", () => {
    const world = new RolloutWorld(pops(4));
    world.others = [other("r-1", { supersedes: "r-2", ended: true })];
    expect(world.settle(SUNDAY).status.supersededBy).toBeUndefined();
  });

  it("[G4] a newer standing rollout ends the older one's standing; it stays Completed", () => {
    const world = new RolloutWorld(pops(3)).settle(SUNDAY);
    world.passes("p00", "p01", "p02").settle(SUNDAY + 8 * DAY);
    expect(world.status.standing).toBe(true);
    world.others = [other("r-3", { createdAt: NEWER, standing: true, ended: true })];
    world.settle(SUNDAY + 9 * DAY);
    expect([world.status.standing, world.status.outcome, world.status.supersededBy?.name]).toEqual([undefined, "Completed", "r-3"]);
  });
});

describe("[F5] the fix", () => {
  const FIX = {
    ...REGULAR,
    version: "2026.11.3",
    startNotBefore: undefined,
    announcedAt: undefined,
    supersedes: { name: "r-1" },
    waves: [
      { name: "canary", pops: { count: 2 } },
      { name: "small", pops: { percent: 60 } },
      { name: "rest", pops: { percent: 100 } },
    ],
  };
  const faulty = other("r-1", {
    version: "2026.11.2",
    supersededBy: "r-2",
    faulty: true,
    waves: [
      { name: "canary", state: "Passed", pops: ["p00", "p01"] },
      { name: "small", state: "Open", pops: ["p02", "p03", "p04"] },
      { name: "rest", state: "Pending", pops: [] },
    ],
  });
  /** p00 and p01 run the faulty version, p02 stopped in the middle, p03 rolled back. */
  const list = [
    ...pops(10).slice(3),
    pop("p00", { version: "2026.11.2" }),
    pop("p01", { version: "2026.11.2" }),
    pop("p02", { run: { kind: "Roll", version: "2026.11.2", state: "Rolling", startedAt: "2026-11-22T01:00:00Z", ending: "Superseded" } }),
  ];

  it("takes the PoPs on the faulty version first, then the waves that it had reached at once, then the others", () => {
    const world = new RolloutWorld(list, FIX);
    world.others = [faulty];
    world.settle(SUNDAY + 3 * DAY);
    expect(world.wave("exposed")?.state).toBe("Pending");
    world.settle(SUNDAY + 7 * DAY);
    expect(world.members("exposed").toSorted()).toEqual(["p00", "p01", "p02"]);
    expect(world.wave("canary")?.state).toBe("Pending");
    world.passes(...world.members("exposed")).settle(SUNDAY + 7 * DAY + 2 * HOUR);
    expect(["canary", "small", "rest"].map((name) => world.wave(name)?.state)).toEqual(["Open", "Open", "Pending"]);
    // The two that had been in the waves before come first; 60 % of ten are six, of which five are taken then.
    expect([world.members("canary").toSorted(), world.members("small").length]).toEqual([["p03", "p04"], 1]);
    world.passes(...world.members("canary"), ...world.members("small")).settle(SUNDAY + 7 * DAY + 3 * HOUR);
    expect([world.wave("rest")?.state, world.members("rest").length]).toEqual(["Open", 4]);
  });

  it("the wave of exposed PoPs has the first wave's budget of 0", () => {
    const world = new RolloutWorld(list, { ...FIX, failureBudget: { pops: 3 } });
    world.others = [faulty];
    world.settle(SUNDAY + 7 * DAY);
    world.ends("p00", "RolledBack").settle(SUNDAY + 7 * DAY + HOUR);
    expect(world.status.halted?.because).toContain("first wave exposed");
  });

  it("where nobody runs the faulty version any more, the waves that it had reached follow at once", () => {
    const world = new RolloutWorld(pops(10), FIX);
    world.others = [faulty];
    world.settle(SUNDAY + 7 * DAY);
    expect(["exposed", "canary", "small", "rest"].map((name) => world.wave(name)?.state)).toEqual(["Skipped", "Open", "Open", "Pending"]);
  });

  it("it waits until the faulty one has taken note", () => {
    const world = new RolloutWorld(list, FIX);
    const { supersededBy: _, ...unaware } = faulty;
    world.others = [unaware];
    world.settle(SUNDAY + 7 * DAY);
    expect(world.status.holds![0]).toMatchObject({ rule: "F5", message: "PoPRollout r-1 has not taken note yet that this one mends it" });
  });

  it.each([
    ["nobody", [], "there is no PoPRollout of that name"],
    ["a rollout of content", [{ ...faulty, content: true }], "which does not bring a version as this one does"],
    ["a newer one", [{ ...faulty, createdAt: NEWER }], "which is newer than this rollout"],
  ])("supersedes that names %s is refused by name", (_, others, sentence) => {
    const world = new RolloutWorld(list, FIX);
    world.others = others;
    world.settle(SUNDAY + 7 * DAY);
    expect([world.condition("Accepted"), world.status.assignments ?? []]).toEqual(["False SupersedesUnknown", []]);
    expect(world.message("Accepted")).toContain(sentence);
  });
});
