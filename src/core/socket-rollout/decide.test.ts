import { describe, expect, it } from "vitest";
import { socketRolloutSpec, socketRolloutStatus, type SocketRolloutStatus } from "../../api/socket-rollout.ts";
import { HOUR, MINUTE, SECOND, WEEK } from "../time/civil.ts";
import { decide } from "./decide.ts";
import type { SocketRolloutObservation } from "./observation.ts";

const FRIDAY = Date.parse("2026-11-20T09:00:00Z");
const NUMBERS = { sites: 2_000, inRamp: 100, offered: 0, attempted: 0, confirmed: 0, failed: 0, unreachable: 0 };

const spec = (given: Partial<SocketRolloutObservation["rollout"]["spec"]> = {}) => ({
  ...socketRolloutSpec.parse({
    version: "18.3.3",
    announcedAt: "2026-11-20T09:00:00Z",
    artifact: { url: "socket-18.3.3.swu", sha256: "a".repeat(64), size: 10 },
  }),
  ...given,
});

const seenAs = (
  status: SocketRolloutStatus,
  given: Partial<SocketRolloutObservation> = {},
  of: ReturnType<typeof spec> = spec(),
): SocketRolloutObservation => ({
  rollout: { name: "socket-18-3-3", uid: "u2", generation: 1, createdAt: FRIDAY, spec: of, status },
  others: [],
  fleetPaused: false,
  numbers: NUMBERS,
  waiting: new Map(),
  lateAsking: 0,
  ...given,
});

/** The status after a look; every one has to be what the API server takes (rule I19). */
const after = (status: SocketRolloutStatus, now: number, given: Partial<SocketRolloutObservation> = {}, of = spec()): SocketRolloutStatus =>
  socketRolloutStatus.parse(JSON.parse(JSON.stringify(decide(seenAs(status, given, of), now).status ?? status)));
const condition = (status: SocketRolloutStatus, type: string) => {
  const found = status.conditions!.find((one) => one.type === type)!;
  return `${found.status} ${found.reason}`;
};

describe("the ramp", () => {
  it("[S10] opens 5, 25, 100 percent, a week apart to the millisecond, then the rollout stands", () => {
    let status = after({}, FRIDAY);
    expect(status.ramp).toMatchObject({ percent: 5, opened: [{ percent: 5, at: "2026-11-20T09:00:00Z" }] });
    expect(decide(seenAs(status), FRIDAY).wakeAt).toBe(FRIDAY + WEEK);
    expect(after(status, FRIDAY + WEEK - 1).ramp!.percent).toBe(5);
    status = after(status, FRIDAY + WEEK);
    expect(status.ramp).toMatchObject({ step: 1, percent: 25 });
    status = after(status, FRIDAY + 2 * WEEK);
    expect(status.ramp).toMatchObject({ step: 2, percent: 100 });
    expect(status.standingSince).toBeUndefined();
    status = after(status, FRIDAY + 3 * WEEK);
    expect(status).toMatchObject({ standingSince: "2026-12-11T09:00:00Z" });
    expect([condition(status, "Progressing"), condition(status, "Succeeded")]).toEqual(["True Standing", "True Completed"]);
  });

  it("[S10] shortened to one step while it runs, the ramp waits for no step that is not there any more", () => {
    const one = spec({ ramp: [{ percent: 100, for: "168h" }] });
    const status = after(after({}, FRIDAY), FRIDAY + HOUR, {}, one);
    expect(status.ramp!.opened).toEqual([
      { percent: 5, at: "2026-11-20T09:00:00Z" },
      { percent: 100, at: "2026-11-20T10:00:00Z" },
    ]);
    const paused = spec({ ramp: [{ percent: 100, for: "168h" }], paused: true });
    expect(after(after({}, FRIDAY), FRIDAY + HOUR, {}, paused).ramp!.percent, "a pause holds it all the same").toBe(5);
  });

  it("[W3] announcedAt that is edited back is told in a sentence, once as an Event, and shortens nobody's notice", () => {
    const later = spec({ announcedAt: "2026-11-27T09:00:00Z" });
    const first = after({}, FRIDAY, {}, later);
    const back = seenAs(first, {}, spec());
    const decision = decide({ ...back, rollout: { ...back.rollout, generation: 2 } }, FRIDAY + HOUR);
    const sentence =
      "announcedAt was edited back from 2026-11-27T09:00:00Z to 2026-11-20T09:00:00Z: that shortens nobody's notice, which counts from when the ramp reaches a site and it is told";
    expect(decision.events).toContainEqual({ type: "Warning", reason: "AnnouncedEarlier", action: "Announce", message: sentence });
    const status = socketRolloutStatus.parse(JSON.parse(JSON.stringify(decision.status)));
    expect(status.conditions!.find(({ type }) => type === "Accepted")).toMatchObject({
      status: "True",
      message: `the rollout can be carried out; ${sentence}`,
    });
    expect(status.announcedAt).toBe("2026-11-27T09:00:00Z");
    expect(status.ramp!.opened, "from now on, not from the date that is past").toEqual([{ percent: 5, at: "2026-11-20T10:00:00Z" }]);
    const again = decide(seenAs(status, {}, spec()), FRIDAY + 2 * HOUR);
    expect(again.events).toEqual([]);
    const forth = after(status, FRIDAY + 3 * HOUR, {}, later);
    expect(forth.conditions!.find(({ type }) => type === "Accepted")!.message).toBe("the rollout can be carried out");
  });

  it("[S10] a step counts only while nothing holds it: two days of pause open the next one two days later", () => {
    const paused = spec({ paused: true });
    let status = after({}, FRIDAY);
    status = after(status, FRIDAY + 24 * HOUR, {}, paused);
    expect(after(status, FRIDAY + WEEK, {}, paused).ramp!.percent).toBe(5);
    status = after(status, FRIDAY + 72 * HOUR);
    expect(after(status, FRIDAY + WEEK + 48 * HOUR - 1).ramp!.percent).toBe(5);
    expect(after(status, FRIDAY + WEEK + 48 * HOUR).ramp!.percent).toBe(25);
  });

  it("[S10] only grows: an edit to smaller shares takes nothing back, the next larger one follows", () => {
    let status = after(after({}, FRIDAY), FRIDAY + WEEK);
    const smaller = spec({
      ramp: [
        { percent: 1, for: "168h" },
        { percent: 10, for: "168h" },
        { percent: 50, for: "168h" },
      ],
    });
    status = after(status, FRIDAY + WEEK + HOUR, {}, smaller);
    expect(status.ramp!.percent).toBe(25);
    status = after(status, FRIDAY + 2 * WEEK, {}, smaller);
    expect(status.ramp!.opened.map(({ percent }) => percent)).toEqual([5, 25, 50]);
    expect(after(status, FRIDAY + 9 * WEEK, {}, smaller).standingSince, "half of the sites is not all").toBeUndefined();
  });

  it("[W3] announced for a later day it opens then; seen later than announced, the first sight stands", () => {
    const later = spec({ announcedAt: "2026-11-27T09:00:00Z" });
    const status = after({}, FRIDAY, {}, later);
    expect([status.ramp, status.seenAt]).toEqual([undefined, "2026-11-20T09:00:00Z"]);
    expect(decide(seenAs(status, {}, later), FRIDAY).wakeAt).toBe(FRIDAY + WEEK);
    expect(after(status, FRIDAY + WEEK, {}, later).ramp!.opened).toEqual([{ percent: 5, at: "2026-11-27T09:00:00Z" }]);
    expect(after({}, FRIDAY + 2 * WEEK).seenAt).toBe("2026-12-04T09:00:00Z");
  });

  it("[G11] an hour later nothing is written, and a thousand ages say the same", () => {
    const status = after({}, FRIDAY);
    for (const hours of [1, 5, 100]) expect(decide(seenAs(status), FRIDAY + hours * HOUR).status).toBeUndefined();
  });
});

describe("its end", () => {
  it.each([
    [49, 49, undefined],
    [50, 1, undefined],
    [50, 2, "Failures"],
  ])("[S10] of %i attempted %i failed: stopped by %s", (attempted, failed, by) => {
    const status = after(after({}, FRIDAY), FRIDAY + HOUR, { numbers: { ...NUMBERS, attempted, failed } });
    expect(status.stopped?.by).toBe(by);
  });

  it("[S10] stopped by failures it stays so, whatever the numbers say later", () => {
    const stopped = after(after({}, FRIDAY), FRIDAY + HOUR, { numbers: { ...NUMBERS, attempted: 50, failed: 2 } });
    const status = after(stopped, FRIDAY + 3 * WEEK);
    expect([status.stopped?.by, status.ramp!.percent, condition(status, "Succeeded")]).toEqual(["Failures", 5, "False Failed"]);
  });

  it("[I9] a person's stop is carried out once for each value of at", () => {
    const asked = spec({ requests: { stop: { at: "2026-11-21T10:00+01:00" } } });
    const status = after(after({}, FRIDAY), FRIDAY + 24 * HOUR, {}, asked);
    expect(status).toMatchObject({ stopped: { by: "Person" }, handled: { stop: "2026-11-21T09:00:00Z" } });
    expect(decide(seenAs(status, {}, asked), FRIDAY + 25 * HOUR).status).toBeUndefined();
  });

  it("[G4] a newer one of the same major that stands takes its place; one of another major, or still in its ramp, does not", () => {
    const newer = { name: "socket-18-4-0", uid: "u9", version: "18.4.0", createdAt: FRIDAY + 1, standing: true };
    const of = (other: typeof newer) => after(after({}, FRIDAY), FRIDAY + HOUR, { others: [other] }).stopped?.by;
    expect(of(newer)).toBe("Superseded");
    expect(of({ ...newer, standing: false })).toBeUndefined();
    expect(of({ ...newer, version: "19.0" })).toBeUndefined();
  });
});

describe("what is written", () => {
  it.each([
    ["the older one counts", { createdAt: FRIDAY - 1, models: undefined }, true],
    ["the newer one does not count", { createdAt: FRIDAY + 1, models: undefined }, false],
    ["for other models it is another one", { createdAt: FRIDAY - 1, models: ["X1700"] }, false],
  ])("announced twice: %s", (_, { createdAt, models }, refused) => {
    const other = { name: "again", uid: "u1", version: "18.3.3.0", createdAt, ...(models === undefined ? {} : { models }) };
    const status = after({}, FRIDAY, { others: [other] }, spec({ models: ["X1500"] }));
    expect(condition(status, "Accepted")).toBe(refused ? "False VersionAnnouncedTwice" : "True Accepted");
    expect(status.ramp === undefined).toBe(refused);
  });

  it("[G15] a pause is obeyed at once and acknowledged after ten seconds", () => {
    const paused = spec({ paused: true });
    let status = after({}, FRIDAY, {}, paused);
    expect(condition(status, "Paused")).toBe("False PauseRequested");
    expect(decide(seenAs(status, {}, paused), FRIDAY).wakeAt).toBe(FRIDAY + 10 * SECOND);
    status = after(status, FRIDAY + 10 * SECOND, {}, paused);
    expect(condition(status, "Paused")).toBe("True PausedByPerson");
  });

  it("[W4] measured times stand where they are longer than expected and of enough upgrades, in whole minutes", () => {
    const of = (upgrades: number) => after({}, FRIDAY, { measured: { upgrades, install: 25 * MINUTE + 1, download: MINUTE } }).measured;
    expect(of(20)).toEqual({ install: "26m" });
    expect(of(19)).toBeUndefined();
  });

  it("[G4] late joiners: five in a hundred sites a week, and one at least", () => {
    const ramp = after(after(after({}, FRIDAY), FRIDAY + WEEK), FRIDAY + 2 * WEEK);
    const stands = after(ramp, FRIDAY + 3 * WEEK);
    const late = (sites: number, lateAsking: number) =>
      after(stands, FRIDAY + 3 * WEEK + HOUR, { lateAsking, numbers: { ...NUMBERS, sites } });
    expect(late(2_000, 70).lateJoiners!.admitted).toBe(70);
    expect(late(2_000, 170).lateJoiners!.admitted).toBe(100);
    expect(late(2_000, 170).holds).toMatchObject([{ rule: "G4", reason: "BudgetExhausted", until: "2026-12-18T10:00:00Z" }]);
    expect(late(3, 2).lateJoiners!.admitted).toBe(1);
    const full = late(2_000, 170);
    const next = { lateAsking: 70, numbers: { ...NUMBERS, sites: 2_000 } };
    expect(after(full, FRIDAY + 4 * WEEK, next).lateJoiners!.admitted).toBe(100);
    expect(after(full, FRIDAY + 4 * WEEK + HOUR, next).lateJoiners!.admitted).toBe(70);
  });

  it("says honestly who waits and why, and when it is over", () => {
    const waiting = new Map([
      ["NotConnected", 3],
      ["NotInRamp", 1_900],
      ["Frozen", 0],
    ]);
    const status = after({}, FRIDAY, { waiting, lastPlannedEnd: FRIDAY + 2 * HOUR });
    expect(status.skipped).toEqual([
      { reason: "NotInRamp", sites: 1_900 },
      { reason: "NotConnected", sites: 3 },
    ]);
    // Two more steps of a week, and a week for the last sites' windows.
    expect(status.forecast).toEqual({ finishAt: "2026-12-11T09:00:00Z", sitesThisWeek: 100 });
  });
});
