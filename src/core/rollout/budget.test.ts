import fc from "fast-check";
import { expect, it } from "vitest";
import { mayStart, unavailableLimit } from "./budget.ts";

it.each([
  [1, 4, 1],
  [3, 4, 3],
  ["25%", 4, 1],
  ["25%", 7, 1],
  ["25%", 8, 2],
  ["10%", 4, 1],
  ["100%", 4, 4],
  ["1%", 0, 1],
])("[P1] maxUnavailable %s of %i members is %i: percentages are rounded down, but at least one", (maxUnavailable, members, limit) => {
  expect(unavailableLimit(maxUnavailable, members)).toBe(limit);
});

it("[P1] a node may be started only if those out other than itself, plus itself, stay within the limit", () => {
  expect([mayStart(0, 1), mayStart(1, 1), mayStart(1, 2), mayStart(2, 2)]).toEqual([true, false, true, false]);
});

it("[P1] a percentage never lets more out than that share, except the one node that every PoP may have", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 1000 }), (percent, members) => {
      const limit = unavailableLimit(`${percent}%`, members);
      expect(limit === 1 || limit * 100 <= percent * members).toBe(true);
      expect(limit).toBeLessThanOrEqual(members);
    }),
  );
});
