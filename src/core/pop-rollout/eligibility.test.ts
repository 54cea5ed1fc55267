import { describe, expect, it } from "vitest";
import { approval, pop, pops, RolloutWorld, SUNDAY, HOUR } from "./pop-rollout.examples.ts";

const ALL = { waves: [{ name: "all", pops: { percent: 100 } }] };
const opened = (list: Parameters<typeof pops>[1], spec: Record<string, unknown> = {}) =>
  new RolloutWorld([...pops(2), pop("odd", list)], { ...ALL, ...spec }).settle(SUNDAY);

describe("who gets the version", () => {
  it("[F1] a PoP whose version a person pinned is Skipped(PinnedByPerson), by name; that some are is no refusal", () => {
    const world = opened({ pinned: "2026.10.1" });
    expect([world.state("odd"), world.condition("Accepted")]).toEqual(["Skipped(PinnedByPerson)", "True Accepted"]);
    expect(world.of("odd")?.message).toContain("spec.version of PoP odd is 2026.10.1");
  });

  it("[V3] no PoP is assigned an older version than it runs, whole or in the middle of a run", () => {
    expect(opened({ version: "2026.11.2.1" }).of("odd")).toMatchObject({
      state: "Skipped",
      reason: "OtherBase",
      message: expect.stringContaining("V3") as string,
    });
    const run = { kind: "Roll" as const, version: "2026.12.0", state: "Rolling" as const, startedAt: "2026-11-22T00:00:00Z" };
    expect(opened({ run }).state("odd")).toBe("Skipped(OtherBase)");
  });

  it("[F8] `from` is asked of the version that runs; without it a new PoP joins by assignment", () => {
    expect(opened({ version: "2026.9.1" }, { from: ">=2026.11.0" }).of("odd")?.message).toBe(
      "PoP odd runs 2026.9.1, and the rollout applies to >=2026.11.0",
    );
    expect(opened({ version: undefined as never }, { from: ">=2026.11.0" }).state("odd")).toBe("Assigned");
  });

  it("[F1] a PoP that runs the version already has passed, takes no place of a wave, and is told of in the last one", () => {
    const world = opened({ version: "2026.11.2" });
    expect(world.state("odd")).toBe("Passed(AlreadyThere)");
    const staged = new RolloutWorld([...pops(4), pop("odd", { version: "2026.11.2" })]).settle(SUNDAY);
    expect(staged.members("canary")).not.toContain("odd");
  });

  it("[G8] a PoP with a failed verdict on the version is Skipped(FailedBefore), unless an Approval lets it be tried again", () => {
    const failed = [{ version: "2026.11.2", at: "2026-11-01T00:00:00Z", evidence: "5xx over 5 %" }];
    expect(opened({ failed }).state("odd")).toBe("Skipped(FailedBefore)");
    const world = new RolloutWorld([...pops(2), pop("odd", { failed })], ALL).settle(SUNDAY - 72 * HOUR);
    world.approvals = [approval("again", world.status.digest!, { actions: ["RetryFailed"] })];
    world.settle(SUNDAY);
    expect(world.of("odd")).toMatchObject({ state: "Assigned", retryAt: "2026-11-20T00:00:00Z" });
  });

  it("a PoP that is being deleted has no share", () => {
    expect(opened({ deleting: true }).of("odd")).toBeUndefined();
  });

  it("pinned while it waits: Skipped(PinnedByPerson); pinned while it rolls: the run goes on as it is", () => {
    const world = opened({});
    world
      .rolls("p00")
      .change("p00", { pinned: "2026.10.1" })
      .change("p01", { pinned: "2026.10.1" })
      .settle(SUNDAY + HOUR);
    expect([world.state("p00"), world.state("p01")]).toEqual(["Rolling", "Skipped(PinnedByPerson)"]);
  });

  it("[F10] a PoP that an emergency takes to something newer before it begins, or in the middle, does not hold the wave", () => {
    const world = opened({});
    world
      .change("p00", { version: "2026.11.2.1" })
      .rolls("p01")
      .settle(SUNDAY + HOUR);
    world
      .ends("p01", "Superseded")
      .change("p01", { version: "2026.11.2.1" })
      .passes("odd")
      .settle(SUNDAY + 2 * HOUR);
    expect([world.state("p00"), world.state("p01"), world.status.outcome]).toEqual([
      "Skipped(OtherBase)",
      "Skipped(Superseded)",
      "Completed",
    ]);
  });

  it.each([
    ["Promoted", "Promoted"],
    ["RolledBack", "RolledBack"],
    ["RollbackFailed", "RollbackFailed"],
    ["Stopped", "Stopped(Stopped)"],
  ] as const)("[G1] a member's state is read from the PoP's own ledger: %s", (outcome, state) => {
    const world = opened({});
    world.rolls("p00").settle(SUNDAY + HOUR);
    world.ends("p00", outcome).settle(SUNDAY + 2 * HOUR);
    expect(world.state("p00")).toBe(state);
  });

  it("[G1] a run of the same version that ended before the assignment says nothing of it; one in preflight has not begun", () => {
    const entry = { version: "2026.11.2", startedAt: "2026-11-01T00:00:00Z", endedAt: "2026-11-02T00:00:00Z", outcome: "Stopped" as const };
    const world = opened({ history: [entry] });
    expect(world.state("odd")).toBe("Assigned");
    expect(
      world
        .rolls("odd", "Preflight")
        .settle(SUNDAY + HOUR)
        .state("odd"),
    ).toBe("Assigned");
    expect(
      world
        .rolls("odd", "Baking")
        .settle(SUNDAY + HOUR)
        .state("odd"),
    ).toBe("Baking");
  });
});

describe("[F1] waves that cannot be", () => {
  const refused = (waves: unknown[], list = pops(10)) => {
    const world = new RolloutWorld(list, { waves }).settle(SUNDAY);
    expect([world.condition("Accepted"), world.status.assignments ?? []]).toEqual(["False WavesInvalid", []]);
    return world.message("Accepted");
  };

  it("a percentage that adds nobody to the waves before it is refused by name", () => {
    const waves = [
      { name: "canary", pops: { count: 2 } },
      { name: "small", pops: { percent: 10 } },
      { name: "rest", pops: { percent: 100 } },
    ];
    expect(refused(waves)).toContain(
      "wave small covers nobody: 10 % of 10 PoPs are 1, and the waves before it have 2 already; write a larger percentage",
    );
  });

  it("labels that no PoP has, and a wave after everybody was taken, are refused by name", () => {
    const rest = { name: "rest", pops: { percent: 100 } };
    expect(refused([{ name: "labs", pops: { matchLabels: { stage: "lab" } } }, rest])).toContain("wave labs covers nobody: no PoP");
    expect(
      refused([
        { name: "most", pops: { count: 10 } },
        { name: "more", pops: { count: 1 } },
      ]),
    ).toContain("wave more covers nobody: the waves before it take all 10");
  });

  it("labels that only match PoPs of an earlier wave would cover them twice", () => {
    const list = pops(4, { labels: { stage: "lab", ring: "0" } });
    const waves = [
      { name: "labs", pops: { matchLabels: { stage: "lab" } } },
      { name: "ring", pops: { matchLabels: { ring: "0" } } },
    ];
    expect(refused(waves, [...list, ...pops(9).slice(4)])).toContain("wave ring covers PoPs twice: p00, p01, p02, p03");
  });

  it("a range that cannot be read is refused with what to write", () => {
    const world = new RolloutWorld(pops(4), { from: "newer than 5" }).settle(SUNDAY);
    expect([world.condition("Accepted"), world.message("Accepted")]).toEqual([
      "False RangeInvalid",
      expect.stringContaining("write for example"),
    ]);
  });

  it("a fleet without PoPs for it holds NoMembers, and is not taken for one that has been reached", () => {
    const world = new RolloutWorld([]).settle(SUNDAY);
    expect([world.status.holds![0]!.reason, world.status.outcome]).toEqual(["NoMembers", undefined]);
    world.pops = pops(4);
    expect(world.settle(SUNDAY).wave("canary")?.state).toBe("Open");
  });

  it("[F8] an emergency whose range matches nobody holds NoMembers with what each PoP runs, before anybody is asked to approve it", () => {
    const emergency = { class: "Emergency", reason: "exploited in the wild", from: ">=2026.11.1", startNotBefore: undefined };
    const list = [...pops(3, { version: "2026.10.4" }), { ...pops(5)[4]!, pinned: "2026.9.1", version: "2026.9.1" }];
    const world = new RolloutWorld(list, emergency).settle(SUNDAY);
    expect(world.status.holds).toMatchObject([
      {
        reason: "NoMembers",
        message:
          "2026.11.2 has nowhere to go: none of the 4 PoPs may get it: 3 PoPs (p00, p01 and p02): runs 2026.10.4, and the rollout applies to " +
          ">=2026.11.1 (OtherBase); 1 PoP (p04): spec.version is 2026.9.1; without it the rollout assigns one (PinnedByPerson); " +
          "write a spec.from that includes what they run, or bring them to it first",
      },
    ]);
    world.edit({ from: ">=2026.10.0" }).settle(SUNDAY);
    expect(world.status.holds!.map(({ reason }) => reason)).toEqual(["AwaitingApproval"]);
  });

  it("[F1] [V3] who may not get it stands in status before a wave opens, together where the same is true of them, with what they run", () => {
    const list = [...pops(2), ...pops(6, { version: "2026.12.1" }).slice(2, 5)];
    const world = new RolloutWorld(list, { from: "2026.11.x || 2026.12.x" }).settle(SUNDAY - 6 * 86_400_000);
    expect(world.status.excluded).toEqual([
      {
        reason: "OtherBase",
        pops: 3,
        message: "3 PoPs (p02, p03 and p04): runs 2026.12.1, and nothing goes to an older version except by rollback (V3)",
      },
    ]);
    world.pops = world.pops.map((one) => ({ ...one, version: "2026.11.1" }));
    expect(world.settle().status.excluded).toBeUndefined();
  });

  it("[L2] once it has begun, PoPs that leave make no rollout wrong", () => {
    const world = new RolloutWorld(pops(4)).settle(SUNDAY);
    world.pops = world.pops.filter(({ name }) => world.members("canary").includes(name));
    world.passes(...world.members("canary")).settle(SUNDAY + HOUR);
    expect([world.condition("Accepted"), world.wave("rest")?.state, world.status.outcome]).toEqual([
      "True Accepted",
      "Skipped",
      "Completed",
    ]);
  });
});
