import { describe, expect, it } from "vitest";
import { seededRandom } from "../clock.ts";
import { strayOf, Waits } from "./forecast-band.ts";

describe("how long Clients take, and how far chance goes", () => {
  it("[F7] the way back to the last check-in is as long as the way on to the next one, those in a bag counted as they are", () => {
    const random = seededRandom(5);
    const ages: number[] = [];
    const waits: number[] = [];
    // Gaps of an hour, and one in ten of a hundred: looked at from one moment, most are in a long one.
    for (let device = 0; device < 20_000; device += 1) {
      const gap = (): number => (random() < 0.1 ? 100 : 1);
      let at = -random() * 5_000;
      let last = at;
      while (at <= 0) {
        last = at;
        at += gap();
      }
      ages.push(-last);
      waits.push(at);
    }
    const [seen, truth] = [new Waits(ages), new Waits(waits)];
    for (const hours of [0.5, 1, 10, 50, 99]) expect(Math.abs(seen.within(hours) - truth.within(hours))).toBeLessThan(0.02);
    expect([seen.within(-1), seen.within(100), seen.count]).toEqual([0, 1, 20_000]);
  });

  it("[F7] sums of independent yes and no leave the band in fewer than 5 of 100 worlds, few or many, rare or even", () => {
    const random = seededRandom(6);
    for (const [count, share] of [
      [3, 0.5],
      [40, 0.02],
      [400, 0.5],
      [2_000, 0.9],
    ] as const) {
      const stray = strayOf(count * share * (1 - share), 1);
      let left = 0;
      for (let world = 0; world < 400; world += 1) {
        let sum = 0;
        for (let one = 0; one < count; one += 1) sum += random() < share ? 1 : 0;
        if (Math.abs(sum - count * share) > stray) left += 1;
      }
      expect(left).toBeLessThanOrEqual(20);
    }
    // And it grows slowly with the points of a curve, not with their number.
    expect(strayOf(100, 100)).toBeLessThan(2 * strayOf(100, 1));
  });
});
