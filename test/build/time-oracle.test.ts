import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canonicalZones, isCanonicalZone } from "../../src/core/time/zone.ts";
import { RENAMED_ZONES } from "../../src/core/time/renamed-zones.ts";
import { localStart } from "../../src/core/time/local-start.ts";
import { localTimeAt, offsetAt } from "../../src/core/time/offsets.ts";
import { IntlOracle } from "../../tools/time-oracle/intl-oracle.ts";
import { PythonOracle } from "../../tools/time-oracle/python-oracle.ts";
import type { TimeOracle } from "../../tools/time-oracle/time-oracle.ts";
import { pypiVersion, tzdataFolder } from "../../tools/time-oracle/tzdata-package.ts";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const [FROM, TO] = [Date.UTC(2020, 0, 1) / 1_000, Date.UTC(2038, 0, 1) / 1_000];
const [MINUTE, HOUR] = [60, 3_600];
const ZONE_DATA = process.versions.tz!;

const zones = canonicalZones();
let oracle: TimeOracle;
let python: PythonOracle | undefined;

/** The oracle if it answers: the package may lie in the cache of a machine that has no Python. */
async function answering(started: PythonOracle, say: (sentence: string) => void): Promise<PythonOracle | undefined> {
  try {
    await started.version();
    return started;
  } catch (error) {
    say(`Python does not answer: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

beforeAll(async () => {
  const say = (sentence: string) => process.stderr.write(`time oracle: ${sentence}\n`);
  const folder = await tzdataFolder(path("../../.cache/time-oracle"), ZONE_DATA, say);
  if (folder !== undefined) python = await answering(new PythonOracle(path("../../tools/time-oracle/oracle.py"), folder), say);
  if (python === undefined) say("falling back to brute force over Intl, which checks the reckoning but not the zone data");
  oracle = python ?? new IntlOracle();
}, 60_000);

afterAll(() => oracle.close());

/** Local seconds around a change from one reading of the clock to another: both edges, inside, half an hour and a day around. */
function nominalsAround([at, before, after]: readonly [number, number, number]): number[] {
  const [last, first] = [at + before, at + after];
  const edges = [last - HOUR, last - 1, last, last + 1, first - 1, first, first + 1, first + HOUR, Math.floor((last + first) / 2)];
  const halves = [Math.min(last, first) - 30 * MINUTE, Math.max(last, first) + 30 * MINUTE];
  return [...edges, ...halves, last - 24 * HOUR, last + 24 * HOUR];
}

describe("starts against an oracle that shares no code with ours", () => {
  it("[W2] agrees on every zone and every change of the clocks 2020 to 2037", { timeout: 60_000 }, async () => {
    let compared = 0;
    let changes = 0;
    const differing: string[] = [];
    for (const zone of zones) {
      const transitions = await oracle.transitions(zone, FROM, TO);
      changes += transitions.length;
      const nominals = [...new Set([...transitions.flatMap(nominalsAround), FROM + 90 * MINUTE, TO - 90 * MINUTE])];
      const expected = await oracle.starts(zone, nominals);
      nominals.forEach((nominal, index) => {
        compared += 1;
        const ours = localStart(zone, nominal * 1_000) / 1_000;
        if (ours !== expected[index])
          differing.push(`${zone} ${new Date(nominal * 1_000).toISOString()}: ours ${ours}, ${oracle.name} ${expected[index]}`);
        const readsBack = localTimeAt(zone, ours * 1_000) >= nominal * 1_000;
        const reachedBefore = localTimeAt(zone, ours * 1_000 - 1_000) >= nominal * 1_000;
        if (!readsBack || reachedBefore)
          differing.push(`${zone} ${new Date(nominal * 1_000).toISOString()}: ${ours} is not the first instant`);
      });
      for (const [at, before, after] of transitions) {
        const ours = [offsetAt(zone, at * 1_000 - 1_000) / 1_000, offsetAt(zone, at * 1_000) / 1_000];
        if (ours[0] !== before || ours[1] !== after)
          differing.push(`${zone} offsets at ${at}: ours ${ours.join(" → ")}, ${oracle.name} ${before} → ${after}`);
      }
    }
    process.stderr.write(`time oracle: ${oracle.name}, ${zones.length} zones, ${changes} changes, ${compared} nominal times compared\n`);
    expect(differing).toEqual([]);
    // A zone list or a tz database without changes would agree on everything.
    expect(changes).toBeGreaterThan(4_000);
  });
});

describe("zone names against the tz database", () => {
  it("takes the tzdata release of the same version as the runtime's", async ({ skip }) => {
    if (python === undefined) skip("the tzdata package cannot be had");
    expect(await python!.version()).toBe(ZONE_DATA);
  });

  it("[W10] accepts IANA's preferred name of every place, and every canonical name is one of the tz database", async ({ skip }) => {
    if (python === undefined) skip("the tzdata package cannot be had");
    const places = await python!.places();
    expect(places.filter((name) => !isCanonicalZone(name))).toEqual([]);
    const names = new Set(await python!.names());
    expect(zones.filter((name) => !names.has(name))).toEqual([]);
  });

  it("lists exactly the places that the runtime spells differently", async ({ skip }) => {
    if (python === undefined) skip("the tzdata package cannot be had");
    const listed = new Set(Intl.supportedValuesOf("timeZone"));
    const missing = (await python!.places()).filter((name) => !listed.has(name));
    expect(RENAMED_ZONES.map(([, modern]) => modern).toSorted()).toEqual(missing.toSorted());
    for (const [old, modern] of RENAMED_ZONES)
      expect(new Intl.DateTimeFormat("en", { timeZone: modern }).resolvedOptions().timeZone).toBe(old);
  });

  it("knows no zone whose clocks change twice within three days, the distance of our samples", { timeout: 60_000 }, async ({ skip }) => {
    if (python === undefined) skip("the tzdata package cannot be had");
    const tooClose: string[] = [];
    for (const zone of zones) {
      const changes = await python!.transitions(zone, Date.UTC(1800, 0, 1) / 1_000, FROM);
      changes.forEach(([at], index) => {
        const before = changes[index - 1];
        if (before !== undefined && at - before[0] <= 72 * HOUR) tooClose.push(`${zone} ${at}`);
      });
    }
    expect(tooClose).toEqual([]);
  });

  it("turns IANA's letters into PyPI's numbers: 2026c is 2026.3", () => {
    expect(pypiVersion("2026c")).toBe("2026.3");
  });
});
