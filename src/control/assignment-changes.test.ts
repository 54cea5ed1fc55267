import { expect, it } from "vitest";
import type { Assignment, PopRollout } from "../api/pop-rollout.ts";
import { AssignmentChanges } from "./assignment-changes.ts";

const assigned = (pop: string, changes: Partial<Assignment> = {}): Assignment => ({
  pop,
  uid: `uid-${pop}`,
  wave: "general",
  version: "2.0.0",
  class: "Regular",
  announcedAt: "2026-11-16T09:00:00Z",
  order: "Go",
  state: "Assigned",
  since: "2026-11-22T00:00:00Z",
  ...changes,
});
const rollout = (assignments: Assignment[], status: object = {}): PopRollout =>
  ({ metadata: { name: "r2", uid: "u2" }, spec: {}, status: { assignments, ...status } }) as unknown as PopRollout;

it("[P14] only the PoPs whose own share of a rollout changed look again", () => {
  const changes = new AssignmentChanges();
  expect(changes.popsOf(rollout([assigned("fra1"), assigned("ams1")]), false)).toEqual(["fra1", "ams1"]);
  expect(changes.popsOf(rollout([assigned("fra1", { state: "Rolling", since: "2026-11-22T01:00:00Z" }), assigned("ams1")]), false)).toEqual(
    [],
  );
  expect(changes.popsOf(rollout([assigned("fra1"), assigned("ams1", { order: "Hold", because: "paused" })]), false)).toEqual(["ams1"]);
  expect(changes.popsOf(rollout([assigned("fra1")]), false)).toEqual(["ams1"]);
  expect(changes.popsOf(rollout([assigned("fra1", { state: "Skipped" })]), false)).toEqual(["fra1"]);
});

it("[F5] all of them do when it is deleted; that it was superseded alone asks nothing of a PoP", () => {
  const changes = new AssignmentChanges();
  changes.popsOf(rollout([assigned("fra1"), assigned("ams1")]), false);
  expect(changes.popsOf(rollout([assigned("fra1"), assigned("ams1")], { supersededBy: { name: "r3" } }), false)).toEqual([]);
  expect(changes.popsOf(rollout([assigned("fra1")]), true)).toEqual(["fra1", "ams1"]);
});
