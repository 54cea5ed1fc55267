import { expect, it } from "vitest";
import { excuseOf, type Neighbour } from "./neighbours.ts";

const HALF_AN_HOUR = 30 * 60_000;
const neighbour = (name: string, before: Neighbour["before"], now: Neighbour["now"]): Neighbour => ({
  name,
  now,
  ...(before === undefined ? {} : { before }),
});
const excused = (...neighbours: Neighbour[]) => excuseOf(neighbours, 0, HALF_AN_HOUR);

it("[P10] neighbours that were bad before our first write and still are excuse the version", () => {
  expect(excused(neighbour("n3", "Unhealthy", "Unhealthy"), neighbour("n4", "Unhealthy", "Unhealthy"))).toEqual({
    excused: true,
    message:
      "2 of 2 neighbours (n3 and n4) were bad before our first write and still are; this is no evidence against the version for 30 min more",
  });
});

it("[P10] neighbours that turned bad after our first write count as ours", () => {
  expect(excused(neighbour("n3", "Healthy", "Unhealthy"), neighbour("n4", "Unknown", "Unhealthy"))).toEqual({
    excused: false,
    message: "n3 and n4 turned bad after our first write, which counts as ours",
  });
});

it("[P10] neighbours that recovered, a minority, one without a baseline, or none at all excuse nothing", () => {
  expect(excused(neighbour("n3", "Unhealthy", "Healthy")).excused).toBe(false);
  expect(excused(neighbour("n3", "Unhealthy", "Unhealthy"), neighbour("n4", "Healthy", "Healthy")).excused).toBe(false);
  expect(excused(neighbour("n3", undefined, "Unhealthy")).excused).toBe(false);
  expect(excused().excused).toBe(false);
});

it("[P10] an excuse lasts at most onUnknown.hold, 30 minutes", () => {
  const bad = [neighbour("n3", "Unhealthy", "Unhealthy")];
  expect(excuseOf(bad, HALF_AN_HOUR - 1, HALF_AN_HOUR).excused).toBe(true);
  expect(excuseOf(bad, HALF_AN_HOUR, HALF_AN_HOUR).excused).toBe(false);
});
