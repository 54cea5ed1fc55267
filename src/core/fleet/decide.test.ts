import { describe, expect, test } from "vitest";
import type { FleetStatus } from "../../api/fleet.ts";
import { decide } from "./decide.ts";
import { asks, entry, fleetOf, NOON, pop } from "./fleet.examples.ts";
import type { FleetObservation } from "./observation.ts";
import { entriesToConfirm } from "./strike.ts";

const decided = (seen: FleetObservation, now = NOON): FleetStatus => decide(seen, now).status!;
const granted = (seen: FleetObservation): string[] => decided(seen).disruptions!.map(({ pop: name, id, kind }) => `${name} ${kind} ${id}`);
const whyNot = (seen: FleetObservation, name: string): string => {
  const waiting = decided(seen).waiting!.find((one) => one.pop === name);
  return waiting ? `${waiting.rule} ${waiting.reason}: ${waiting.message}` : "does not wait";
};

describe("[G14] what is granted", () => {
  test("regular rolls up to maxConcurrentPoPs 2; the third waits and is told who is in its way", () => {
    const seen = fleetOf({ maxConcurrentPoPs: 2, maxConcurrentPerRegion: 9 }, [asks("ams1", "Roll"), asks("fra1", "Roll")], {
      disruptions: [entry("lon1")],
    });
    expect(granted(seen)).toHaveLength(2);
    expect(whyNot(seen, granted(seen)[1] === "ams1 Roll 1" ? "fra1" : "ams1")).toMatch(
      /^G14 RegionBusy: 2 of at most 2 PoPs are disrupted or degraded: (ams1|fra1), lon1$/,
    );
  });

  test("one PoP a region, also when the fleet has room; another region goes on", () => {
    const seen = fleetOf(
      { maxConcurrentPoPs: 9, maxConcurrentPerRegion: 1 },
      [asks("fra1", "Roll"), asks("nyc1", "Roll", { region: "us" })],
      { disruptions: [entry("ams1")] },
    );
    expect(granted(seen)).toEqual(["ams1 Roll 1", "nyc1 Roll 1"]);
    expect(whyNot(seen, "fra1")).toBe("G14 RegionBusy: in region eu 1 of at most 1 PoPs are disrupted or degraded: ams1");
  });

  test("a rollback takes a reserved place although every regular place and the region are taken", () => {
    const seen = fleetOf({ maxConcurrentPoPs: 1, maxConcurrentPerRegion: 1, maxConcurrentRollbacks: 1 }, [asks("fra1", "Rollback")], {
      disruptions: [entry("ams1")],
    });
    expect(granted(seen)).toEqual(["ams1 Roll 1", "fra1 Rollback 1"]);
  });

  test("[F10] rollbacks only up to maxConcurrentRollbacks 1, never in a regular place, and nothing rolls forward while one waits", () => {
    const pops = [asks("ams1", "Rollback"), asks("fra1", "Rollback"), asks("nyc1", "Roll", { region: "us" })];
    const seen = fleetOf({ maxConcurrentPoPs: 9, maxConcurrentPerRegion: 9, maxConcurrentRollbacks: 1 }, pops);
    expect(granted(seen)).toHaveLength(1);
    expect(granted(seen)[0]).toMatch(/Rollback/);
    expect(whyNot(seen, "nyc1")).toMatch(/^F10 RegionBusy: rollbacks go first, and (ams1|fra1) waits for one$/);
  });

  test("[F10] an unfinished piece goes before an emergency, that before a regular roll, and among equals who waits longest", () => {
    const order = (pops: FleetObservation["pops"], status: FleetStatus = {}) => granted(fleetOf({ maxConcurrentPoPs: 1 }, pops, status))[0];
    expect(order([asks("ams1", "Roll"), asks("fra1", "Roll", { emergency: true }), asks("lon1", "Roll", { unfinished: true })])).toBe(
      "lon1 Roll 1",
    );
    expect(order([asks("ams1", "Roll"), asks("fra1", "Roll", { emergency: true })])).toBe("fra1 Roll 1");
    const place = (name: string, since: string) => ({
      pop: name,
      uid: `uid-${name}`,
      id: 1,
      kind: "Roll" as const,
      since,
      rule: "G14",
      reason: "RegionBusy",
      message: "",
    });
    const waiting = [place("ams1", "2026-11-22T11:59:00Z"), place("fra1", "2026-11-22T11:58:00Z"), place("lon1", "2026-11-22T11:59:30Z")];
    expect(order([asks("ams1", "Roll"), asks("fra1", "Roll"), asks("lon1", "Roll")], { waiting })).toBe("fra1 Roll 1");
  });

  test("[G7] among equals the order comes from a hash and does not depend on the order in which they are listed", () => {
    const pops = ["ams1", "fra1", "lon1", "par1"].map((name) => asks(name, "Roll"));
    const first = granted(fleetOf({}, pops));
    expect(granted(fleetOf({}, pops.toReversed()))).toEqual(first);
  });

  test("a PoP that is being deleted, or that has its grant already, is given none", () => {
    expect(granted(fleetOf({}, [asks("fra1", "Roll", { deleting: true })]))).toEqual([]);
    expect(granted(fleetOf({ maxConcurrentPoPs: 9 }, [asks("fra1", "Roll")], { disruptions: [entry("fra1")] }))).toEqual(["fra1 Roll 1"]);
    expect(whyNot(fleetOf({}, [asks("fra1", "Roll")], { disruptions: [entry("fra1")] }), "fra1")).toBe("does not wait");
  });

  test("[G14] a new PoPCluster under an old name gets nothing before the old one's entry is struck", () => {
    const seen = fleetOf({ maxConcurrentPoPs: 9, maxConcurrentPerRegion: 9 }, [asks("fra1", "Roll", { uid: "new" })], {
      disruptions: [entry("fra1")],
    });
    expect(whyNot(seen, "fra1")).toMatch(/grant 1 of fra1 still stands in the ledger/);
    const confirmed = { ...seen, live: new Map([["fra1", { found: true as const, uid: "new" }]]) };
    expect(decided(confirmed).disruptions).toMatchObject([{ uid: "new", id: 1 }]);
  });
});

describe("[F3] degraded PoPs", () => {
  const degraded = pop("ams1", { degraded: true, members: { total: 4, out: 2 } });

  test("one uses its region's slot and counts among the concurrent PoPs, without an entry in the ledger", () => {
    expect(whyNot(fleetOf({ maxConcurrentPoPs: 9 }, [degraded, asks("fra1", "Roll")]), "fra1")).toMatch(
      /in region eu 1 of at most 1 .*: ams1$/,
    );
    expect(whyNot(fleetOf({ maxConcurrentPoPs: 1 }, [degraded, asks("nyc1", "Roll", { region: "us" })]), "nyc1")).toMatch(
      /^G14 RegionBusy: 1 of at most 1 PoPs/,
    );
  });

  test("it never blocks its own rollback, nor the version that repairs it", () => {
    expect(granted(fleetOf({}, [asks("ams1", "Rollback", { degraded: true })]))).toEqual(["ams1 Rollback 1"]);
    expect(granted(fleetOf({}, [asks("ams1", "Roll", { degraded: true })]))).toEqual(["ams1 Roll 1"]);
  });

  test("a PoP that rolls and is degraded is counted once", () => {
    const pops = [asks("ams1", "Roll", { degraded: true }), asks("fra1", "Roll")];
    expect(granted(fleetOf({ maxConcurrentPoPs: 2, maxConcurrentPerRegion: 2 }, pops, { disruptions: [entry("ams1")] }))).toHaveLength(2);
  });
});

describe("[F3] capacityFloorPercent", () => {
  const wide = { maxConcurrentPoPs: 99, maxConcurrentPerRegion: 99 };

  test("90 of 20 nodes: two may be out at once, exactly 90 % is enough, a third PoP waits", () => {
    const pops = ["a", "b", "c", "d", "e"].map((name) => asks(name, "Roll"));
    expect(granted(fleetOf({ ...wide, capacityFloorPercent: 90 }, pops))).toHaveLength(2);
    const waiting = decided(fleetOf({ ...wide, capacityFloorPercent: 90 }, pops)).waiting!;
    expect(waiting[0]!.message).toMatch(
      /^with this PoP 3 of 20 nodes of the fleet may be out at once, and capacityFloorPercent keeps 90 % serving/,
    );
  });

  test("dead nodes count, wherever they are; a rollback is held by the floor too", () => {
    const pops = [asks("a", "Rollback"), pop("b", { members: { total: 16, out: 2 } })];
    expect(granted(fleetOf({ ...wide, capacityFloorPercent: 90 }, pops))).toEqual([]);
    expect(whyNot(fleetOf({ ...wide, capacityFloorPercent: 90 }, pops), "a")).toMatch(/^F3 BudgetExhausted/);
  });

  test("[G9] a PoP that did not report its members waits", () => {
    const { members: _, ...unreported } = asks("a", "Roll");
    expect(whyNot(fleetOf({ ...wide, capacityFloorPercent: 90 }, [unreported]), "a")).toMatch(/not known yet/);
    expect(granted(fleetOf(wide, [unreported]))).toEqual(["a Roll 1"]);
  });

  test("[L3] a big roll that waits for others' capacity is not overtaken by small ones; one that never fits keeps nobody", () => {
    const place = {
      pop: "big",
      uid: "uid-big",
      id: 1,
      kind: "Roll" as const,
      since: "2026-11-22T10:00:00Z",
      rule: "F3",
      reason: "BudgetExhausted",
      message: "",
    };
    const others = [asks("running", "Roll", { members: { total: 10, out: 1 } }), asks("small", "Roll", { members: { total: 10, out: 0 } })];
    const status = { disruptions: [entry("running")], waiting: [place] };
    const big = (takes: number) => asks("big", "Roll", { members: { total: 20, out: 0 }, takesOut: { Roll: takes, Rollback: 1 } });
    const spec = { ...wide, capacityFloorPercent: 90 };
    expect(whyNot(fleetOf(spec, [big(4), ...others], status), "small")).toBe(
      "F3 RegionBusy: big waits for capacity since 2026-11-22T10:00:00Z and comes first",
    );
    expect(granted(fleetOf(spec, [big(20), ...others], status))).toContain("small Roll 1");
  });
});

describe("[G14] what is struck", () => {
  const one = { disruptions: [entry("fra1", "Roll", 2)] };
  const returned = (id: number) => pop("fra1", { grant: { id, kind: "Roll", state: "Returned" } });

  test("Returned with the same id, and no other", () => {
    expect(granted(fleetOf({}, [returned(2)], one))).toEqual([]);
    expect(granted(fleetOf({}, [returned(1)], one))).toEqual(["fra1 Roll 2"]);
  });

  test("H8a: an older Returned seen late does not strike a newer grant", () => {
    expect(granted(fleetOf({}, [returned(1)], { disruptions: [entry("fra1", "Roll", 3)] }))).toEqual(["fra1 Roll 3"]);
  });

  test("gone, another UID or a later id: only by a live read, which entriesToConfirm asks for", () => {
    const views = [[], [pop("fra1", { uid: "new" })], [asks("fra1", "Roll", { id: 3 })]];
    for (const pops of views) {
      expect(entriesToConfirm(one.disruptions, pops)).toHaveLength(1);
      expect(granted(fleetOf({}, pops, one))).toEqual(["fra1 Roll 2"]);
    }
    const live = (answer: NonNullable<ReturnType<FleetObservation["live"]["get"]>>) =>
      granted(fleetOf({ paused: true }, [], one, { live: new Map([["fra1", answer]]) }));
    expect(live({ found: false })).toEqual([]);
    expect(live({ found: true, uid: "new" })).toEqual([]);
    expect(live({ found: true, uid: "uid-fra1", grant: { id: 3, kind: "Roll", state: "Asked" } })).toEqual([]);
    expect(live({ found: true, uid: "uid-fra1", grant: { id: 2, kind: "Roll", state: "Asked" } })).toEqual(["fra1 Roll 2"]);
    expect(live({ found: true, uid: "uid-fra1" })).toEqual(["fra1 Roll 2"]);
  });

  test("an entry whose PoP is seen with the same grant is not asked about", () => {
    expect(entriesToConfirm(one.disruptions, [asks("fra1", "Roll", { id: 2 })])).toEqual([]);
    expect(entriesToConfirm(one.disruptions, [asks("fra1", "Roll", { id: 1 })])).toEqual([]);
  });

  test("a place that is struck is given away in the same decision", () => {
    const seen = fleetOf({}, [returned(2), asks("ams1", "Roll")], one);
    expect(granted(seen)).toEqual(["ams1 Roll 1"]);
    expect(decide(seen, NOON).events.map(({ reason, message }) => [reason, message])).toEqual([
      ["GrantEnded", "Grant 2 of PoP fra1 (Roll) is over: it was returned."],
      ["Granted", "PoP ams1 of region eu may disrupt (Roll, grant 1)."],
    ]);
  });
});

describe("[G13] a paused Fleet", () => {
  const pops = [asks("fra1", "Roll"), asks("nyc1", "Rollback", { region: "us" })];
  const paused = { paused: true, reason: "incident 7" };

  test("grants no roll and every rollback, and keeps what was granted", () => {
    const seen = fleetOf(paused, pops, { disruptions: [entry("ams1")] });
    expect(granted(seen)).toEqual(["ams1 Roll 1", "nyc1 Rollback 1"]);
    expect(whyNot(seen, "fra1")).toBe("G13 FleetPaused: the Fleet is paused: incident 7; nothing rolls forward until spec.paused is false");
  });

  const pauseAt = (status: FleetStatus, now: number, generation = 1) => {
    const seen = fleetOf(paused, pops, status);
    return decided({ ...seen, fleet: { ...seen.fleet, generation } }, now);
  };
  const conditionOf = (status: FleetStatus) => status.conditions!.find(({ type }) => type === "Paused")!;

  test("[G15] Paused=True stands 10 s after the pause was first seen, not 9.9 s, and wakes itself for it", () => {
    const first = pauseAt({}, NOON + 100);
    expect(conditionOf(first)).toMatchObject({ status: "False", reason: "PauseRequested" });
    expect(first.pausedAt).toBe("2026-11-22T12:00:01Z");
    expect(conditionOf(pauseAt(first, NOON + 10_999)).status).toBe("False");
    expect(conditionOf(pauseAt(first, NOON + 11_000))).toMatchObject({ status: "True", reason: "PausedByPerson" });
    expect(decide(fleetOf(paused, [], first), NOON + 100).wakeAt).toBe(NOON + 11_000);
  });

  test("[G15] a pause seen in another generation counts from then: it may have been lifted in between", () => {
    const acknowledged = pauseAt(pauseAt({}, NOON), NOON + 10_000);
    expect(conditionOf(acknowledged).status).toBe("True");
    expect(conditionOf(pauseAt(acknowledged, NOON + 60_000, 2)).status).toBe("False");
  });

  test("lifting it forgets when it began", () => {
    const status = decided(fleetOf({}, pops, pauseAt({}, NOON)));
    expect(status.pausedAt).toBeUndefined();
    expect(conditionOf(status)).toMatchObject({ status: "False", reason: "NotPaused" });
  });
});

describe("what the status tells", () => {
  test("[G11] decided again on its own status, nothing changes", () => {
    const pops = [
      asks("ams1", "Roll"),
      asks("fra1", "Roll"),
      asks("nyc1", "Rollback", { region: "us" }),
      pop("tyo1", { version: "2026.11.2" }),
    ];
    const spec = { train: { everyWeeks: 2, anchor: "2026-11-22", length: "336h" }, capacityFloorPercent: 50 };
    const first = decided(fleetOf(spec, pops));
    const second = decided(fleetOf(spec, pops, first), NOON + 60_000);
    expect(decided(fleetOf(spec, pops, second), NOON + 3_600_000)).toEqual(second);
  });

  test("versions are counted, the most common first", () => {
    const pops = [pop("a"), pop("b", { version: "2026.11.2" }), pop("c"), pop("d", { version: "2026.10.9" })];
    expect(decided(fleetOf({}, pops)).versions).toEqual([
      { version: "2026.11.1", pops: 2 },
      { version: "2026.10.9", pops: 1 },
      { version: "2026.11.2", pops: 1 },
    ]);
  });

  test("[W8] [F1] the next five departures that have not begun anywhere: on the Sunday itself, and the day after, the next one is named", () => {
    const spec = { train: { everyWeeks: 2, anchor: "2026-11-22", length: "336h" } };
    const at = (now: number) => decided(fleetOf(spec, []), now).nextDepartures;
    // The easternmost clocks are fourteen hours ahead: Sunday begins there on Saturday at 10:00 UTC.
    const begins = Date.UTC(2026, 10, 21, 10);
    expect(at(begins)).toEqual(["2026-11-22", "2026-12-06", "2026-12-20", "2027-01-03", "2027-01-17"]);
    expect(decide(fleetOf(spec, []), begins).wakeAt).toBe(begins + 1);
    expect(at(begins + 1)![0]).toBe("2026-12-06");
    expect(at(Date.UTC(2026, 10, 23, 9))![0]).toBe("2026-12-06");
    expect(at(Date.UTC(2026, 0, 1))![0]).toBe("2026-01-04");
  });

  test("[W10] a freeze in an unknown zone is Accepted=False, says what to write, and holds every roll forward", () => {
    const freezes = [{ name: "year-end", from: "2026-12-19", to: "2027-01-05", timeZone: "Europe/Lodnon" }];
    const status = decided(fleetOf({ freezes }, [asks("fra1", "Roll"), asks("nyc1", "Rollback", { region: "us" })]));
    expect(status.disruptions).toMatchObject([{ pop: "nyc1" }]);
    expect(status.conditions).toContainEqual(
      expect.objectContaining({
        type: "Accepted",
        status: "False",
        reason: "FreezeInvalid",
        message: expect.stringMatching(/Europe\/London/),
      }),
    );
  });
});
