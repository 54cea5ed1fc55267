import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HOUR, WEEK } from "../time/civil.ts";
import { counted, MONDAY, well } from "./rollout-world.examples.ts";

describe("what is foreseen", () => {
  it("[C8] the end of support is told in weeks left, written once a week", () => {
    const world = well({ spec: { endOfSupport: "2026-11-30T09:00:00Z" } });
    expect(world.look(MONDAY).wakeAt).toBe(MONDAY + WEEK);
    expect(world.status.support).toEqual({ endsAt: "2026-11-30T09:00:00Z", weeksLeft: 4 });
    world.look(MONDAY + WEEK);
    expect(world.status.support!.weeksLeft).toBe(3);
    world.look(MONDAY + 8 * WEEK);
    expect(world.status.support!.weeksLeft).toBe(0);
  });

  it("[C8] a floor that is not older than the version, or the same version twice, is refused with what to write", () => {
    const world = well({ spec: { floors: [{ version: "5.12.3" }] } });
    world.look(MONDAY);
    expect([world.condition("Accepted"), world.status.reached]).toEqual(["False FloorInvalid", undefined]);
    const second = well({ name: "zweite", spec: { version: "5.12.3.0" } });
    second.others = [well().rollout];
    second.look(MONDAY);
    expect(second.condition("Accepted")).toBe("False VersionAnnouncedTwice");
  });

  it("[F7] phase instants equal the forecast exactly, however late within a minute each look comes, and whatever the durations", () => {
    const hours = fc.integer({ min: 1, max: 400 });
    fc.assert(
      fc.property(
        fc.array(hours, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 336, max: 672 }),
        fc.integer({ min: 0, max: 28 }),
        fc.infiniteStream(fc.integer({ min: 0, max: 59_000 })),
        (lengths, general, days, delays) => {
          const world = well({ spec: { generalAfter: `${general}h` } });
          const gate = { attemptedAtLeast: 10, failedPercentAtMost: 1, patience: "1h" };
          const phases = lengths.map((length, index) => ({
            accountsPercent: index === lengths.length - 1 ? 100 : index + 1,
            usersPercent: index === lengths.length - 1 ? 100 : 10 * (index + 1),
            for: `${length}h`,
            gate,
          }));
          world.edit({ phases, pilot: { ...world.rollout.spec.pilot, minimumDays: days } });
          world.numbers = new Map(["pilot", ...phases.map((_, index) => `phase-${index + 1}`)].map((name) => [name, counted(100)]));
          world.look(MONDAY + 300);
          const { forecast } = world.status;
          const late = (): number => delays.next().value!;
          world.until(MONDAY + 300, MONDAY + 60 * WEEK, late);
          expect(world.opened.slice(1)).toEqual(forecast!.phases.map(({ phase, at }) => [`phase-${phase}`, at]));
          expect(world.status.standingSince).toBe(forecast!.standsAt);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("[F7] nothing is foreseen while it is paused, its gate failed or waits for a person", () => {
    const world = well();
    world.look(MONDAY);
    expect(world.status.forecast?.phases[0]).toEqual({ phase: 1, at: "2026-11-23T09:00:00Z" });
    world.edit({ requested: "Paused", reason: "r" });
    world.look(MONDAY + HOUR);
    expect(world.status.forecast).toBeUndefined();
    world.edit({ requested: "Run" });
    world.numbers = new Map([["pilot", counted(100, 2)]]);
    world.look(MONDAY + 2 * HOUR);
    expect(world.status.forecast).toBeUndefined();
  });

  it("[C3] shares only grow, whatever is edited, paused and looked at", () => {
    const percents = fc.array(fc.tuple(fc.integer({ min: 1, max: 99 }), fc.integer({ min: 1, max: 99 })), { maxLength: 5 });
    const step = fc.record({
      percents,
      requested: fc.constantFrom("Run" as const, "Run" as const, "Paused" as const),
      hours: fc.integer({ min: 1, max: 600 }),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
        const world = well();
        let now = MONDAY;
        let [accounts, users] = [0, 0];
        for (const { percents: shares, requested, hours } of steps) {
          const phase = world.rollout.spec.phases[0]!;
          const phases = [...shares, [100, 100] as const].map(([accountsPercent, usersPercent]) => ({
            ...phase,
            accountsPercent,
            usersPercent,
          }));
          world.edit({ phases, requested, reason: "r" });
          world.numbers = new Map(["pilot", ...phases.map((_, index) => `phase-${index + 1}`)].map((name) => [name, counted(300)]));
          world.look(now);
          const reached = world.status.reached;
          expect(reached?.accountsPercent ?? 0).toBeGreaterThanOrEqual(accounts);
          expect(reached?.usersPercent ?? 0).toBeGreaterThanOrEqual(users);
          [accounts, users] = [reached?.accountsPercent ?? 0, reached?.usersPercent ?? 0];
          now += hours * HOUR;
        }
      }),
      { numRuns: 200 },
    );
  });
});
