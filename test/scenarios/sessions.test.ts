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

  /** A roll whose first node has been drained, and the node that took over most of its sessions, which are not judged yet. */
  const takenOver = async () => {
    const story = await Story.begin({ nodes: 3 });
    const load = await story.sessions(120);
    await story.want("2.0.0");
    const drained = await story.untilStep("Updating");
    // From here on it is finished, whoever else is out.
    const before = story.label(drained);
    await story.untilTrue("its label to leave", () => story.label(drained) !== before, MINUTE);
    const held = (name: string) => story.plane(name)?.sessions.length ?? 0;
    const others = story.nodes().flatMap(({ metadata }) => (metadata.name === drained ? [] : [metadata.name]));
    const taker = others.toSorted((a, b) => held(b) - held(a))[0]!;
    return { story, load, drained, taker };
  };

  it("[P11] a node that reboots after it took sessions over has lost its counters, not the sessions: the version stays", async () => {
    const { story, load, taker } = await takenOver();
    await story.world.while(story.world.nodes.reboot(taker));
    await story.untilPassed("2.0.0");
    expect(story.reasons()).not.toContain("RollbackStarted");
    await load.stop();
  });

  it("[P11] a node that dies after it took sessions over is named in the hold, and what happens next; then the roll goes on without a verdict on them", async () => {
    const { story, load, drained, taker } = await takenOver();
    await story.world.nodes.kill(taker);
    await story.untilStep("Soaking");
    await story.pass(MINUTE);
    expect(story.status().holds?.map((hold) => hold.message)).toContainEqual(
      expect.stringMatching(
        new RegExp(
          `^node ${drained} soaks: reconnect: .* sessions of ${drained} came back cannot be told: ${taker}, which .* is not Ready, .* at the latest 30 min after`,
        ),
      ),
    );
    await story.pass(30 * MINUTE);
    expect(story.status().nodes?.find((node) => node.name === drained)).toMatchObject({ step: "Done" });
    expect(story.reasons()).not.toContain("RollbackStarted");
    await story.world.while(story.world.nodes.reboot(taker));
    await story.untilPassed("2.0.0");
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
