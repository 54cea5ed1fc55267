import { describe, expect, it } from "vitest";
import { DAY, HOUR, MINUTE, SECOND, Story } from "./story.ts";

const ERRORS = 'pop_errors{pop="fra1"}';
const prometheus = (story: Story) => story.world.prometheus;

/** A PoP judged by one query for the whole PoP, and one for each node. */
const judged = (onUnknown: object = { hold: "30m", then: "Alert" }) => ({
  health: {
    prometheus: { url: "http://prometheus.simulation:9090" },
    pop: [
      {
        name: "loss",
        prometheus: { query: ERRORS, passIf: "<= 0.01", failIf: "> 0.05" },
        successes: 2,
        failures: 2,
        interval: "5s",
        timeout: "1s",
      },
    ],
    onUnknown,
  },
});

const withPrometheus = (story: Story): Promise<void> => {
  prometheus(story).replies.set(ERRORS, 0);
  return Promise.resolve();
};

describe("bake and watch", () => {
  it("[P8] a version bakes, passes, is watched for 24 h from its last node on and is Promoted; then its old DaemonSets may go", async () => {
    const story = await Story.begin({ pop: { strategy: { bake: "10m" } } });
    await story.want("2.0.0");
    await story.untilRolled("2.0.0");
    const rolled = story.now;
    await story.untilPassed("2.0.0");
    expect(story.now - rolled).toBeGreaterThanOrEqual(10 * MINUTE);
    expect(story.now - rolled).toBeLessThan(10 * MINUTE + 10 * SECOND);
    await story.untilOutcome("2.0.0 Promoted", 2 * DAY);
    expect(story.now - rolled).toBeGreaterThanOrEqual(DAY);
    expect(story.now - rolled).toBeLessThan(DAY + MINUTE);
    expect(story.status().run).toBeUndefined();
    expect(story.condition("Progressing")).toMatchObject({ status: "False", reason: "Idle" });
  });

  it("[P8] a version that turns bad after an hour, outside the window, is taken back by a grant of its own kind", async () => {
    const story = await Story.begin({ start: "2026-11-22T02:30:00Z" });
    await story.want("2.0.0-bad-after-1h");
    await story.untilPassed("2.0.0-bad-after-1h");
    expect(story.status().grant).toMatchObject({ id: 1, state: "Returned" });
    await story.editWindow((spec) => ({
      ...spec,
      schedule: { ...spec.schedule, weekly: [{ day: "Sunday", start: "01:00", duration: "2h" }] },
    }));
    await story.untilOutcome("2.0.0-bad-after-1h RolledBack", 4 * HOUR);
    expect(story.status().grant).toMatchObject({ id: 2, kind: "Rollback", state: "Returned" });
    expect(story.versions()).toEqual(["1.0.0", "1.0.0", "1.0.0"]);
    const started = story.narration().find((sentence) => sentence.startsWith("RollbackStarted"));
    expect(started).toMatch(
      /2\.0\.0-bad-after-1h is taken back to 1\.0\.0: node fra1-n\d: .*ready: GET http:\/\/\S+ answered 500.*; it does not wait for the window \((OutsideWindow|LastStartPassed)\)/,
    );
  });

  it("[P8] a newer version starts on a Passed PoP and promotes it first", async () => {
    const story = await Story.begin();
    await story.want("2.0.0");
    await story.untilPassed("2.0.0");
    await story.want("3.0.0");
    await story.untilPassed("3.0.0");
    expect(story.outcomes()).toEqual(["1.0.0 Promoted", "2.0.0 Promoted"]);
    expect(story.status().run?.back).toBe(story.status().history?.at(-1)?.revision);
  });

  it("[P8] a take-back while the version is watched needs a new grant: it waits while the Fleet has given its only rollback away", async () => {
    const story = await Story.begin({ pops: ["fra1", "ber1"], fleet: { maxConcurrentRollbacks: 1 } });
    for (const pop of ["fra1", "ber1"]) await story.want("2.0.0", pop);
    await story.untilPassed("2.0.0", HOUR, "fra1");
    await story.untilPassed("2.0.0", HOUR, "ber1");
    const at = new Date(story.now).toISOString();
    for (const pop of ["fra1", "ber1"]) await story.edit((spec) => ({ ...spec, requests: { takeBack: { at } } }), pop);
    let most = 0;
    await story.untilTrue("both taken back", () => {
      most = Math.max(most, story.fleet().status?.disruptions?.length ?? 0);
      return ["fra1", "ber1"].every((pop) => story.outcomes(pop).includes("2.0.0 RolledBack"));
    });
    expect(most).toBe(1);
  });
});

describe("evidence that is missing", () => {
  it("[P9] [G9] a Prometheus that is away for ten minutes on half-rolled nodes: HealthUnknown with until, no node starts, no rollback; then the roll ends", async () => {
    const story = await Story.begin({ nodes: 4, pop: judged(), before: withPrometheus });
    await story.want("2.0.0");
    await story.until(
      "half of the nodes",
      (status) =>
        status.nodes?.filter((node) => node.step === "Done" && story.label(node.name)?.endsWith(status.run?.revision ?? "?")).length === 2,
    );
    prometheus(story).up = false;
    await story.untilHold("HealthUnknown", 2 * MINUTE);
    const hold = story.status().holds?.find((one) => one.reason === "HealthUnknown" && one.until);
    expect(hold?.message).toMatch(/nothing is started or taken back on what nobody can see: loss: /);
    const until = Date.parse(hold!.until!);
    expect(until - story.now).toBeGreaterThan(29 * MINUTE);
    const labels = story.nodes().map((node) => story.label(node.metadata.name));
    await story.pass(10 * MINUTE);
    expect(story.condition("VersionHealthy")).toMatchObject({ status: "Unknown", reason: "HealthUnknown" });
    const moved = story.nodes().filter((node, index) => story.label(node.metadata.name) !== labels[index]);
    expect(moved.length, "the node in hand may finish").toBeLessThanOrEqual(1);
    expect(story.reasons()).not.toContain("RollbackStarted");
    prometheus(story).up = true;
    await story.untilPassed("2.0.0");
    expect(story.outcomes()).not.toContain("2.0.0 RolledBack");
  });

  it("[G9] Unknown for longer than onUnknown.hold alerts once and goes on holding", async () => {
    const story = await Story.begin({ pop: judged({ hold: "5m", then: "Alert" }), before: withPrometheus });
    await story.want("2.0.0");
    await story.untilPassed("2.0.0");
    prometheus(story).up = false;
    await story.pass(30 * MINUTE);
    expect(story.reasons().filter((reason) => reason === "HealthUnknown")).toHaveLength(1);
    expect(story.reasons()).not.toContain("RollbackStarted");
    expect(story.holds()).toContain("HealthUnknown");
  });

  it("[G9] [I11] while the checks are Unknown the watch stands still: it ends later by as long", async () => {
    const story = await Story.begin({ pop: judged(), before: withPrometheus });
    await story.want("2.0.0");
    await story.untilRolled("2.0.0");
    const rolled = story.now;
    await story.untilPassed("2.0.0");
    prometheus(story).up = false;
    await story.pass(20 * MINUTE);
    prometheus(story).up = true;
    await story.untilOutcome("2.0.0 Promoted", 2 * DAY);
    expect(story.now - rolled).toBeGreaterThan(DAY + 19 * MINUTE);
  });

  it("[P9] Prometheus checks of a node that cannot be read at its deadline hold it; they do not fail the version", async () => {
    const query = 'errors{node="${node}"}';
    const story = await Story.begin({
      pop: {
        health: {
          prometheus: { url: "http://prometheus.simulation:9090" },
          node: [{ name: "errors", prometheus: { query, passIf: "<= 1" }, successes: 2, failures: 2, interval: "2s", timeout: "1s" }],
        },
      },
      before: async ({ world }) => {
        for (const node of ["fra1-n1", "fra1-n2", "fra1-n3"]) world.prometheus.replies.set(`errors{node="${node}"}`, 0);
      },
    });
    await story.want("2.0.0");
    await story.untilStep("Updating");
    prometheus(story).up = false;
    await story.pass(8 * MINUTE);
    expect(story.holds()).toContain("HealthUnknown");
    expect(story.reasons()).not.toContain("RollbackStarted");
    prometheus(story).up = true;
    await story.untilPassed("2.0.0");
  });

  it("[I5] [P16] a first version that failed while it is watched is not promoted because it is well again; a person's retry lets it serve", async () => {
    const story = await Story.begin({ pop: judged(), before: withPrometheus });
    prometheus(story).replies.set(ERRORS, 0.9);
    await story.until("the breach", ({ run }) => run?.cause !== undefined, HOUR);
    prometheus(story).replies.set(ERRORS, 0);
    await story.pass(3 * DAY);
    expect(story.outcomes()).toEqual([]);
    expect(story.condition("Ready")).toMatchObject({ status: "False", reason: "FirstVersionFailed" });
    const { revision } = story.status().run!;
    await story.edit((spec) => ({ ...spec, requests: { retry: { revision, at: new Date(story.now).toISOString() } } }));
    await story.until("the retry", () => story.condition("Ready")?.status === "True", HOUR);
  });

  it("[P9] one blip adds nothing up: a single bad answer among good ones rolls nothing back, two in a row do", async () => {
    const story = await Story.begin({ pop: judged(), before: withPrometheus });
    await story.want("2.0.0");
    await story.untilPassed("2.0.0");
    for (let blip = 0; blip < 5; blip++) {
      prometheus(story).replies.set(ERRORS, 0.9);
      await story.pass(5 * SECOND);
      prometheus(story).replies.set(ERRORS, 0);
      await story.pass(20 * SECOND);
    }
    expect(story.reasons()).not.toContain("RollbackStarted");
    prometheus(story).replies.set(ERRORS, 0.9);
    await story.untilOutcome("2.0.0 RolledBack", 4 * HOUR);
    expect(story.status().history?.at(-1)?.evidence).toMatch(/loss: pop_errors\{pop="fra1"\}: \{\} 0\.9, which fails at > 0\.05/);
  });

  it("[P9] [G9] an empty answer and NaN are Unknown, never zero", async () => {
    const story = await Story.begin({ pop: judged(), before: withPrometheus });
    for (const reply of ["Empty", Number.NaN] as const) {
      prometheus(story).replies.set(ERRORS, reply);
      await story.want(`2.0.${reply === "Empty" ? 0 : 1}`);
      await story.untilHold("HealthUnknown");
      await story.pass(5 * MINUTE);
      expect(story.versions()).toEqual(["1.0.0", "1.0.0", "1.0.0"]);
      prometheus(story).replies.set(ERRORS, 0);
      await story.want("1.0.0");
      await story.until("nothing to do", (status) => status.run?.state !== "Preflight" && status.grant?.state !== "Asked");
    }
  });
});

describe("was it bad before", () => {
  const query = 'errors{node="${node}"}';
  const byNode = {
    strategy: { perNode: { expected: "2m", deadline: "5m", soak: "60s", retries: 0 } },
    health: {
      prometheus: { url: "http://prometheus.simulation:9090" },
      node: [
        { name: "errors", prometheus: { query, passIf: "<= 1", failIf: "> 1" }, successes: 2, failures: 2, interval: "20s", timeout: "1s" },
      ],
      pop: [],
      onUnknown: { hold: "10m", then: "Alert" },
    },
  };
  const all = (story: Story, value: number) => {
    for (const { metadata } of story.nodes()) prometheus(story).replies.set(`errors{node="${metadata.name}"}`, value);
    return Promise.resolve();
  };

  it("[P10] neighbours that turned bad after our first write count as ours: the version is taken back", async () => {
    const story = await Story.begin({ nodes: 4, pop: byNode, before: (begun) => all(begun, 0) });
    await story.want("2.0.0");
    await story.untilStep("Soaking");
    await all(story, 9);
    await story.until("the verdict", (status) => status.run?.kind === "Rollback", 5 * MINUTE);
    expect(story.status().run?.cause).toMatch(/^node fra1-n\d: errors: /);
    // What the query looks back on outlasts the version: the old one is not failed by it in seconds.
    await story.pass(MINUTE);
    await all(story, 0);
    await story.untilOutcome("2.0.0 RolledBack");
  });

  it("[P10] neighbours that were bad before excuse the version, for at most onUnknown.hold; then it is judged after all", async () => {
    const story = await Story.begin({ nodes: 4, pop: byNode, before: (begun) => all(begun, 0), start: "2026-11-21T00:00:30Z" });
    await story.untilOutcome("1.0.0 Promoted", 2 * DAY);
    await all(story, 9);
    await story.want("2.0.0");
    await story.untilStep("Updating");
    const [first] = story.status().nodes!.filter((node) => node.step === "Updating");
    // The node just updated is well for a moment, long enough to come up; then it is as bad as its neighbours.
    prometheus(story).replies.set(`errors{node="${first!.name}"}`, 0);
    await story.untilStep("Soaking");
    prometheus(story).replies.set(`errors{node="${first!.name}"}`, 9);
    await story.until("the excuse", (status) => status.conditions?.some((one) => one.reason === "Excused") ?? false, 5 * MINUTE);
    const since = story.now;
    expect(story.status().holds?.find((hold) => hold.rule === "P10")?.until).toBeDefined();
    await story.until("the verdict", (status) => status.run?.kind === "Rollback");
    expect(story.now - since).toBeGreaterThan(9 * MINUTE);
    expect(story.now - since).toBeLessThan(13 * MINUTE);
  });
});

describe("was it bad in the region before", () => {
  const query = 'errors{pop="${pop}"}';
  const byPop = {
    strategy: { watch: "336h" },
    health: {
      prometheus: { url: "http://prometheus.simulation:9090" },
      node: [],
      pop: [
        { name: "loss", prometheus: { query, passIf: "<= 1", failIf: "> 1" }, successes: 2, failures: 2, interval: "20s", timeout: "1s" },
      ],
      onUnknown: { hold: "10m", then: "Alert" },
    },
  };
  const errors = (story: Story, pop: string, value: number) => void prometheus(story).replies.set(`errors{pop="${pop}"}`, value);
  const region = (): Promise<Story> =>
    Story.begin({
      pops: ["fra1", "ber1"],
      nodes: 2,
      pop: byPop,
      before: (story) => {
        for (const pop of ["fra1", "ber1"]) errors(story, pop, 0);
        return Promise.resolve();
      },
    });
  const turnsBad = async (story: Story, pop: string) => {
    errors(story, pop, 9);
    await story.until(
      `${pop} to be unhealthy`,
      ({ checks }) => checks?.some((one) => one.verdict === "Unhealthy") ?? false,
      5 * MINUTE,
      pop,
    );
  };

  it("[P9] two PoPs in runs of the same number are each judged by their own query", async () => {
    const story = await region();
    for (const pop of ["fra1", "ber1"]) await story.want("2.0.0", pop);
    for (const pop of ["fra1", "ber1"]) await story.untilPassed("2.0.0", HOUR, pop);
    expect(story.status("ber1").run!.id).toBe(story.status("fra1").run!.id);
    errors(story, "ber1", 9);
    await story.untilOutcome("2.0.0 RolledBack", HOUR, "ber1");
    await story.pass(HOUR);
    expect(story.status("fra1").run).toMatchObject({ version: "2.0.0", state: "Passed" });
  });

  it("[P10] while a version is watched a PoP of the region on the old revision, bad since before our first write, excuses it for at most onUnknown.hold", async () => {
    const story = await region();
    await turnsBad(story, "ber1");
    await story.want("2.0.0");
    await story.untilPassed("2.0.0");
    errors(story, "fra1", 9);
    await story.until("the excuse", (status) => status.conditions?.some((one) => one.reason === "Excused") ?? false, 5 * MINUTE);
    const since = story.now;
    expect(story.status().holds?.find((hold) => hold.rule === "P10")).toMatchObject({
      message: "loss fails, and failed at ber1, of the same region and on 1.0.0, before the first write; that excuses 2.0.0 until then",
      until: expect.any(String),
    });
    await story.until("the verdict", (status) => status.run?.kind === "Rollback");
    expect(story.now - since).toBeGreaterThan(9 * MINUTE);
    expect(story.now - since).toBeLessThan(12 * MINUTE);
  });

  it("[P10] the excuse ends with the trouble of the neighbour: what still fails then is ours", async () => {
    const story = await region();
    await turnsBad(story, "ber1");
    await story.want("2.0.0");
    await story.untilPassed("2.0.0");
    errors(story, "fra1", 9);
    await story.until("the excuse", (status) => status.conditions?.some((one) => one.reason === "Excused") ?? false, 5 * MINUTE);
    // Its own samples say nothing new any more: only the neighbour's change can tell.
    await story.pass(4 * MINUTE);
    errors(story, "ber1", 0);
    await story.until("the verdict", (status) => status.run?.kind === "Rollback", 2 * MINUTE);
  });

  it("[P10] a PoP of the region that turned bad after our first write excuses nothing", async () => {
    const story = await region();
    await story.want("2.0.0");
    await story.untilStep("Updating");
    errors(story, "ber1", 9);
    await story.untilPassed("2.0.0");
    errors(story, "fra1", 9);
    await story.until("the verdict", (status) => status.run?.kind === "Rollback", 2 * MINUTE);
    expect(story.status().run!.cause).toMatch(/^loss: /);
  });

  it("[P10] a PoP of the region that is bad on the new revision excuses nothing, however long it has been so", async () => {
    const story = await region();
    await story.edit((spec) => ({ ...spec, rollback: { ...spec.rollback, automatic: false } }), "ber1");
    await story.want("2.0.0", "ber1");
    await story.untilPassed("2.0.0", HOUR, "ber1");
    await turnsBad(story, "ber1");
    await story.want("2.0.0");
    await story.untilPassed("2.0.0");
    errors(story, "fra1", 9);
    await story.until("the verdict", (status) => status.run?.kind === "Rollback", 2 * MINUTE);
    expect(story.versions("ber1")).toEqual(["2.0.0", "2.0.0"]);
  });
});
