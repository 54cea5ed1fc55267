import pico from "picocolors";
import { describe, expect, it } from "vitest";
import type { PopCluster } from "../../../api/pop-cluster.ts";
import type { PopRollout } from "../../../api/pop-rollout.ts";
import { lookOf, pictureLines } from "./picture.ts";

const PLAIN = pico.createColors(false);
const NOON_BEFORE = Date.parse("2026-11-21T12:07:00Z");

const pop = (status: object): PopCluster => ({ metadata: { name: "akl1" }, spec: {}, status }) as unknown as PopCluster;
const roll = (state: string, nodes: readonly string[] = []) =>
  pop({ run: { kind: "Roll", state }, version: "2026.11.1", nodes: nodes.map((step) => ({ step })) });

const ROLLOUT = {
  metadata: { name: "r-2026-11-2" },
  status: {
    waves: [
      { name: "canary", state: "Open" },
      { name: "rest", state: "Pending" },
    ],
    numbers: { pops: 40, passed: 1, open: 39, failed: 0, skipped: 0 },
    holds: [{ rule: "F1", reason: "Baking", message: "" }],
  },
} as unknown as PopRollout;

describe("the picture of forty PoPs", () => {
  it("has a row for each region with its own clock, and a cell for each PoP", () => {
    const lines = pictureLines({ now: NOON_BEFORE, rollouts: [ROLLOUT], popOf: () => roll("Rolling", ["Updating"]) }, 120, PLAIN);
    expect(lines[0]).toBe("r-2026-11-2: canary ▶  rest · · 1 of 40 passed · Baking");
    expect(lines.find((line) => line.startsWith("oceania"))).toMatch(/^oceania +Sun 01:07 +▶ akl1 2026\.11\.1 .*▶ wlg1 .*▶ syd1 .*▶ mel1/);
    expect(lines.find((line) => line.startsWith("us-west"))).toMatch(/^us-west +Sat 04:07/);
    expect(lines.filter((line) => line.includes("▶ ") && /[A-Z][a-z]{2} \d\d:\d\d/.test(line))).toHaveLength(10);
  });

  it.each([10, 40, 60, 100])("fits a terminal of %i characters", (width) => {
    const lines = pictureLines({ now: NOON_BEFORE, rollouts: [ROLLOUT], popOf: () => undefined }, width, PLAIN);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
  });

  it.each([
    ["nothing is known of it", undefined, " "],
    ["it rolls", roll("Rolling", ["Pending", "Updating"]), "▶"],
    ["its roll waits for its window", roll("Rolling", ["Pending"]), "·"],
    ["it bakes", roll("Baking"), "≈"],
    ["it passed", roll("Passed"), "✔"],
    ["it goes back", pop({ run: { kind: "Rollback", state: "RollingBack" } }), "↩"],
    ["a version went back there", pop({ revisions: { failed: [{ version: "2026.11.2" }] } }), "✗"],
    ["it waits for its window", pop({ holds: [{ reason: "OutsideWindow" }] }), "·"],
    ["it runs as ever", pop({ version: "2026.11.1" }), "○"],
  ] as const)("when %s, says so with a sign of its own", (_, seen, sign) => {
    expect(lookOf(seen)[0]).toBe(sign);
  });
});
