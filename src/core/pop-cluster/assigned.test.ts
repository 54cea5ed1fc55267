import { describe, expect, it } from "vitest";
import { observation, OPEN, revisionIn, TUESDAY } from "../../../test/builders/observation.ts";
import type { PopClusterStatus, PopRun } from "../../api/pop-cluster.ts";
import type { PopAssignment } from "../rollout/assignment.ts";
import { announcementOf, bringsAssigned, isEmergency, orderHold } from "./assigned.ts";
import { brakesOn, windowOf } from "./brakes.ts";
import { viewOf } from "./view.ts";

const [ONE, TWO] = [revisionIn("1.0.0"), revisionIn("2.0.0")];

const assigned = (changes: Partial<PopAssignment> = {}): PopAssignment => ({
  rollout: "r2",
  rolloutUID: "u2",
  seenAt: "2026-11-16T10:00:00Z",
  pop: "fra1",
  uid: "uid-fra1",
  wave: "general",
  version: "2.0.0",
  class: "Regular",
  announcedAt: "2026-11-16T09:00:00Z",
  from: "2026-11-22",
  to: "2026-12-06",
  order: "Go",
  state: "Assigned",
  since: "2026-11-22T00:00:00Z",
  ...changes,
});
const run = (changes: Partial<PopRun> = {}): PopRun => ({
  id: 2,
  kind: "Roll",
  revision: TWO,
  version: "2.0.0",
  back: ONE,
  startedAt: "2026-11-22T00:00:00Z",
  state: "Rolling",
  timers: {},
  frozen: { members: [], order: [] },
  ...changes,
});
const view = (
  assignment: PopAssignment,
  status: PopClusterStatus = { revisions: { current: ONE } },
  spec: object = { version: undefined },
) => viewOf(observation({ spec, status, pop: { assignment } }));

describe("whom the dates, the order and the class of a rollout bind", () => {
  it.each<[string, PopClusterStatus, boolean]>([
    ["a roll that would begin", { revisions: { current: ONE } }, true],
    ["a roll that began with it", { revisions: { current: ONE }, run: run() }, true],
    ["a roll that was stopped and may go on", { revisions: { current: ONE }, run: run({ ending: "Stopped" }) }, true],
    ["nodes that come home to it once the PoP is on it", { revisions: { current: TWO } }, false],
    ["a run that brings nodes home", { revisions: { current: TWO }, run: run({ back: TWO }) }, false],
    ["a watched run that takes late nodes in", { revisions: { current: TWO }, run: run({ timers: { watch: { accumulated: 5 } } }) }, false],
    ["a rollback", { revisions: { current: ONE }, run: run({ kind: "Rollback", state: "RollingBack", revision: ONE, from: TWO }) }, false],
  ])("[G4] [F1] %s", (_, status, binds) => {
    expect(bringsAssigned(view(assigned(), status)) !== undefined).toBe(binds);
  });

  it("[P12] not a version that a person pinned, whatever the rollout says", () => {
    const pinned = view(assigned({ order: "Hold" }), undefined, { version: "2.0.0" });
    expect([pinned.assignment, orderHold(pinned)]).toEqual([undefined, undefined]);
  });
});

describe("an emergency", () => {
  it("[F8] counts for a run only if it was one when the run began: the stricter of both", () => {
    const status = (frozen?: "Regular" | "Emergency") => ({ revisions: { current: ONE }, run: run(frozen ? { class: frozen } : {}) });
    expect(isEmergency(view(assigned({ class: "Emergency" })))).toBe(true);
    expect(isEmergency(view(assigned({ class: "Emergency" }), status("Emergency")))).toBe(true);
    expect(isEmergency(view(assigned({ class: "Emergency" }), status("Regular")))).toBe(false);
    expect(isEmergency(view(assigned({ class: "Regular" }), status("Emergency")))).toBe(false);
  });

  it("[F8] needs no window; a regular one does, and a stopped rollout brakes both", () => {
    expect(windowOf(view(assigned({ class: "Emergency" })), TUESDAY)).toEqual({ open: true });
    expect(windowOf(view(assigned()), TUESDAY)).toMatchObject({ open: false, hold: { reason: "OutsideWindow" } });
    const stopped = view(assigned({ class: "Emergency", order: "Stop", because: "halted" }));
    expect(brakesOn(stopped, TUESDAY).paused).toEqual({ rule: "P12", reason: "Stopped", message: "PoPRollout r2: halted" });
  });
});

it("[W3] the notice counts from what the rollout says, never from before it was first seen", () => {
  const at = (changes: Partial<PopAssignment>) => new Date(announcementOf(view(assigned(changes)), OPEN)).toISOString();
  expect(at({})).toBe("2026-11-16T10:00:00.000Z");
  expect(at({ announcedAt: "2026-11-17T09:00:00Z" })).toBe("2026-11-17T09:00:00.000Z");
  const { seenAt: _, ...unseen } = assigned();
  expect(announcementOf(view(unseen), OPEN)).toBe(OPEN);
});
