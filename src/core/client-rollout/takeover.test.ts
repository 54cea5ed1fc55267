import { describe, expect, it } from "vitest";
import { DAY, HOUR, WEEK } from "../time/civil.ts";
import { ALL_WELL, counted, MONDAY, type RolloutWorld, well } from "./rollout-world.examples.ts";

describe("a fixed version", () => {
  const FIX = {
    name: "windows-5-12-4",
    spec: { version: "5.12.4", announcedAt: "2026-11-27T15:00:00Z", supersedes: { name: "windows-5-12-3" } },
  };
  const FRIDAY = Date.parse("2026-11-27T15:00:00Z");
  /** The faulty one, left at this moment. */
  const faultyAt = (now: number): RolloutWorld => {
    const world = well();
    world.until(MONDAY, now);
    return world;
  };
  const fixOf = (faulty: RolloutWorld): RolloutWorld => {
    const world = well(FIX);
    world.others = [faulty.rollout];
    return world;
  };

  it("[C6] begins with the exposed devices, then takes over the phase reached; the faulty one is stopped the moment it is seen", () => {
    const faulty = faultyAt(FRIDAY - DAY);
    const fix = fixOf(faulty);
    fix.numbers = new Map([["exposed", counted(40)]]);
    fix.look(FRIDAY);
    expect([fix.status.reached?.stage, fix.condition("Progressing"), fix.status.chain]).toEqual([
      "Exposed",
      "True Exposed",
      ["windows-5-12-3", "windows-5-12-4"],
    ]);
    expect(fix.status.inherited).toMatchObject({ versions: ["5.12.3"], accountsPercent: 25, usersPercent: 50, pilotPassed: true });
    faulty.others = [fix.rollout];
    faulty.look(FRIDAY);
    expect([faulty.status.stopped?.by, faulty.condition("Progressing")]).toEqual(["Superseded", "False Superseded"]);
    expect(faulty.status.stopped?.message).toBe("ClientRollout windows-5-12-4 (5.12.4) mends it and goes on in its place");
    faulty.others = [];
    faulty.look(FRIDAY + HOUR);
    expect(faulty.status, "the fix was deleted").toMatchObject({
      effective: "Stopped",
      stopped: { by: "Superseded", message: expect.stringContaining("was deleted, and what it mended stays stopped; write a version") },
    });
    fix.others = [];
    fix.numbers = new Map(ALL_WELL);
    fix.look(FRIDAY + HOUR);
    expect(fix.status.reached, "the old object is gone, and what it reached stands").toMatchObject({
      stage: "Phase",
      phase: 2,
      accountsPercent: 25,
      usersPercent: 50,
    });
    expect(fix.opened).toEqual([
      ["exposed", "2026-11-27T15:00:00Z"],
      ["phase-2", "2026-11-27T16:00:00Z"],
    ]);
  });

  it("[C6] with other phases it takes the nearest one with at least both shares", () => {
    const fix = fixOf(faultyAt(FRIDAY - DAY));
    fix.edit({
      phases: [
        { accountsPercent: 20, usersPercent: 100, for: "24h", gate: fix.rollout.spec.phases[0]!.gate },
        { accountsPercent: 50, usersPercent: 100, for: "24h", gate: fix.rollout.spec.phases[0]!.gate },
        { accountsPercent: 100, usersPercent: 100, for: "24h", gate: fix.rollout.spec.phases[0]!.gate },
      ],
    });
    fix.look(FRIDAY);
    expect(fix.status.reached).toMatchObject({ phase: 2, accountsPercent: 50, usersPercent: 100 });
  });

  it("[C6] where the faulty one never left its pilot the time of the pilot counts, and the general rollout waits for the first date promised", () => {
    const faulty = faultyAt(MONDAY + WEEK);
    const fix = fixOf(faulty);
    fix.edit({ announcedAt: "2026-11-09T09:00:00Z" });
    fix.look(MONDAY + WEEK);
    expect(fix.status.reached).toMatchObject({ stage: "Pilot", timer: { accumulated: WEEK } });
    fix.until(MONDAY + WEEK, MONDAY + 4 * WEEK);
    expect(fix.opened.slice(0, 3)).toEqual([
      ["exposed", "2026-11-09T09:00:00Z"],
      ["pilot", "2026-11-09T09:00:00Z"],
      ["phase-1", "2026-11-23T09:00:00Z"],
    ]);
  });

  it("[C6] waits behind the gate of the exposed devices: 3 of 200 failed is too many", () => {
    const fix = fixOf(faultyAt(FRIDAY - DAY));
    fix.numbers = new Map([["exposed", counted(200, 3)]]);
    fix.until(FRIDAY, FRIDAY + 2 * WEEK);
    expect([fix.status.reached?.stage, fix.condition("Progressing")]).toEqual(["Exposed", "False GateFailed"]);
  });

  it("[C6] of a fix of a fix the whole chain is faulty, and the shares of the first one are taken over", () => {
    const fix = fixOf(faultyAt(FRIDAY - DAY));
    fix.numbers = new Map([["exposed", counted(10)]]);
    fix.look(FRIDAY);
    const again = well({ name: "windows-5-12-5", spec: { ...FIX.spec, version: "5.12.5", supersedes: { name: "windows-5-12-4" } } });
    again.others = [fix.rollout];
    again.look(FRIDAY + DAY);
    expect(again.status.inherited).toMatchObject({
      versions: ["5.12.3", "5.12.4"],
      accountsPercent: 25,
      usersPercent: 50,
      pilotPassed: true,
    });
    expect(again.status.chain).toEqual(["windows-5-12-3", "windows-5-12-4", "windows-5-12-5"]);
  });

  it("[C6] that names nobody, another system or a newer version is not carried out, and stops nobody", () => {
    const faulty = faultyAt(FRIDAY - DAY);
    const refused = (spec: Record<string, unknown>) => {
      const world = well({ ...FIX, spec: { ...FIX.spec, ...spec } });
      world.others = [faulty.rollout];
      world.look(FRIDAY);
      faulty.others = [world.rollout];
      faulty.look(FRIDAY);
      return [world.condition("Accepted"), world.status.reached, faulty.status.stopped];
    };
    for (const spec of [{ supersedes: { name: "nobody" } }, { os: "Linux" }, { version: "5.12.2" }]) {
      expect(refused(spec)).toEqual(["False SupersedesUnknown", undefined, undefined]);
    }
  });
});
