import { describe, expect, it } from "vitest";
import { popClusterStatus, type PopClusterStatus } from "../../api/pop-cluster.ts";
import { accounted, causeOf } from "./spent.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const SUNDAY = Date.parse("2026-11-22T01:00:00Z");
const at = (instant: number): string => new Date(instant).toISOString();

const run = (more: object = {}) => ({
  id: 1,
  kind: "Roll",
  revision: "r2",
  version: "2.0",
  back: "r1",
  startedAt: at(SUNDAY),
  state: "Rolling",
  frozen: { members: [], order: [] },
  ...more,
});
const status = (of: object): PopClusterStatus => popClusterStatus.parse(of);
const held = (...reasons: string[]) => ({ holds: reasons.map((reason) => ({ rule: "X", reason, message: "" })) });

/** Writes one status after the other as `accounted` says; `run` without what was accounted, as the rules write it. */
function written(
  ...writes: readonly (readonly [instant: number, of: { run?: object; holds?: object; history?: readonly object[] }])[]
): PopClusterStatus {
  return writes.reduce<PopClusterStatus>((before, [now, of]) => {
    const sameRun = of.run !== undefined && (of.run as { id: number }).id === before.run?.id;
    const next = status({
      ...of,
      ...(of.run ? { run: { ...of.run, ...(sameRun && before.run?.spent ? { spent: before.run.spent } : {}) } } : {}),
    });
    return popClusterStatus.parse(accounted(before, next, now));
  }, {});
}

describe("what a status waits for", () => {
  it.each([
    [[], {}, "working"],
    [["OutsideWindow"], {}, "window"],
    [["Frozen"], {}, "window"],
    [["Paused"], {}, "people"],
    [["CordonedByPerson", "OutsideWindow"], {}, "people"],
    [["Soaking", "OutsideWindow"], {}, "soaking"],
    // Places in the fleet are the fleet's own work; what stands behind them counts.
    [["RegionBusy"], {}, "working"],
    [["RegionBusy", "OutsideWindow"], {}, "window"],
    [["HealthUnknown"], { state: "Baking" }, "soaking"],
    [[], { ending: "Stopped" }, "people"],
  ])("%j in %j is %s", (reasons, more, cause) => {
    expect(causeOf(status({ run: run(more), ...held(...reasons) }))).toBe(cause);
  });
});

describe("the time of a run", () => {
  it("over two Sundays: 3 h worked, 6 days and 20 h for the window, 1 h soaked, and nothing after it passed", () => {
    const passed = written(
      [SUNDAY, { run: run() }],
      [SUNDAY + 2 * HOUR, { run: run(), ...held("OutsideWindow") }],
      [SUNDAY + 6 * DAY + 22 * HOUR, { run: run() }],
      [SUNDAY + 6 * DAY + 23 * HOUR, { run: run({ state: "Baking" }), ...held("Baking") }],
      [SUNDAY + 7 * DAY, { run: run({ state: "Passed" }) }],
      [SUNDAY + 12 * DAY, { run: run({ state: "Passed" }) }],
    );
    const spent = {
      working: 3 * HOUR,
      window: 6 * DAY + 20 * HOUR,
      people: 0,
      soaking: HOUR,
      until: at(SUNDAY + 7 * DAY),
      passedAt: at(SUNDAY + 7 * DAY),
    };
    expect(passed.run?.spent).toEqual(spent);
  });

  it("stands in the history when the run ends, and the next run begins at nothing", () => {
    const entry = { version: "2.0", revision: "r2", startedAt: at(SUNDAY), endedAt: at(SUNDAY + HOUR), outcome: "Stopped" };
    const after = written(
      [SUNDAY, { run: run() }],
      [SUNDAY + HOUR, { run: run({ id: 2, startedAt: at(SUNDAY + HOUR) }), history: [entry] }],
    );
    expect(after.history?.[0]?.spent).toEqual({ working: HOUR, window: 0, people: 0, soaking: 0, until: at(SUNDAY + HOUR) });
    expect(after.run?.spent).toEqual({ working: 0, window: 0, people: 0, soaking: 0, until: at(SUNDAY + HOUR) });
  });

  it("a rollback is told with the roll that it takes back: 30 min forward, 10 min soak, 20 min back", () => {
    const back = (spent?: object) =>
      run({
        id: 2,
        kind: "Rollback",
        state: "RollingBack",
        startedAt: at(SUNDAY + 40 * MINUTE),
        takesBack: { version: "2.0", startedAt: at(SUNDAY), ...spent },
      });
    const begun = written(
      [SUNDAY, { run: run() }],
      [SUNDAY + 30 * MINUTE, { run: run(), ...held("Soaking") }],
      [SUNDAY + 40 * MINUTE, { run: back() }],
    );
    const entry = { version: "2.0", revision: "r2", startedAt: at(SUNDAY), endedAt: at(SUNDAY + HOUR), outcome: "RolledBack" };
    const over = accounted(begun, status({ history: [entry] }), SUNDAY + HOUR);
    expect(begun.run?.takesBack?.spent).toMatchObject({ working: 30 * MINUTE, soaking: 10 * MINUTE });
    expect(over.history?.[0]?.spent).toMatchObject({ working: 50 * MINUTE, soaking: 10 * MINUTE, window: 0, people: 0 });
  });

  it("[G11] a ledger that says the same gets the same: nothing of the clock is in it but the stretch that is accounted", () => {
    const before = written([SUNDAY, { run: run() }]);
    expect(accounted(before, before, SUNDAY)).toEqual(before);
    expect(accounted({}, status({}), SUNDAY)).toEqual({});
  });

  it("[I20] a clock that was set back takes nothing away, and parts of a millisecond are cut off", () => {
    const before = written([SUNDAY, { run: run() }], [SUNDAY + HOUR + 0.5, { run: run() }]);
    const after = accounted(before, before, SUNDAY + MINUTE);
    expect(after.run?.spent).toMatchObject({ working: HOUR, until: at(SUNDAY + MINUTE) });
  });

  it("a run that an older operator began is accounted from its next write on", () => {
    const before = status({ run: run() });
    expect(accounted(before, before, SUNDAY + HOUR).run?.spent).toMatchObject({ working: 0, until: at(SUNDAY + HOUR) });
  });
});
