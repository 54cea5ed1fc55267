import { expect, it } from "vitest";
import { RateLimit } from "./limits.ts";

it("a bucket gives its burst, then one a second, and tells how long to wait", () => {
  let now = 0;
  const limit = new RateLimit({ perSecond: 2, burst: 3 }, () => now);
  expect([1, 2, 3, 4].map(() => limit.take("a"))).toEqual([0, 0, 0, 500]);
  expect(limit.take("b")).toBe(0);
  now += 500;
  expect([limit.take("a"), limit.take("a")]).toEqual([0, 500]);
  now += 3_600_000;
  expect([1, 2, 3, 4].map(() => limit.take("a") === 0)).toEqual([true, true, true, false]);
});

it("whoever rested long enough is forgotten: a million addresses do not stay in memory", () => {
  let now = 0;
  const limit = new RateLimit({ perSecond: 1, burst: 1 }, () => now);
  for (let index = 0; index < 100_000; index++) {
    now += 1;
    limit.take(`address ${index}`);
  }
  expect(limit.size).toBeLessThanOrEqual(20_000);
});
