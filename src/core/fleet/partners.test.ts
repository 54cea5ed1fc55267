import { describe, expect, test } from "vitest";
import type { FleetStatus } from "../../api/fleet.ts";
import { decide } from "./decide.ts";
import { asks, entry, fleetOf, NOON, partnersOf, pop } from "./fleet.examples.ts";
import type { FleetObservation, FleetPop } from "./observation.ts";

const WIDE = { maxConcurrentPoPs: 99, maxConcurrentPerRegion: 99, maxConcurrentRollbacks: 99 };
const PAIR = partnersOf(["ams1", "fra1", 3]);

const seenOf = (pops: readonly FleetPop[], status: FleetStatus = {}, partners = PAIR): FleetObservation =>
  fleetOf(WIDE, pops, status, { partners });
const decided = (seen: FleetObservation): FleetStatus => decide(seen, NOON).status!;
const granted = (seen: FleetObservation): string[] => decided(seen).disruptions!.map(({ pop: name, kind }) => `${name} ${kind}`);
const whyNot = (seen: FleetObservation, name: string): string => {
  const found = decided(seen).waiting!.find((one) => one.pop === name);
  return found ? `${found.rule} ${found.reason}: ${found.message}` : "does not wait";
};
const waitsFor = (seen: FleetObservation, name: string) => decided(seen).waiting!.find((one) => one.pop === name)?.partners;

describe("[F2] a roll waits for the other PoP of its two-tunnel sites", () => {
  test("while that one holds a grant: it is named with the 3 sites that they share, and so in the entry", () => {
    const seen = seenOf([asks("fra1", "Roll")], { disruptions: [entry("ams1")] });
    expect(whyNot(seen, "fra1")).toBe("F2 PartnerDisrupted: ams1, with which it shares 3 sites that have two tunnels, holds a grant");
    expect(waitsFor(seen, "fra1")).toEqual(["ams1"]);
    expect(granted(seen)).toEqual(["ams1 Roll"]);
  });

  test("two that ask at once see each other: one is granted", () => {
    expect(granted(seenOf([asks("ams1", "Roll"), asks("fra1", "Roll")]))).toHaveLength(1);
    expect(granted(seenOf([asks("ams1", "Roll"), asks("fra1", "Roll")], {}, new Map()))).toHaveLength(2);
  });

  test("[F3] while it is degraded or cannot be reached; a PoP that shares no site is nothing to it", () => {
    const why = (changes: Partial<FleetPop>) => whyNot(seenOf([asks("fra1", "Roll"), pop("ams1", changes), pop("lon1", changes)]), "fra1");
    expect(why({ degraded: true })).toBe("F2 PartnerDisrupted: ams1, with which it shares 3 sites that have two tunnels, is degraded");
    expect(why({ unreachable: true })).toMatch(/ams1, .* cannot be reached$/);
    expect(why({})).toBe("does not wait");
    expect(whyNot(seenOf([asks("lon1", "Roll"), pop("ams1", { degraded: true })]), "lon1")).toBe("does not wait");
  });

  test("[L2] two that are both degraded are repaired one after the other, or neither ever would be", () => {
    const both = [asks("ams1", "Roll", { degraded: true }), asks("fra1", "Roll", { degraded: true })];
    expect(granted(seenOf(both))).toHaveLength(1);
  });

  test("[F10] while it waits to roll back, also for another reason", () => {
    const seen = seenOf([asks("ams1", "Rollback"), asks("fra1", "Roll"), asks("lon1", "Roll")], {
      disruptions: [entry("ams1", "Roll", 0)],
    });
    expect(whyNot(seen, "fra1")).toMatch(/^F2 PartnerDisrupted: ams1,/);
    expect(whyNot(seen, "lon1")).toMatch(/^F10 RegionBusy: rollbacks go first/);
  });
});

describe("[F10] a rollback and its partner", () => {
  test("it waits for the partner in hand, and its entry names it, so that it stops", () => {
    const seen = seenOf([asks("fra1", "Rollback")], { disruptions: [entry("ams1"), entry("lon1")] });
    expect(whyNot(seen, "fra1")).toBe("F2 PartnerDisrupted: ams1, with which it shares 3 sites that have two tunnels, holds a grant");
    expect(waitsFor(seen, "fra1")).toEqual(["ams1"]);
  });

  test("partners are named also when a limit is in the way too: they return their grants meanwhile", () => {
    const seen = fleetOf({ ...WIDE, maxConcurrentRollbacks: 1 }, [asks("fra1", "Rollback")], {
      disruptions: [entry("ams1"), entry("lon1", "Rollback")],
    });
    expect(waitsFor({ ...seen, partners: PAIR }, "fra1")).toEqual(["ams1"]);
  });

  test("[F3] it does not wait for one that is degraded or unreachable: it is the way out", () => {
    for (const changes of [{ degraded: true }, { unreachable: true }])
      expect(granted(seenOf([asks("fra1", "Rollback"), pop("ams1", changes)]))).toEqual(["fra1 Rollback"]);
  });

  test("the returned grant of the partner is struck and the rollback granted in one decision", () => {
    const returned = pop("ams1", { grant: { id: 1, kind: "Roll", state: "Returned" } });
    expect(granted(seenOf([asks("fra1", "Rollback"), returned], { disruptions: [entry("ams1")] }))).toEqual(["fra1 Rollback"]);
  });

  test("of two that both need it the one with more failed sessions goes first, whoever asked first", () => {
    const waiting = ["ams1", "fra1"].map((name, index) => ({
      pop: name,
      uid: `uid-${name}`,
      id: 1,
      kind: "Rollback" as const,
      since: `2026-11-22T1${index}:00:00Z`,
      rule: "",
      reason: "",
      message: "",
    }));
    const order = (sessions: readonly [number, number]) =>
      granted(
        seenOf([asks("ams1", "Rollback", { failedSessions: sessions[0] }), asks("fra1", "Rollback", { failedSessions: sessions[1] })], {
          waiting,
        }),
      );
    expect(order([10, 20])).toEqual(["fra1 Rollback"]);
    expect(order([20, 10])).toEqual(["ams1 Rollback"]);
    expect(order([0, 0])).toEqual(["ams1 Rollback"]);
  });
});

describe("[L3] a PoP whose partners are served in turns", () => {
  const STAR = partnersOf(["hub", "a"], ["hub", "b"]);
  const place = (name: string, since: string) => ({
    pop: name,
    uid: `uid-${name}`,
    id: 1,
    kind: "Roll" as const,
    since,
    rule: "F2",
    reason: "PartnerDisrupted",
    message: "",
  });
  const waiting = [place("hub", "2026-11-22T10:00:00Z")];

  test("is first in line: partners that asked later wait until it had its own", () => {
    const seen = seenOf([asks("hub", "Roll"), asks("b", "Roll")], { disruptions: [entry("a")], waiting }, STAR);
    expect(whyNot(seen, "b")).toBe(
      "F10 PartnerDisrupted: hub, with which it shares 1 site that has two tunnels, waits since 2026-11-22T10:00:00Z and comes first",
    );
    expect(waitsFor(seen, "b")).toBeUndefined();
  });

  test("one that waits for a person keeps nobody: a partner is degraded, or the floor can never be kept", () => {
    const pops = [asks("hub", "Roll"), asks("b", "Roll"), pop("a", { degraded: true })];
    expect(granted(seenOf(pops, { waiting }, STAR))).toEqual(["b Roll"]);
    const big = [asks("hub", "Roll", { takesOut: { Roll: 4, Rollback: 1 } }), asks("b", "Roll")];
    expect(granted(fleetOf({ ...WIDE, capacityFloorPercent: 70 }, big, { waiting }, { partners: STAR }))).toEqual(["b Roll"]);
  });
});

test("[G11] decided again on its own status, nothing changes", () => {
  const pops = [asks("ams1", "Roll"), asks("fra1", "Roll"), asks("lon1", "Rollback")];
  const partners = partnersOf(["ams1", "fra1"], ["fra1", "lon1"], ["ams1", "lon1", 2]);
  const first = decided(seenOf(pops, {}, partners));
  expect(decided(seenOf(pops, first, partners))).toEqual(decided(seenOf(pops, decided(seenOf(pops, first, partners)), partners)));
});
