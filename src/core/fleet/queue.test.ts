import { expect, test } from "vitest";
import type { FleetStatus } from "../../api/fleet.ts";
import { decide } from "./decide.ts";
import { asks, entry, fleetOf, NOON } from "./fleet.examples.ts";
import type { FleetPop } from "./observation.ts";

const ONE = { maxConcurrentPoPs: 1, maxConcurrentPerRegion: 1 };

/** Asks arrive one after the other, each decided on as it comes; then time passes. Answers the names in the order of their grants. */
function grantsOf(arrivals: readonly (readonly [FleetPop, number])[], spec: object = ONE, until = 10_000): string[] {
  let status: FleetStatus = { waiting: [] };
  const granted: string[] = [];
  const pops = arrivals.map(([{ grant: _, ...silent }]): FleetPop => silent);
  const look = (now: number) => {
    const seen = fleetOf(spec, pops);
    status = decide({ ...seen, fleet: { ...seen.fleet, status } }, now).status!;
    for (const { pop } of status.disruptions!) if (!granted.includes(pop)) granted.push(pop);
  };
  const times = [...arrivals.map(([, at]) => at), ...Array.from({ length: until / 500 }, (_, index) => (index + 1) * 500)];
  for (const at of [...new Set(times)].toSorted((a, b) => a - b)) {
    for (const [index, [pop, arrives]] of arrivals.entries()) if (arrives === at) pops[index] = pop;
    look(NOON + at);
    // Whoever has it is done at once, and the next one is looked at.
    for (const [index, pop] of pops.entries())
      if (granted.includes(pop.name) && pop.grant?.state === "Asked") pops[index] = { ...pop, grant: { ...pop.grant, state: "Returned" } };
  }
  return granted;
}

const NAMES = ["ams1", "fra1", "lon1", "par1"];
const roll = (name: string, version: string): FleetPop => {
  const pop = asks(name, "Roll");
  return { ...pop, grant: { ...pop.grant!, version } };
};

test("[G7] four PoPs whose questions come 0.3 s apart are granted in the order of a hash, whoever was heard first", () => {
  const order = grantsOf(NAMES.map((name) => [roll(name, "2.0.0"), 0] as const));
  expect(order.toSorted()).toEqual(NAMES);
  for (const names of [NAMES, NAMES.toReversed(), ["lon1", "ams1", "par1", "fra1"]])
    expect(grantsOf(names.map((name, index) => [roll(name, "2.0.0"), index * 300] as const))).toEqual(order);
});

test("[G7] the order is another one for another version: nobody is always first", () => {
  const firsts = Array.from({ length: 20 }, (_, index) => grantsOf(NAMES.map((name) => [roll(name, `2.0.${index}`), 0] as const))[0]);
  expect(new Set(firsts).size).toBeGreaterThan(2);
});

test("[G7] who asks 2 s later than the first comes after it, whatever the hash says: nobody is overtaken for ever", () => {
  const [first] = grantsOf(NAMES.map((name) => [roll(name, "2.0.0"), 0] as const));
  const late = grantsOf(NAMES.map((name) => [roll(name, "2.0.0"), name === first ? 2_000 : 0] as const));
  expect(late[3]).toBe(first);
});

test("[G7] it is decided after 2 s, wakes itself for it, and says what it waits for", () => {
  const pops = [roll("ams1", "2.0.0"), roll("fra1", "2.0.0")];
  const seen = fleetOf(ONE, pops);
  const { status, wakeAt } = decide({ ...seen, fleet: { ...seen.fleet, status: {} } }, NOON + 400);
  expect([status?.disruptions, wakeAt]).toEqual([[], NOON + 2_000]);
  expect(status?.waiting?.map(({ rule, message }) => `${rule} ${message}`)[0]).toMatch(/^G7 it asked just now/);
  expect(decide({ ...seen, fleet: { ...seen.fleet, status: status! } }, NOON + 1_999).status?.disruptions).toEqual([]);
  expect(decide({ ...seen, fleet: { ...seen.fleet, status: status! } }, NOON + 2_000).status?.disruptions).toHaveLength(1);
});

test("[G7] where nobody can be in another's way nobody waits: limits that take all of them, and a fleet of one PoP", () => {
  const first = (spec: object, pops: readonly FleetPop[]) => {
    const seen = fleetOf(spec, pops);
    return decide({ ...seen, fleet: { ...seen.fleet, status: {} } }, NOON).status!.disruptions!.length;
  };
  expect(first(ONE, [roll("ams1", "2.0.0")])).toBe(1);
  expect(first({ maxConcurrentPoPs: 2, maxConcurrentPerRegion: 2 }, [roll("ams1", "2.0.0"), roll("fra1", "2.0.0")])).toBe(2);
  expect(first({ maxConcurrentPoPs: 2, maxConcurrentPerRegion: 1 }, [roll("ams1", "2.0.0"), roll("fra1", "2.0.0")])).toBe(0);
});

test("[F10] a rollback waits for nobody to ask; an unfinished piece that is not decided on yet keeps its place from a roll that is", () => {
  const empty = (pops: readonly FleetPop[], status: FleetStatus, now: number) => {
    const seen = fleetOf({ ...ONE, maxConcurrentRollbacks: 1 }, pops);
    return decide({ ...seen, fleet: { ...seen.fleet, status } }, now).status!;
  };
  expect(empty([asks("ams1", "Rollback"), asks("fra1", "Roll")], {}, NOON).disruptions).toMatchObject([{ pop: "ams1", kind: "Rollback" }]);

  const regular = empty([asks("ams1", "Roll"), asks("fra1", "Roll")], { disruptions: [entry("lon1")] }, NOON - 60_000);
  const pops = [asks("ams1", "Roll"), asks("par1", "Roll", { unfinished: true })];
  const waits = empty(pops, { waiting: regular.waiting ?? [] }, NOON);
  expect(waits.disruptions).toEqual([]);
  expect(waits.waiting?.find(({ pop }) => pop === "ams1")?.message).toBe("par1 asked a moment ago and comes first");
  expect(empty(pops, waits, NOON + 2_000).disruptions).toMatchObject([{ pop: "par1" }]);
});

test("[G9] a machine's clock that was set back by an hour keeps nobody waiting for an hour", () => {
  const seen = fleetOf(ONE, [roll("ams1", "2.0.0"), roll("fra1", "2.0.0")]);
  const waiting = (seen.fleet.status.waiting ?? []).map((place) => ({ ...place, since: "2026-11-22T13:00:00Z" }));
  expect(decide({ ...seen, fleet: { ...seen.fleet, status: { waiting } } }, NOON).status?.disruptions).toHaveLength(1);
});
