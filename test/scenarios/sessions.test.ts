import { describe, expect, it } from "vitest";
import { MINUTE, SECOND, Story } from "./story.ts";

describe("the sessions of drained nodes", () => {
  it("[P11] 120 sessions through a roll: each break falls into a drain, nobody breaks more than twice, all are back within 10 s", async () => {
    const story = await Story.begin({ nodes: 3 });
    const load = await story.sessions(120);
    await story.want("2.0.0");
    await story.untilPassed("2.0.0");
    const { breaks, sessionsByBreaks, longestOutage, wentElsewhere, neverBack, held } = load.summary();
    expect({ held, wentElsewhere, neverBack }).toEqual({ held: 120, wentElsewhere: 0, neverBack: 0 });
    expect(breaks).toBeGreaterThanOrEqual(120);
    expect(Object.keys(sessionsByBreaks).every((count) => Number(count) <= 2)).toBe(true);
    expect(longestOutage).toBeLessThanOrEqual(10 * SECOND);
    expect(story.status().nodes?.some((node) => (node.reconnectSeconds ?? 0) > 0)).toBe(true);
    await load.stop();
  });

  it("[P11] a version that takes sessions back after 9 s passes, after 11 s it is taken back, the evidence naming the share", async () => {
    for (const [behaviour, passes] of [
      ["takes-back-9s", true],
      ["takes-back-11s", false],
    ] as const) {
      const story = await Story.begin({ nodes: 3 });
      const load = await story.sessions(120);
      await story.want(`2.0.0-${behaviour}`);
      if (passes) await story.untilPassed(`2.0.0-${behaviour}`);
      else {
        await story.untilOutcome(`2.0.0-${behaviour} RolledBack`);
        expect(story.status().history?.at(-1)?.evidence).toMatch(
          /reconnect: \d+ of \d+ sessions of fra1-n\d returned within 10 s \(.* %, asked for 95 %\)/,
        );
      }
      await load.stop();
    }
  });

  it("[P11] a version that sends a tenth to another PoP is taken back", async () => {
    const story = await Story.begin({ nodes: 3 });
    const load = await story.sessions(120);
    await story.want("2.0.0-turns-away");
    await story.untilOutcome("2.0.0-turns-away RolledBack");
    await load.stop();
  });

  it("[P11] [P7] a version that loses its sessions is taken back, and the rollback is not held up by what that version still does", async () => {
    const story = await Story.begin({ nodes: 3 });
    const load = await story.sessions(120);
    await story.want("2.0.0-loses-sessions");
    await story.untilOutcome("2.0.0-loses-sessions RolledBack");
    expect(story.versions()).toEqual(["1.0.0", "1.0.0", "1.0.0"]);
    await story.pass(MINUTE);
    expect(load.held).toBe(120);
    await load.stop();
  });

  it("[P11] below minimumSamples nothing is concluded and nothing blocked: NotEnoughSamples", async () => {
    const story = await Story.begin({ nodes: 3 });
    const load = await story.sessions(12);
    await story.want("2.0.0-takes-back-11s");
    await story.untilPassed("2.0.0-takes-back-11s");
    await load.stop();
  });
});
