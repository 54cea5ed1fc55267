import { describe, expect, it } from "vitest";
import { DAY, HOUR, WEEK } from "../time/civil.ts";
import { ALL_WELL, counted, MONDAY, RolloutWorld, well } from "./rollout-world.examples.ts";

describe("the stages", () => {
  it("[C2] pilots from the announcement, the first phase three weeks later to the second, then 72, 120 and 168 hours, then it stands", () => {
    const world = well();
    expect(world.look(MONDAY).wakeAt).toBe(MONDAY + 3 * WEEK);
    expect([world.condition("Progressing"), world.status.reached?.stage]).toEqual(["True Piloting", "Pilot"]);
    world.until(MONDAY, MONDAY + 10 * WEEK);
    expect(world.opened).toEqual([
      ["pilot", "2026-11-02T09:00:00Z"],
      ["phase-1", "2026-11-23T09:00:00Z"],
      ["phase-2", "2026-11-26T09:00:00Z"],
      ["phase-3", "2026-12-01T09:00:00Z"],
    ]);
    expect(world.status).toMatchObject({ standingSince: "2026-12-08T09:00:00Z", effective: "Run" });
    expect([world.condition("Progressing"), world.condition("Succeeded")]).toEqual(["True Standing", "True Completed"]);
  });

  it("[C2] announced for later, nothing is open before, and it wakes then", () => {
    const world = well({ spec: { announcedAt: "2026-11-09T09:00:00Z" } });
    expect(world.look(MONDAY).wakeAt).toBe(MONDAY + WEEK);
    expect([world.status.reached, world.holds()]).toEqual([undefined, ["C2 NoticeNotElapsed"]]);
    world.look(MONDAY + WEEK);
    expect(world.status.reached?.stage).toBe("Pilot");
  });

  it("[C2] pilots that failed open nothing, whatever the date; a larger limit does", () => {
    const world = well();
    world.numbers = new Map([["pilot", counted(80, 1)]]);
    world.until(MONDAY, MONDAY + 4 * WEEK);
    expect([world.status.reached?.stage, world.condition("Progressing")]).toEqual(["Pilot", "False PilotFailed"]);
    expect(world.status.holds![0]!.message).toContain("80 of 80 eligible devices attempted it, 1 failed");
    world.edit({ pilot: { ...world.rollout.spec.pilot, failedPercentAtMost: 2 } });
    world.look(MONDAY + 4 * WEEK + HOUR);
    expect(world.status.reached?.stage).toBe("Phase");
  });

  it("[C4] a gate that fails opens nothing: 3 of 200 are more than 1 percent, 2 are not", () => {
    for (const [failed, expected] of [
      [2, "phase-2"],
      [3, "phase-1"],
    ] as const) {
      const world = well();
      world.numbers = new Map([...ALL_WELL, ["phase-1", counted(200, failed)], ["phase-2", counted(0, 0, { attempted: 0 })]]);
      world.until(MONDAY, MONDAY + 3 * WEEK + 4 * DAY);
      expect(world.status.stages!.at(-1)!.name, String(failed)).toBe(expected);
    }
  });

  it("[C4] eleven Linux users are not stuck: an empty phase passes when its time is over, nine of eleven are judged when patience is over", () => {
    const world = new RolloutWorld({ spec: { os: "Linux" } });
    world.numbers = new Map([
      ["pilot", counted(2)],
      ["phase-1", counted(0)],
      ["phase-2", counted(0)],
      ["phase-3", counted(11, 0, { attempted: 9, confirmed: 9 })],
    ]);
    world.until(MONDAY, MONDAY + 12 * WEEK);
    expect(world.status.stages!.map(({ name, outcome }) => `${name} ${outcome}`)).toEqual([
      "pilot FewButPassed",
      "phase-1 NobodyEligible",
      "phase-2 NobodyEligible",
      "phase-3 FewButPassed",
    ]);
    expect(world.status.standingSince).toBeDefined();
  });

  it.each([
    ["eight of eleven", { attempted: 8 }, "phase-1"],
    ["nobody of eleven, and none can be reached", { attempted: 0, unreachable: 11 }, "phase-1"],
    ["eight of the ten that can be reached", { attempted: 8, unreachable: 1 }, "phase-2"],
  ])("[C4] %s attempted: when patience is over %s", (_, numbers, expected) => {
    const world = well();
    world.numbers = new Map([...ALL_WELL, ["phase-1", counted(11, 0, { confirmed: 0, ...numbers })]]);
    world.until(MONDAY, MONDAY + 3 * WEEK + 7 * DAY + HOUR);
    expect(world.status.stages!.at(-1)!.name).toBe(expected);
    if (expected === "phase-1") expect(world.holds()).toEqual(["C4 AwaitingEvidence"]);
  });

  it("[C4] too few, and patience is over: an Approval of the digest opens the next phase, another one does not, a refusal is told", () => {
    const world = well();
    world.numbers = new Map([...ALL_WELL, ["phase-1", counted(11, 0, { attempted: 3, confirmed: 3 })]]);
    const end = MONDAY + 3 * WEEK + 7 * DAY;
    world.until(MONDAY, end);
    expect(world.condition("Progressing")).toBe("False AwaitingEvidence");
    const { digest } = world.status;
    expect(world.status.holds![0]!.message).toContain(`3 of 11 eligible devices attempted it, 0 failed`);
    expect(world.status.holds![0]!.message).toContain(digest);
    const approve = (decision: "Approve" | "Refuse", given: { digest?: string; uid?: string; expiresAt?: string } = {}) => {
      const of = {
        kind: "ClientRollout" as const,
        name: "windows-5-12-3",
        uid: given.uid ?? "uid-windows-5-12-3",
        digest: given.digest ?? digest!,
      };
      const expiresAt = given.expiresAt ?? "2026-12-24T00:00:00Z";
      const spec = { for: of, actions: ["Promote" as const], decision, reason: "they are few", approvedBy: "rita", expiresAt };
      world.around = { approvals: [{ name: "a", createdAt: "2026-12-01T00:00:00Z", spec }] };
      world.look(end + HOUR);
      return world.status.reached!.phase;
    };
    expect(approve("Approve", { digest: `sha256:${"0".repeat(64)}` })).toBe(1);
    expect(approve("Approve", { uid: "another" })).toBe(1);
    expect(approve("Approve", { expiresAt: "2026-11-30T00:00:00Z" })).toBe(1);
    expect(approve("Refuse")).toBe(1);
    expect(world.status.holds![0]!.message).toContain("refused by rita (Approval a): they are few");
    expect(approve("Approve")).toBe(2);
    expect(world.status.stages!.find(({ name }) => name === "phase-1")).toMatchObject({ outcome: "Approved", approval: "a" });
  });

  it("[C2] where nobody is in a pilot a person decides: that is no evidence of pilots", () => {
    const world = well();
    world.numbers = new Map([...ALL_WELL, ["pilot", counted(0)]]);
    world.until(MONDAY, MONDAY + 4 * WEEK);
    expect([world.status.reached?.stage, world.holds()]).toEqual(["Pilot", ["C2 AwaitingEvidence"]]);
    expect(world.status.digest).toMatch(/^sha256:/);
  });

  it("[G9] without the inventory nothing is concluded, and the numbers stand as they were", () => {
    const world = well();
    world.until(MONDAY, MONDAY + WEEK);
    const { numbers } = world.status;
    world.numbers = undefined;
    world.look(MONDAY + 4 * WEEK);
    expect([world.status.reached?.stage, world.status.numbers, world.condition("Progressing")]).toEqual([
      "Pilot",
      numbers,
      "False InventoryUnavailable",
    ]);
  });

  it("[G11] hours later nothing is written, in each stage", () => {
    const world = well();
    for (const at of [MONDAY, MONDAY + 3 * WEEK, MONDAY + 4 * WEEK, MONDAY + 9 * WEEK]) {
      world.until(at, at);
      world.look(at);
      expect(world.look(at + 5 * HOUR).status, String(at)).toBeUndefined();
    }
  });
});
