import { describe, expect, it } from "vitest";
import { findCondition, MESSAGE_LIMIT, setCondition } from "./conditions.ts";

const NOW = Date.UTC(2026, 10, 22, 1);
const LATER = NOW + 60_000;
const accepted = { type: "Accepted", status: "True", reason: "Accepted", message: "fine" } as const;

describe("setCondition", () => {
  it("appends a condition that was never set, with the time of now", () => {
    expect(setCondition(undefined, accepted, 3, NOW)).toEqual([
      { ...accepted, lastTransitionTime: "2026-11-22T01:00:00Z", observedGeneration: 3 },
    ]);
  });

  it("[G11] the same again gives an equal list later", () => {
    const first = setCondition(undefined, accepted, 3, NOW);
    expect(setCondition(first, accepted, 3, LATER)).toEqual(first);
  });

  it("keeps lastTransitionTime for another reason, moves it for another status value, and keeps order and others", () => {
    const first = setCondition(setCondition(undefined, accepted, 1, NOW), { ...accepted, type: "Ready" }, 1, NOW);
    const reworded = setCondition(first, { ...accepted, reason: "Other" }, 2, LATER);
    expect(reworded.map(({ type, lastTransitionTime }) => [type, lastTransitionTime])).toEqual([
      ["Accepted", "2026-11-22T01:00:00Z"],
      ["Ready", "2026-11-22T01:00:00Z"],
    ]);
    const turned = setCondition(first, { ...accepted, status: "False" }, 2, LATER);
    expect(findCondition(turned, "Accepted")?.lastTransitionTime).toBe("2026-11-22T01:01:00Z");
    expect(turned[1]).toEqual(first[1]);
  });

  it("[G12] a message of 1025 characters with a line break is cut to 1024 on one line", () => {
    const [condition] = setCondition(undefined, { ...accepted, message: `a\n${"b".repeat(1_023)}` }, undefined, NOW);
    expect(condition!.message).toHaveLength(MESSAGE_LIMIT);
    expect(condition!.message.startsWith("a bbb")).toBe(true);
    expect(condition).not.toHaveProperty("observedGeneration");
  });
});
