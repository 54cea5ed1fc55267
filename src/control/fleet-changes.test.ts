import { expect, it } from "vitest";
import type { Fleet, FleetStatus } from "../api/fleet.ts";
import type { Partners } from "../core/fleet/observation.ts";
import { FleetChanges } from "./fleet-changes.ts";

const NOBODY: Partners = new Map();
const TIED: Partners = new Map([
  ["fra1", new Map([["ams1", 2]])],
  ["ams1", new Map([["fra1", 2]])],
]);
const entry = (pop: string, id = 1) => ({ pop, uid: `uid-${pop}`, id, kind: "Roll" as const, since: "2026-11-22T01:00:00Z" });
const waits = (pop: string, changes: object = {}) => ({ ...entry(pop), rule: "G14", reason: "RegionBusy", message: "busy", ...changes });
const fleet = (status: FleetStatus, generation = 1): Fleet =>
  ({ metadata: { name: "fleet", uid: "u1", generation }, spec: {}, status }) as unknown as Fleet;

it("[P14] only the PoPs of whom the Fleet's ledger says something else look again, however many wait", () => {
  const changes = new FleetChanges();
  expect(changes.of(fleet({}), false, NOBODY)).toEqual({ everybody: true, pops: [] });
  const waiting = [waits("ber1"), waits("par1")];
  expect(changes.of(fleet({ waiting }), false, NOBODY).pops).toEqual([]);
  expect(changes.of(fleet({ waiting, disruptions: [entry("fra1")] }), false, NOBODY).pops).toEqual(["fra1"]);
  expect(
    changes.of(fleet({ waiting: [waits("ber1", { message: "fra1 is busy" })], disruptions: [entry("fra1")] }), false, NOBODY).pops,
  ).toEqual([]);
  expect(changes.of(fleet({ disruptions: [entry("fra1", 2), entry("ber1")] }), false, NOBODY).pops).toEqual(["fra1", "ber1"]);
  expect(changes.of(fleet({ disruptions: [entry("ber1")] }), false, NOBODY).pops).toEqual(["fra1"]);
});

it("[F2] [F10] partners do when one is disrupted beside them, when it is done, and when it waits to roll back until they are whole", () => {
  const changes = new FleetChanges();
  changes.of(fleet({}), false, TIED);
  expect(changes.of(fleet({ disruptions: [entry("fra1")] }), false, TIED).pops).toEqual(["fra1", "ams1"]);
  const waiting = [waits("ams1", { reason: "PartnerDisrupted", kind: "Rollback", partners: ["fra1"] })];
  expect(changes.of(fleet({ disruptions: [entry("fra1")], waiting }), false, TIED).pops).toEqual(["fra1", "ams1"]);
  expect(changes.of(fleet({ waiting }), false, TIED).pops).toEqual(["fra1", "ams1"]);
});

it("[F2] who became a partner while the other was disrupted looks again when that is over", () => {
  const changes = new FleetChanges();
  changes.of(fleet({ disruptions: [entry("fra1")] }), false, NOBODY);
  expect(changes.of(fleet({}), false, TIED).pops).toEqual(["fra1", "ams1"]);
});

it("[G13] everybody does when a person changed its spec, and when it is gone", () => {
  const changes = new FleetChanges();
  changes.of(fleet({}), false, NOBODY);
  expect(changes.of(fleet({}), false, NOBODY).everybody).toBe(false);
  expect(changes.of(fleet({}, 2), false, NOBODY).everybody).toBe(true);
  expect(changes.of(fleet({}, 2), true, NOBODY).everybody).toBe(true);
  expect(changes.of(fleet({}, 2), false, NOBODY).everybody).toBe(true);
});
