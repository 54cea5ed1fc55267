import { expect, test } from "vitest";
import { CONDITION_REASONS, CONDITION_TYPES, sentenceOf } from "./conditions.ts";
import { WAITING_REASONS } from "./reasons.ts";

const tables = [...Object.values(CONDITION_REASONS), WAITING_REASONS] as readonly Readonly<Record<string, string>>[];

test("every reason is a CamelCase name of at most 64 characters with one sentence that ends in a full stop", () => {
  for (const [reason, sentence] of tables.flatMap((table) => Object.entries(table))) {
    expect(reason).toMatch(/^[A-Z][A-Za-z]{2,63}$/);
    expect(sentence, reason).toMatch(/^[A-Z].*\.$/);
  }
});

test("every condition type has its reasons, and a first one for objects that nobody looked at yet", () => {
  expect(Object.keys(CONDITION_REASONS)).toEqual(Object.keys(CONDITION_TYPES));
  for (const reasons of Object.values(CONDITION_REASONS)) expect(reasons).toHaveProperty("NotYetLookedAt");
});

test("[G2] a reason's sentence is found in its type's table, then among the waiting reasons, and nowhere else", () => {
  expect(sentenceOf("Progressing", "Watching")).toBe(CONDITION_REASONS.Progressing.Watching);
  expect(sentenceOf("Ready", "OutsideWindow")).toBe(WAITING_REASONS.OutsideWindow);
  expect(sentenceOf("Ready", "Watching")).toBeUndefined();
  expect(sentenceOf("constructor", "name")).toBeUndefined();
});
