import { describe, expect, it } from "vitest";
import { approval, DAY, HOUR, pops, RolloutWorld, SUNDAY } from "./pop-rollout.examples.ts";

const WAVES = [
  { name: "canary", pops: { count: 1 } },
  { name: "rest", pops: { percent: 100 }, approval: "Required" },
];

/** The canary has passed; the rest waits for an Approval, with its digest in status. */
function waits(): { readonly world: RolloutWorld; readonly digest: string } {
  const world = new RolloutWorld(pops(5), { waves: WAVES }).settle(SUNDAY);
  world.passes(...world.members("canary")).settle(SUNDAY + 2 * HOUR);
  return { world, digest: world.wave("rest")!.digest! };
}

describe("[F8] approvals of a wave", () => {
  it("a wave that needs one waits AwaitingApproval with its digest, and opens on an Approval that names it; who and why is kept", () => {
    const { world, digest } = waits();
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(world.status.holds![0]).toMatchObject({
      rule: "F8",
      reason: "AwaitingApproval",
      message: expect.stringContaining(digest) as string,
    });
    world.approvals = [approval("ok", digest)];
    world.settle(SUNDAY + 3 * HOUR);
    expect(world.wave("rest")).toMatchObject({
      state: "Open",
      digest,
      approval: { name: "ok", by: "second@example.com", at: "2026-11-22T03:00:00.000Z", reason: "looks good" },
    });
    expect(world.of(world.members("rest")[0]!)?.approval).toBe("ok");
  });

  it("the digest is of rollout, version, class, wave, members and evidence, and never of times: waiting does not change it", () => {
    const { world, digest } = waits();
    world.settle(SUNDAY + 3 * DAY);
    expect(world.wave("rest")!.digest).toBe(digest);
    world.pops = [...world.pops, { ...pops(9)[8]!, name: "new", uid: "uid-new" }];
    world.settle(SUNDAY + 4 * DAY);
    expect(world.wave("rest")!.digest).not.toBe(digest);
  });

  it.each([
    [
      "of another digest",
      { for: { kind: "PoPRollout" as const, name: "r-2", uid: "uid-r-2", digest: `sha256:${"0".repeat(64)}` } },
      "names another digest",
    ],
    [
      "for an object of that name with another UID",
      { for: { kind: "PoPRollout" as const, name: "r-2", uid: "old", digest: "" } },
      "is for another PoPRollout",
    ],
    [
      "by who asked for the rollout, also when the API server let it through",
      { approvedBy: "release@example.com" },
      "a second person has to decide",
    ],
    ["of another action", { actions: ["Emergency" as const] }, "with action Emergency, and what is asked for is Promote"],
    [
      "that has expired and is of another digest too, which is no reason to say less of it",
      {
        for: { kind: "PoPRollout" as const, name: "r-2", uid: "uid-r-2", digest: `sha256:${"0".repeat(64)}` },
        expiresAt: "2026-11-22T03:00:00Z",
      },
      "expired at 2026-11-22T03:00:00Z, and names another digest",
    ],
    ["that has expired before it was first used", { expiresAt: "2026-11-22T03:00:00Z" }, "expired at 2026-11-22T03:00:00Z"],
  ])("an Approval %s does not count, and the hold says so", (_, changes, sentence) => {
    const { world, digest } = waits();
    world.approvals = [approval("odd", digest, changes)];
    world.settle(SUNDAY + 3 * HOUR);
    expect(world.wave("rest")?.state).toBe("Pending");
    expect(world.status.holds!.map(({ message }) => message).join()).toContain(sentence);
  });

  it("one that was used for a wave before is passed over in silence when the next one waits", () => {
    const three = [{ ...WAVES[0]!, approval: "Required" }, WAVES[1]!];
    const world = new RolloutWorld(pops(5), { waves: three }).settle(SUNDAY);
    world.approvals = [approval("first", world.wave("canary")!.digest!)];
    world.settle(SUNDAY);
    world.passes(...world.members("canary")).settle(SUNDAY + 2 * HOUR);
    expect(world.status.holds!.map(({ reason, message }) => [reason, message.includes("first")])).toEqual([["AwaitingApproval", false]]);
  });

  it("only the Fleet's approvers may approve, where it names any", () => {
    const { world, digest } = waits();
    world.fleet = { approvers: ["third@example.com"] };
    world.approvals = [approval("ok", digest)];
    world.settle(SUNDAY + 3 * HOUR);
    expect(world.status.holds![0]!.message).toContain("who is not among the Fleet's approvers");
    world.approvals = [approval("ok", digest), approval("better", digest, { approvedBy: "third@example.com" })];
    world.settle(SUNDAY + 3 * HOUR);
    expect(world.wave("rest")?.approval?.name).toBe("better");
  });

  it("once used it stays used: it may expire, or be deleted, before the window comes", () => {
    const { world, digest } = waits();
    world.settle(SUNDAY + 5 * HOUR);
    world.approvals = [approval("ok", digest, { expiresAt: "2026-11-23T00:00:00Z" })];
    world.settle(SUNDAY + 6 * HOUR);
    expect([world.wave("rest")?.state, world.wave("rest")?.approval?.name]).toEqual(["Pending", "ok"]);
    world.approvals = [];
    world.settle(SUNDAY + 6 * DAY + 2 * HOUR);
    expect(world.wave("rest")?.state).toBe("Open");
  });

  it("what was approved is no more what would be done: the Approval is used up by nobody", () => {
    const { world, digest } = waits();
    world.approvals = [approval("ok", digest)];
    world.settle(SUNDAY + 5 * HOUR);
    world.pops = [...world.pops, { ...pops(9)[8]!, name: "new", uid: "uid-new" }];
    world.settle(SUNDAY + 6 * HOUR);
    expect(world.wave("rest")?.approval).toBeUndefined();
  });

  it("a refusal holds the wave with its reason, also one that asks for no Approval, and does not lapse; a newer Approval overrules it", () => {
    const { world, digest } = waits();
    const no = approval("no", digest, { decision: "Refuse", reason: "support sees crashes", expiresAt: "2026-11-22T04:00:00Z" });
    world.approvals = [approval("ok", digest), no];
    world.settle(SUNDAY + 3 * HOUR);
    expect(world.status.holds![0]).toMatchObject({
      reason: "AwaitingApproval",
      message: expect.stringContaining("support sees crashes") as string,
    });
    world.edit({ waves: WAVES.map(({ approval: _, ...wave }) => wave) }).settle(SUNDAY + 4.5 * HOUR);
    expect(world.wave("rest")?.state).toBe("Pending");
    world.approvals = [no, approval("yes", digest, {}, "2026-11-22T03:30:00Z")];
    world.settle(SUNDAY + 4.5 * HOUR);
    expect(world.wave("rest")?.state).toBe("Open");
  });

  it("a refusal of a wave that is open already holds who has not begun", () => {
    const { world, digest } = waits();
    world.approvals = [approval("ok", digest)];
    world.settle(SUNDAY + 3 * HOUR);
    world.approvals = [approval("ok", digest), approval("no", digest, { decision: "Refuse" }, "2026-11-22T03:30:00Z")];
    world.settle(SUNDAY + 4 * HOUR);
    expect(world.members("rest").map((name) => world.of(name)?.order)).toEqual(["Hold", "Hold", "Hold", "Hold"]);
  });
});

describe("[F8] emergencies", () => {
  const EMERGENCY = {
    class: "Emergency",
    version: "2026.11.1.1",
    startNotBefore: undefined,
    reason: "CVE-2026-0001",
    from: ">=2026.11.1 <2026.11.2",
  };
  const asked = (spec: Record<string, unknown> = {}) => {
    const world = new RolloutWorld(pops(5), { ...EMERGENCY, ...spec }).settle(SUNDAY + 3 * DAY);
    return { world, yes: approval("go", world.status.digest!, { actions: ["Emergency"] }) };
  };

  it("it begins on an Approval by somebody else, on a Wednesday, without dates, still wave by wave", () => {
    const { world, yes } = asked();
    expect([world.status.assignments ?? [], world.condition("Progressing")]).toEqual([[], "False AwaitingApproval"]);
    expect(world.status.holds![0]!.message).toContain(world.status.digest!);
    world.approvals = [{ ...yes, spec: { ...yes.spec, approvedBy: "release@example.com" } }];
    world.settle();
    expect(world.status.assignments ?? []).toEqual([]);
    world.approvals = [yes];
    world.settle();
    expect(world.status.emergency).toEqual({ approval: "go", by: "second@example.com", at: new Date(world.now).toISOString() });
    expect([world.members("canary").length, world.wave("rest")?.state]).toEqual([2, "Pending"]);
    const one = world.of(world.members("canary")[0]!)!;
    expect(one).toMatchObject({ class: "Emergency", approval: "go", order: "Go" });
    expect([one.from, one.to, one.liftedFreezes]).toEqual([undefined, undefined, undefined]);
    world.passes(...world.members("canary")).settle(world.now + HOUR);
    expect(world.wave("rest")?.state).toBe("Open");
    expect(world.events).toContain("EmergencyApproved");
  });

  it("it is latched: the Approval may expire between the waves; a refusal names its reason", () => {
    const { world, yes } = asked();
    world.approvals = [yes];
    world.settle();
    world.approvals = [];
    world.passes(...world.members("canary")).settle(world.now + HOUR);
    expect(world.wave("rest")?.state).toBe("Open");
    const refused = asked();
    refused.world.approvals = [{ ...refused.yes, spec: { ...refused.yes.spec, decision: "Refuse", reason: "not reachable from outside" } }];
    refused.world.settle();
    expect(refused.world.status.holds![0]!.message).toContain("not reachable from outside");
  });

  it("it applies to its `from` range only: others, and PoPs without a version, are Skipped(OtherBase)", () => {
    const { world, yes } = asked();
    world.change("p00", { version: "2026.10.4" }).change("p01", { version: undefined as never });
    world.approvals = [yes];
    world.settle();
    world.passes(...world.members("canary")).settle(world.now + HOUR);
    expect([world.state("p00"), world.state("p01")]).toEqual(["Skipped(OtherBase)", "Skipped(OtherBase)"]);
  });

  it("freezes hold it unless an Approval lifts them by name, also one that comes when PoPs wait already", () => {
    const { world, yes } = asked();
    world.fleet = { freezes: [{ name: "year-end", from: "2026-12-20", to: "2027-01-06" }] };
    world.approvals = [yes];
    world.settle();
    const lifts = approval("lift", world.status.digest!, { actions: ["LiftFreeze"], freezes: ["year-end"] });
    world.approvals = [yes, lifts];
    world.settle(world.now + HOUR);
    expect(world.members("canary").map((name) => world.of(name)?.liftedFreezes)).toEqual([["year-end"], ["year-end"]]);
    world.approvals = [];
    world.passes(...world.members("canary")).settle(world.now + HOUR);
    expect(world.of(world.members("rest")[0]!)?.liftedFreezes).toEqual(["year-end"]);
  });
});

describe("[F8] a freeze", () => {
  it("that there is not is lifted by nobody, and takes none of the eight places", () => {
    const world = new RolloutWorld(pops(2)).settle(SUNDAY);
    world.fleet = { freezes: [{ name: "november", from: "2026-11-22", to: "2026-11-22", timeZone: "UTC" }] };
    const lift = (name: string, ...freezes: string[]) => approval(name, world.status.digest!, { actions: ["LiftFreeze"], freezes });
    world.approvals = [lift("slip", "nope")];
    expect(world.settle(SUNDAY).status.freezesLifted).toBeUndefined();
    world.approvals = [lift("both", "nope", "november")];
    expect(world.settle(SUNDAY).status.freezesLifted).toMatchObject([{ approval: "both", freezes: ["november"] }]);
  });

  it("that an Approval lifts for one wave by name opens its windows for that wave only", () => {
    const world = new RolloutWorld(pops(5), { waves: WAVES });
    world.fleet = { freezes: [{ name: "november", from: "2026-11-22", to: "2026-11-22", timeZone: "UTC" }] };
    world.settle(SUNDAY);
    expect([world.wave("canary")?.state, world.status.holds![0]?.until]).toEqual(["Pending", "2026-11-28T01:00:00.000Z"]);
    const digest = world.wave("canary")!.digest!;
    world.approvals = [approval("lift", digest, { actions: ["LiftFreeze"], freezes: ["november"] })];
    world.settle(SUNDAY + HOUR);
    expect(world.of(world.members("canary")[0]!)?.liftedFreezes).toEqual(["november"]);
    world.passes(...world.members("canary")).settle(SUNDAY + 2 * HOUR);
    const go = approval("go", world.wave("rest")!.digest!);
    world.approvals = [go];
    world.settle(SUNDAY + 3 * HOUR);
    expect(world.wave("rest")?.state).toBe("Pending");
  });
});

describe("[F9] stages", () => {
  const STAGES = [{ name: "ci", check: { http: { url: "https://ci.example.com/${version}" } } }];
  const evidence = (verdict: "Passed" | "Failed" | "NotYet" | "Unknown", text = "GET x answered 500") =>
    new Map([["ci", { verdict, evidence: text, ageMilliseconds: 0 }]]);

  it("no wave opens before the evidence is there: not asked, not there yet and unknown wait, and the question is asked", () => {
    const world = new RolloutWorld(pops(5), { stages: STAGES }).settle(SUNDAY);
    expect([world.status.assignments ?? [], world.status.holds![0]!.reason]).toEqual([[], "AwaitingEvidence"]);
    expect(world.decide().probes).toMatchObject([{ kind: "http", url: "https://ci.example.com/2026.11.2" }]);
    for (const verdict of ["NotYet", "Unknown"] as const) {
      world.rest = { evidence: evidence(verdict, "404") };
      expect(world.settle(SUNDAY + HOUR).status.stages).toMatchObject([{ state: "Waiting", evidence: "404" }]);
    }
    world.rest = { evidence: evidence("Passed", "yes") };
    world.settle(SUNDAY + 2 * HOUR);
    expect([world.status.stages![0]!.state, world.wave("canary")?.state, world.decide().probes]).toEqual(["Passed", "Open", []]);
  });

  it("what passed stays, also when the operator restarts and knows nothing", () => {
    const world = new RolloutWorld(pops(5), { stages: STAGES });
    world.rest = { evidence: evidence("Passed", "yes") };
    world.settle(SUNDAY - 3 * DAY);
    world.rest = {};
    world.settle(SUNDAY);
    expect([world.status.stages![0]!.state, world.wave("canary")?.state]).toEqual(["Passed", "Open"]);
  });

  it("a failed stage holds; an Approval of exactly that outcome waives it, and says why", () => {
    const world = new RolloutWorld(pops(5), { stages: STAGES }).settle(SUNDAY - 3 * DAY);
    const early = approval("early", world.status.stages![0]!.digest!);
    world.rest = { evidence: evidence("Failed") };
    world.settle(SUNDAY - 2 * DAY);
    world.approvals = [early];
    world.settle(SUNDAY);
    expect([world.status.stages![0]!.state, world.status.assignments ?? []]).toEqual(["Failed", []]);
    world.approvals = [approval("late", world.status.stages![0]!.digest!, { reason: "the CI cluster is down" })];
    world.settle(SUNDAY);
    expect(world.status.stages![0]).toMatchObject({
      state: "Waived",
      evidence: expect.stringContaining("the CI cluster is down") as string,
    });
    expect(world.wave("canary")?.state).toBe("Open");
  });

  it("features in early availability have no source: the stage says so, what is asked for, and that an Approval alone goes on", () => {
    const stages = [{ name: "ea", features: ["dlp-v2"], minimum: { accounts: 3, for: "72h" } }];
    const world = new RolloutWorld(pops(5), { stages }).settle(SUNDAY);
    expect(world.status.holds![0]!.message).toMatch(
      /^evidence ea is not there yet: this operator has no source that reports on features in early availability \(dlp-v2, asked for on at least 3 accounts for 72h\); it comes from an Approval alone, or from a stage with check and a query of your own instead; an Approval with action Promote for digest sha256:/,
    );
    expect(world.decide().probes).toEqual([]);
    world.approvals = [approval("without", world.status.stages![0]!.digest!, { reason: "seen on our own accounts" })];
    world.settle(SUNDAY);
    expect([world.status.stages![0]!.state, world.wave("canary")?.state]).toEqual(["Waived", "Open"]);
  });
});
