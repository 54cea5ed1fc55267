import { expect, it } from "vitest";
import { sameResult } from "./probe.ts";

it("two results that differ in wording and milliseconds only say the same", () => {
  expect(sameResult({ ok: true, detail: "200 in 3 ms" }, { ok: true, detail: "200 in 9 ms" })).toBe(true);
  expect(sameResult({ ok: false, detail: "answered 503" }, { ok: false, detail: "answered 500" })).toBe(true);
});

it("good and bad, silent and refused, numbers, NaN and infinity differ", () => {
  const value = (number: number) => ({ ok: true, detail: "", values: [number] }) as const;
  expect(sameResult({ ok: true, detail: "" }, { ok: false, detail: "" })).toBe(false);
  expect(sameResult({ ok: false, detail: "", silent: true }, { ok: false, detail: "" })).toBe(false);
  expect(sameResult(value(1), value(2))).toBe(false);
  expect(sameResult(value(Number.NaN), value(Infinity))).toBe(false);
  expect(sameResult(value(Number.NaN), value(Number.NaN))).toBe(true);
});
