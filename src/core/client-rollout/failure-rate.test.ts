import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evidenceAgainst, failsTooOften, failureSentence } from "./failure-rate.ts";

/** The exact figure, summed over all shares above the allowed one, each as likely: what the code bounds from below. */
function exact(attempted: number, failed: number, percent: number): number {
  const share = percent / 100;
  const steps = 20_000;
  let sum = 0;
  for (let step = 0; step < steps; step += 1) {
    const p = share + ((1 - share) * (step + 0.5)) / steps;
    sum += Math.exp(failed * Math.log(p / share) + (attempted - failed) * Math.log((1 - p) / (1 - share)));
  }
  return sum / steps;
}

describe("[C5] the automatic pause by failures", () => {
  it.each([
    [3, 1, false],
    [3, 2, true],
    [10, 3, false],
    [10, 4, true],
    [200, 14, false],
    [200, 15, true],
    [400, 8, false],
    [400, 22, false],
    [400, 23, true],
    [1_000_000, 20_723, false],
    [1_000_000, 20_724, true],
    [0, 0, false],
  ])("where 2 percent may fail: %i attempted, %i failed: pauses %s", (attempted, failed, pauses) => {
    const percent = 2;
    expect(failsTooOften({ attempted, failed }, percent)).toBe(pauses);
  });

  it("is never more sure than the exact figure, and at most half as sure", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2_000 }),
        fc.integer({ min: 1, max: 30 }),
        fc.double({ min: 1, max: 3, noNaN: true }),
        (attempted, percent, times) => {
          const failed = Math.min(attempted, Math.ceil(((attempted + 1) * percent * times) / 100));
          const bound = evidenceAgainst({ attempted, failed }, percent);
          const whole = exact(attempted, failed, percent);
          // Beyond what a number holds nothing is compared.
          fc.pre(whole < 1e250);
          expect(bound).toBeLessThanOrEqual(whole * 1.01);
          expect(bound * 2).toBeGreaterThanOrEqual(whole * 0.99);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("one more failure of as many makes it surer, one more success less sure", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 0, max: 5_000 }), (attempted, failed) => {
        fc.pre(failed < attempted);
        expect(evidenceAgainst({ attempted, failed: failed + 1 }, 2)).toBeGreaterThanOrEqual(evidenceAgainst({ attempted, failed }, 2));
      }),
    );
  });

  it("looked at after each device, a version of which exactly the allowed share fails is paused in at most 1 of 100 rollouts", () => {
    let paused = 0;
    let state = 1;
    // A fixed generator: the same thousand rollouts in each run.
    const next = (): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 0x1_0000_0000;
    };
    for (let rollout = 0; rollout < 1_000; rollout += 1) {
      let failed = 0;
      for (let attempted = 1; attempted <= 1_000; attempted += 1) {
        if (next() < 0.02) failed += 1;
        if (failsTooOften({ attempted, failed }, 2)) {
          paused += 1;
          break;
        }
      }
    }
    expect(paused).toBeLessThanOrEqual(10);
  });

  it("finds a version of which 8 % fail within a few hundred devices, always", () => {
    for (const failed of [24, 28, 32]) expect(failsTooOften({ attempted: 400, failed }, 2)).toBe(true);
    expect(failureSentence({ attempted: 400, failed: 32 }, 2)).toBe(
      "32 of 400 devices that attempted it failed (8 %); a version of which 2 % fail shows as much in fewer than 1 of 100 rollouts, at whatever moment one looks",
    );
  });
});
