import fc from "fast-check";
import { expect, it } from "vitest";
import { elapsedOf, hold, run, STOPPED, type Timer } from "./timer.ts";

const NOON = Date.UTC(2026, 10, 22, 12);

it("[G3] a timer keeps its own start: what is written once counts, however often it is looked at", () => {
  const started = run(STOPPED, NOON);
  expect(started).toEqual({ since: "2026-11-22T12:00:00.000Z", accumulated: 0 });
  expect(run(started, NOON + 5_000)).toBe(started);
  expect(elapsedOf(started, NOON + 5_000)).toBe(5_000);
});

it("[I11] a bad spell adds nothing and takes nothing away, and a restart of the operator neither", () => {
  const held = hold(run(STOPPED, NOON), NOON + 60_000);
  expect(held).toEqual({ accumulated: 60_000 });
  const restored = JSON.parse(JSON.stringify(held)) as Timer;
  expect(elapsedOf(restored, NOON + 3_600_000)).toBe(60_000);
  expect(elapsedOf(run(restored, NOON + 3_600_000), NOON + 3_630_000)).toBe(90_000);
});

it("no timer counts nothing, and a clock that was set back never takes time away", () => {
  expect(elapsedOf(undefined, NOON)).toBe(0);
  expect(hold(undefined, NOON)).toBeUndefined();
  expect(elapsedOf(run({ accumulated: 7_000 }, NOON), NOON - 60_000)).toBe(7_000);
});

it("[G3] what it shows is the sum of the spells in which it ran", () => {
  const spells = fc.array(fc.record({ runs: fc.boolean(), milliseconds: fc.integer({ min: 0, max: 10_000_000 }) }), { maxLength: 20 });
  fc.assert(
    fc.property(spells, (script) => {
      let now = NOON;
      let timer: Timer | undefined = STOPPED;
      let expected = 0;
      for (const { runs, milliseconds } of script) {
        timer = runs ? run(timer, now) : hold(timer, now);
        now += milliseconds;
        if (runs) expected += milliseconds;
      }
      expect(elapsedOf(timer, now)).toBe(expected);
    }),
  );
});
