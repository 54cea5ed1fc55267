import { describe, expect, it } from "vitest";
import { NODE, type NodeObject } from "../../src/control/kinds.ts";
import { UPDATING_TAINT } from "../../src/api/names.ts";
import { DAY, HOUR, MINUTE, RARELY, Story } from "./story.ts";

const cordoned = (story: Story) =>
  story
    .nodes()
    .filter((node) => node.spec?.unschedulable)
    .map((node) => node.metadata.name);

describe("what people do to nodes", () => {
  it("[P3b] [G10] a cordon before the roll: with maxUnavailable 1 nothing starts, BudgetExhausted, naming the node; uncordoned, the roll goes through", async () => {
    const story = await Story.begin();
    await story.cordon("fra1-n2");
    await story.want("2.0.0");
    await story.untilHold("BudgetExhausted");
    expect(story.status().holds?.[0]?.message).toContain("fra1-n2");
    await story.pass(HOUR);
    expect(story.versions()).toEqual(["1.0.0", "1.0.0", "1.0.0"]);
    expect(cordoned(story)).toEqual(["fra1-n2"]);
    await story.cordon("fra1-n2", false);
    await story.untilRolled("2.0.0");
  });

  it("[P3b] with maxUnavailable 2 a cordoned node is left out, Skipped, and follows in a run of its own window when the cordon is lifted; the cordon stays as long as the person wants", async () => {
    const story = await Story.begin({ nodes: 4, pop: { strategy: { maxUnavailable: 2, watch: "336h" }, health: RARELY } });
    await story.cordon("fra1-n2");
    await story.want("2.0.0");
    await story.untilPassed("2.0.0");
    expect(story.versions()).toEqual(["2.0.0", "1.0.0", "2.0.0", "2.0.0"]);
    expect(story.status().nodes?.find((node) => node.name === "fra1-n2")).toMatchObject({ step: "Skipped", skipped: "CordonedByPerson" });
    expect(cordoned(story)).toEqual(["fra1-n2"]);
    await story.pass(5 * HOUR);
    await story.cordon("fra1-n2", false);
    await story.pass(DAY);
    expect(story.versions()[1]).toBe("1.0.0");
    await story.untilTrue("the late node", () => story.versions()[1] === "2.0.0", 8 * DAY);
    expect(new Date(story.now).getUTCDay()).toBe(0);
    await story.untilPassed("2.0.0");
    expect(story.status().run?.id, "the watched run has taken it in").toBe(2);
    expect(story.outcomes()).toEqual(["1.0.0 Promoted"]);
    expect(story.status().nodes?.map((node) => node.step)).toEqual(["Done", "Done", "Done", "Done"]);
  });

  it("[G10] [P3b] a cordon on the node in hand changes nothing of its step and stays afterwards", async () => {
    const story = await Story.begin();
    await story.want("2.0.0");
    const node = await story.untilStep("Claimed");
    await story.cordon(node);
    await story.until("the node to be done", (status) =>
      ["Soaking", "Done"].includes(status.nodes?.find((entry) => entry.name === node)?.step ?? ""),
    );
    expect(cordoned(story)).toEqual([node]);
    await story.cordon(node, false);
    await story.untilRolled("2.0.0");
  });

  it("[G10] taints, labels and annotations of others stay as they are through a whole roll", async () => {
    const story = await Story.begin();
    await story.change<NodeObject>(NODE, "fra1-n1", (node) => ({
      ...node,
      metadata: {
        ...node.metadata,
        labels: { ...node.metadata.labels, rack: "b7" },
        annotations: { ...node.metadata.annotations, owner: "ops" },
      },
      spec: { ...node.spec, taints: [{ key: "dedicated", value: "pop", effect: "PreferNoSchedule" }] },
    }));
    await story.want("2.0.0");
    await story.untilRolled("2.0.0");
    const node = story.read<NodeObject>(NODE, "fra1-n1")!;
    expect(node.metadata.labels).toMatchObject({ rack: "b7" });
    expect(node.metadata.annotations).toMatchObject({ owner: "ops" });
    expect(node.spec?.taints).toEqual([{ key: "dedicated", value: "pop", effect: "PreferNoSchedule" }]);
    expect(node.spec?.taints?.some((taint) => taint.key === UPDATING_TAINT)).toBe(false);
  });
});

describe("what people ask for", () => {
  it("[P12] stop: the node in hand finishes, the PoP stays mixed and watched; retry lets it go on with the others", async () => {
    const story = await Story.begin({ nodes: 4 });
    await story.want("2.0.0");
    await story.untilStep("Soaking");
    await story.request("stop");
    await story.pass(20 * MINUTE);
    const mixed = story.versions();
    expect(new Set(mixed)).toEqual(new Set(["1.0.0", "2.0.0"]));
    expect(story.condition("Progressing")).toMatchObject({ status: "False", reason: "Stopped" });
    expect(story.status().grant?.state).toBe("Returned");
    expect(story.status().checks?.some((check) => check.name === "ready" && check.verdict === "Healthy")).toBe(true);
    await story.request("retry");
    await story.untilRolled("2.0.0");
  });

  it("[P12] a stopped version is still watched: one that turns bad is taken back", async () => {
    const story = await Story.begin({ nodes: 3 });
    await story.want("2.0.0-bad-after-1h");
    await story.untilStep("Soaking");
    await story.request("stop");
    await story.untilOutcome("2.0.0-bad-after-1h RolledBack", 3 * HOUR);
    expect(story.versions()).toEqual(["1.0.0", "1.0.0", "1.0.0"]);
  });

  it("[P12] after a stop another version rolls every node, and what was stopped stands in the history", async () => {
    const story = await Story.begin({ nodes: 3 });
    await story.want("2.0.0");
    await story.untilStep("Soaking");
    await story.request("stop");
    await story.pass(MINUTE);
    await story.want("3.0.0");
    await story.untilPassed("3.0.0");
    expect(story.outcomes()).toEqual(["1.0.0 Promoted", "2.0.0 Stopped"]);
    expect(story.versions()).toEqual(["3.0.0", "3.0.0", "3.0.0"]);
  });

  it("[G8] a take-back gives the verdict, at once and once: the same request is not carried out again after a retry", async () => {
    const story = await Story.begin();
    await story.want("2.0.0");
    await story.untilStep("Soaking");
    await story.request("takeBack");
    await story.untilOutcome("2.0.0 RolledBack");
    expect(story.status().revisions?.failed?.[0]?.evidence).toMatch(/^taken back by a person at /);
    await story.request("retry", story.status().revisions!.failed![0]!.revision);
    await story.untilPassed("2.0.0");
    await story.pass(10 * MINUTE);
    expect(story.versions()).toEqual(["2.0.0", "2.0.0", "2.0.0"]);
  });

  it.each([
    ["takeBack", "no version is being rolled or watched"],
    ["stop", "no roll is under way"],
    ["retry", "neither failed nor was stopped here"],
  ] as const)("a request without anything to do (%s) is answered once with a sentence and changes nothing", async (verb, sentence) => {
    const story = await Story.begin({ start: "2026-11-21T00:30:00Z", pop: { health: RARELY } });
    await story.untilOutcome("1.0.0 Promoted", 2 * DAY);
    await story.request(verb);
    await story.pass(10 * MINUTE);
    expect(story.narration().filter((one) => one.startsWith("RequestIgnored"))).toEqual([expect.stringContaining(sentence)]);
    expect(story.versions()).toEqual(["1.0.0", "1.0.0", "1.0.0"]);
  });
});

describe("a spec that changes in mid-roll", () => {
  it("[P12] a newer version: nobody starts the old one any more, the node in hand finishes, the newer takes all; the rollback target stays what the whole PoP ran", async () => {
    const story = await Story.begin({ nodes: 4 });
    await story.want("2.0.0");
    const back = story.status().revisions!.current;
    await story.until(
      "the second node",
      ({ nodes, run }) =>
        run?.version === "2.0.0" &&
        nodes?.filter((node) => node.step === "Done" && node.revision === run.revision).length === 1 &&
        nodes.some((node) => node.step === "Updating"),
    );
    await story.want("3.0.0");
    await story.untilOutcome("2.0.0 Superseded");
    expect(story.status().run).toMatchObject({ version: "3.0.0", back });
    expect(story.versions().filter((version) => version === "2.0.0").length).toBeLessThanOrEqual(2);
    await story.untilPassed("3.0.0");
    expect(story.versions()).toEqual(["3.0.0", "3.0.0", "3.0.0", "3.0.0"]);
  });

  /** Two of four nodes on `superseded`; then a newer version that fails at once and is taken back, while the PoP is paused from its verdict on. */
  const newerTakenBack = async (superseded: string): Promise<Story> => {
    const story = await Story.begin({ nodes: 4 });
    await story.want(superseded);
    await story.until(
      "two nodes on it",
      ({ run, nodes }) =>
        run?.version === superseded && nodes!.filter((node) => node.step === "Done" && node.revision === run.revision).length === 2,
    );
    await story.want("3.0.0-bad-health");
    await story.until("the verdict on the newer", ({ run }) => run?.kind === "Rollback");
    await story.edit((spec) => ({ ...spec, paused: true }));
    await story.untilOutcome("3.0.0-bad-health RolledBack");
    expect(story.versions().filter((version) => version === superseded).length).toBeGreaterThan(0);
    expect(new Set(story.versions())).toEqual(new Set(["1.0.0", superseded]));
    return story;
  };

  it("[P12] [P16] the newer version taken back: nodes on the superseded one are watched, and brought to the PoP's revision when the brakes allow", async () => {
    const story = await newerTakenBack("2.0.0");
    const left = story.nodes().filter((_, index) => story.versions()[index] === "2.0.0");
    await story.pass(30 * MINUTE);
    expect(story.holds()).toEqual(expect.arrayContaining(["FailedBefore", "Paused"]));
    for (const { metadata } of left)
      expect(story.status().checks?.find((check) => check.name === "ready" && check.node === metadata.name)?.verdict).toBe("Healthy");
    expect(story.versions().filter((version) => version === "2.0.0")).toHaveLength(left.length);
    await story.edit((spec) => ({ ...spec, paused: false }));
    await story.untilTrue("1.0.0 everywhere", () => story.versions().every((version) => version === "1.0.0"));
    await story.until("the way home to have passed", ({ run }) => run?.state === "Passed");
    expect(story.outcomes()).toEqual(["1.0.0 Promoted", "2.0.0 Superseded", "3.0.0-bad-health RolledBack"]);
    expect(story.status().revisions!.failed!.map((one) => one.version)).toEqual(["3.0.0-bad-health"]);
    expect(story.holds()).toContain("FailedBefore");
    expect(story.narration().find((one) => one.includes("still run 2.0.0"))).toMatch(
      /^RunStarted: fra1-n\d( and fra1-n\d)? still run 2\.0\.0, which was superseded in mid-roll; they are watched, and go to 1\.0\.0 when the window allows$/,
    );
  });

  it("[P12] [P8] the newer version taken back: the superseded one turns bad on the nodes that wait, and is taken back at once to what the whole PoP ran", async () => {
    const story = await newerTakenBack("2.0.0-bad-after-1h");
    await story.untilOutcome("2.0.0-bad-after-1h RolledBack", 3 * HOUR);
    expect(story.versions()).toEqual(["1.0.0", "1.0.0", "1.0.0", "1.0.0"]);
    expect(story.status().revisions!.failed!.map((one) => one.version)).toEqual(["3.0.0-bad-health", "2.0.0-bad-after-1h"]);
    expect(story.status().history!.at(-1)!.evidence).toMatch(/^node fra1-n\d: /);
    expect(story.status().run).toBeUndefined();
  });

  it("[P12] the newer version taken back: a person's take-back, and a version after both, find the nodes on the superseded one", async () => {
    const taken = await newerTakenBack("2.0.0");
    await taken.request("takeBack");
    await taken.untilOutcome("2.0.0 RolledBack");
    expect(taken.versions()).toEqual(["1.0.0", "1.0.0", "1.0.0", "1.0.0"]);
    const story = await newerTakenBack("2.0.0");
    await story.want("4.0.0");
    await story.edit((spec) => ({ ...spec, paused: false }));
    await story.untilPassed("4.0.0");
    expect(story.versions()).toEqual(["4.0.0", "4.0.0", "4.0.0", "4.0.0"]);
    expect(story.status().run?.back).toBe(story.status().history![0]!.revision);
    expect(story.outcomes()).toEqual(["1.0.0 Promoted", "2.0.0 Superseded", "3.0.0-bad-health RolledBack"]);
  });

  it("[P16] [G8] a node back from the dead on an old revision is brought home also while what is wanted has failed here", async () => {
    const story = await Story.begin({ nodes: 4, pop: { strategy: { notReadyBefore: "Exclude" } } });
    await story.world.nodes.kill("fra1-n3");
    await story.pass(10_000);
    await story.want("2.0.0");
    await story.untilPassed("2.0.0");
    await story.want("3.0.0-bad-health");
    await story.untilOutcome("3.0.0-bad-health RolledBack");
    expect(story.holds()).toContain("FailedBefore");
    await story.world.while(story.world.nodes.reboot("fra1-n3"));
    await story.untilTrue("2.0.0 everywhere", () => story.versions().join() === "2.0.0,2.0.0,2.0.0,2.0.0");
  });

  it("[P12] back to the version before in mid-roll: the nodes that were moved go back to it, the others are not touched", async () => {
    const story = await Story.begin({ nodes: 4 });
    await story.want("2.0.0");
    await story.untilStep("Soaking");
    const untouched = story
      .pods()
      .filter((pod) => pod.spec.containers[0]!.image.endsWith("1.0.0"))
      .map((pod) => pod.metadata.uid);
    await story.want("1.0.0");
    await story.untilTrue(
      "1.0.0 everywhere",
      () => story.versions().every((version) => version === "1.0.0") && story.claimed().length === 0,
    );
    expect(story.pods().map((pod) => pod.metadata.uid)).toEqual(expect.arrayContaining(untouched.slice(0, 3)));
    await story.pass(10 * MINUTE);
    expect(story.versions()).toEqual(["1.0.0", "1.0.0", "1.0.0", "1.0.0"]);
  });

  it("[P12] [G14] wanted and unwanted again before the first node: no run is left, the grant is returned, nothing was touched", async () => {
    const story = await Story.begin({ pops: ["fra1", "ber1"], fleet: { maxConcurrentPoPs: 1 } });
    await story.want("2.0.0", "ber1");
    await story.until("ber1 to roll", (status) => status.run?.state === "Rolling", HOUR, "ber1");
    await story.want("2.0.0");
    await story.untilHold("RegionBusy");
    expect(story.status().grant?.state).toBe("Asked");
    await story.want("1.0.0");
    await story.until("the grant to be given back", (status) => status.grant?.state === "Returned", MINUTE);
    expect(story.status().run?.version ?? "1.0.0").toBe("1.0.0");
    await story.untilPassed("2.0.0", HOUR, "ber1");
    expect(story.versions()).toEqual(["1.0.0", "1.0.0", "1.0.0"]);
  });

  it("[P12] the template changed without the version is another revision: it rolls with all rules and can be taken back", async () => {
    const story = await Story.begin();
    const before = story.status().revisions!.current;
    await story.edit((spec) => ({ ...spec, template: { ...spec.template, metadata: { annotations: { tuning: "b" } } } }));
    await story.until(
      "the other revision on all nodes",
      ({ run }) => run?.kind === "Roll" && run.state === "Passed" && run.revision !== before,
    );
    expect(story.status().run?.version).toBe("1.0.0");
    await story.request("takeBack");
    await story.until("the revision before", (status) => status.revisions?.current === before && !status.run);
    expect(story.outcomes()).toEqual(["1.0.0 Promoted", "1.0.0 RolledBack"]);
  });

  it("[G4] maxUnavailable is read live: lowered in mid-roll it holds from the next node on, and the order stays what was frozen", async () => {
    const story = await Story.begin({ nodes: 6, pop: { strategy: { maxUnavailable: 3 } } });
    await story.want("2.0.0");
    await story.until(
      "three in hand",
      (status) => status.nodes?.filter((node) => ["Claimed", "Updating"].includes(node.step)).length === 3,
    );
    const { order } = story.status().run!.frozen;
    await story.edit((spec) => ({ ...spec, strategy: { ...spec.strategy, maxUnavailable: 1 } }));
    await story.until(
      "the three to be finished or given back",
      (status) => status.nodes!.filter((node) => ["Claimed", "Updating"].includes(node.step)).length <= 1,
    );
    let most = 0;
    await story.until("the end", ({ nodes = [], run }) => {
      most = Math.max(most, nodes.filter((node) => ["Claimed", "Updating"].includes(node.step)).length);
      return run?.state === "Baking";
    });
    expect(most).toBe(1);
    expect(story.status().run!.frozen.order).toEqual(order);
  });

  it("[G4] maxUnavailable raised in mid-roll counts from the next run on: the stricter of frozen and live", async () => {
    const story = await Story.begin({ nodes: 4 });
    const mostInHand = async (version: string) => {
      let most = 0;
      await story.until(`the end of ${version}`, ({ nodes = [], run }) => {
        most = Math.max(most, nodes.filter((node) => ["Claimed", "Updating"].includes(node.step)).length);
        return run?.version === version && run.state === "Passed";
      });
      return most;
    };
    await story.want("2.0.0");
    await story.untilStep("Updating");
    await story.edit((spec) => ({ ...spec, strategy: { ...spec.strategy, maxUnavailable: 2 } }));
    expect(await mostInHand("2.0.0")).toBe(1);
    await story.want("3.0.0");
    expect(await mostInHand("3.0.0")).toBe(2);
  });

  it("[V3] an older version holds, OlderVersion, and starts nothing; back to what runs is no downgrade and quiet; a newer one goes through", async () => {
    const story = await Story.begin({ nodes: 2 });
    await story.want("2.0.0");
    await story.untilPassed("2.0.0");
    await story.want("1.5.0");
    await story.untilHold("OlderVersion");
    expect(story.condition("Accepted")).toMatchObject({ status: "False", reason: "OlderVersion" });
    const sets = story.daemonSets().length;
    await story.pass(8 * DAY);
    expect(story.versions()).toEqual(["2.0.0", "2.0.0"]);
    expect(story.daemonSets()).toHaveLength(sets);
    expect(story.reasons().filter((reason) => reason === "RunStarted")).toHaveLength(1);
    await story.want("2.0.0");
    await story.until("nothing to hold it", (status) => (status.holds ?? []).length === 0, MINUTE);
    expect(story.condition("Accepted")).toMatchObject({ status: "True" });
    await story.want("2.0.1");
    await story.untilPassed("2.0.1", 8 * DAY);
  });

  it("[V3] [P12] in mid-roll a version between the two stops the roll and starts nothing; after a take-back it is newer than what runs, and rolls", async () => {
    const story = await Story.begin({ nodes: 3 });
    await story.want("3.0.0");
    await story.untilStep("Soaking");
    await story.want("2.0.0");
    await story.untilHold("OlderVersion");
    await story.pass(20 * MINUTE);
    expect(new Set(story.versions())).toEqual(new Set(["1.0.0", "3.0.0"]));
    expect(story.condition("Progressing")).toMatchObject({ status: "False", reason: "Superseded" });
    await story.request("takeBack");
    await story.untilOutcome("3.0.0 RolledBack");
    await story.untilPassed("2.0.0");
    expect(story.versions()).toEqual(["2.0.0", "2.0.0", "2.0.0"]);
  });

  it("[V3] a revert to what the PoP runs after a version failed is quiet", async () => {
    const story = await Story.begin({ nodes: 2 });
    await story.want("2.0.0-crash-loop");
    await story.untilOutcome("2.0.0-crash-loop RolledBack");
    const runs = story.status().runs;
    await story.want("1.0.0");
    await story.pass(10 * MINUTE);
    expect(story.holds()).toEqual([]);
    expect(story.status().runs).toBe(runs);
  });

  it("[P7] [P12] a new version set while a rollback goes on waits until it has ended", async () => {
    const story = await Story.begin({ nodes: 4 });
    await story.want("2.0.0");
    await story.untilPassed("2.0.0");
    await story.request("takeBack");
    await story.until(
      "the rollback",
      (status) => status.run?.kind === "Rollback" && status.nodes!.some((node) => node.step === "Updating"),
    );
    await story.want("3.0.0");
    let started = false;
    await story.untilTrue("the end of the rollback", () => {
      started ||= story.versions().includes("3.0.0");
      return story.outcomes().includes("2.0.0 RolledBack");
    });
    expect(started).toBe(false);
    await story.untilPassed("3.0.0");
  });
});
