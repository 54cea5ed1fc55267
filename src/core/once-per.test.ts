import { expect, it } from "vitest";
import { oncePer } from "./once-per.ts";

it("computes once for an object and an argument, and anew for another object or another argument", () => {
  let computed = 0;
  const sum = oncePer((key: { readonly n: number }, more: number) => {
    computed++;
    return key.n + more;
  });
  const one = { n: 1 };
  expect([sum(one, 1), sum(one, 1), sum({ n: 1 }, 1), sum(one, 2)]).toEqual([2, 2, 2, 3]);
  expect(computed).toBe(3);
});
