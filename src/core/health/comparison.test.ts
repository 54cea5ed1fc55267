import { expect, it } from "vitest";
import { parseComparison, parseThresholds } from "./comparison.ts";

const holds = (text: string, value: number): boolean | string => {
  const parsed = parseComparison(text);
  return parsed.ok ? parsed.comparison.holds(value) : parsed.problem;
};

it.each([
  ["<= 0.01", 0.01, true],
  ["<= 0.01", 0.0101, false],
  ["> 5", 5, false],
  [">5", 5.1, true],
  ["== 0", 0, true],
  ["!= 0", 0, false],
  [">= -1e3", -1000, true],
  ["< .5", 0.4, true],
  ["  <  +2  ", 3, false],
] as const)("%s of %d is %s", (text, value, expected) => {
  expect(holds(text, value)).toBe(expected);
});

it.each(["", "0.01", "=> 1", "= 1", "< ", "<= 5%", "<= 1 2", "> NaN", "< Inf", "<= 1e999", "between 1 and 2"])(
  "%j is refused with what to write instead",
  (text) => {
    expect(holds(text, 1)).toBe(`${JSON.stringify(text)} is no comparison; write an operator and a number, for example "<= 0.01" or "> 5"`);
  },
);

it("names the threshold that is wrong", () => {
  expect(parseThresholds({ passIf: "<= 1", failIf: "many" })).toMatchObject({
    ok: false,
    problem: expect.stringMatching(/^failIf "many"/),
  });
  expect(parseThresholds({ passIf: "few" })).toMatchObject({ ok: false, problem: expect.stringMatching(/^passIf "few"/) });
});
