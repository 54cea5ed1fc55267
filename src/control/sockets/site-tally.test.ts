import { expect, it } from "vitest";
import type { Contribution } from "../../core/socket-rollout/contribution.ts";
import { SiteTally } from "./site-tally.ts";

const site = (given: Partial<Contribution> = {}): Contribution => ({
  bucket: 40,
  offered: false,
  attempted: false,
  confirmed: false,
  failed: false,
  unreachable: false,
  asks: true,
  ...given,
});

it("[S10] counts sites as they change: one that is confirmed is counted no more among those that wait", () => {
  const tally = new SiteTally();
  for (let nth = 0; nth < 1_000; nth++) tally.set(`acme/${nth}`, site({ bucket: nth % 100, reason: "NotInRamp" }));
  expect(tally.count(5).numbers).toMatchObject({ sites: 1_000, inRamp: 50, confirmed: 0 });
  tally.set("acme/3", site({ bucket: 0, offered: true, attempted: true, confirmed: true, asks: false }));
  tally.set("acme/4", undefined);
  const counted = tally.count(5);
  expect(counted.numbers).toEqual({ sites: 999, inRamp: 49, offered: 1, attempted: 1, confirmed: 1, failed: 0, unreachable: 0 });
  expect([...counted.waiting]).toEqual([["NotInRamp", 998]]);
});

it("the end of the last window goes back when the site that had it is over", () => {
  const tally = new SiteTally();
  tally.set("acme/a", site({ plannedEnd: 100 }));
  tally.set("acme/b", site({ plannedEnd: 200 }));
  expect(tally.count(100).lastPlannedEnd).toBe(200);
  tally.set("acme/b", site({ confirmed: true }));
  expect(tally.count(100).lastPlannedEnd).toBe(100);
});

it("[S10] a step of the ramp wakes the sites that it reaches, and none before or behind", () => {
  const tally = new SiteTally();
  for (let nth = 0; nth < 100; nth++) tally.set(`acme/${nth}`, site({ bucket: nth }));
  tally.set("acme/7", site({ bucket: 7, confirmed: true, asks: false }));
  expect(tally.open(5, 25)).toHaveLength(19);
  expect(tally.open()).toHaveLength(99);
});

it("[G4] admits late joiners by rank; one that was admitted asks no more, and has its place until it took it", () => {
  const tally = new SiteTally();
  for (const key of ["acme/a", "acme/b", "acme/c"]) tally.set(key, site());
  const rankOf = (key: string) => ({ "acme/a": 3, "acme/b": 1, "acme/c": 2 })[key]!;
  expect(tally.admit(2, rankOf)).toEqual(["acme/b", "acme/c"]);
  expect(["acme/a", "acme/b", "acme/c"].map((key) => tally.isWaiting(key))).toEqual([true, false, false]);
  expect(tally.count(100).lateAsking).toBe(1);
  // It is planned now, and its place is nobody's any more.
  tally.set("acme/b", site({ asks: false }));
  expect(tally.count(100).lateAsking).toBe(1);
  expect(tally.admit(5, rankOf)).toEqual(["acme/a"]);
  expect(tally.count(100).lateAsking).toBe(0);
});
