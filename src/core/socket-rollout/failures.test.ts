import { expect, it } from "vitest";
import { socketRolloutSpec } from "../../api/socket-rollout.ts";
import { exceedsFailureBudget } from "./failures.ts";

const spec = socketRolloutSpec.parse({
  version: "18.3.3",
  announcedAt: "2026-11-20T09:00:00Z",
  artifact: { url: "socket-18.3.3.swu", sha256: "a".repeat(64), size: 10 },
});
const rollout = { name: "socket-18-3-3", uid: "u1", generation: 1, createdAt: 0, spec, status: {} };

it.each([
  [49, 49, false],
  [50, 1, false],
  [50, 2, true],
  [1_000, 20, false],
  [1_000, 21, true],
])("[S10] the budget is 2 percent, from 50 sites on: %i attempted and %i failed is over it: %s", (attempted, failed, over) => {
  const numbers = { sites: 2_000, inRamp: 2_000, offered: attempted, attempted, confirmed: attempted - failed, failed, unreachable: 500 };
  expect(exceedsFailureBudget({ rollout, numbers })).toBe(over);
});
