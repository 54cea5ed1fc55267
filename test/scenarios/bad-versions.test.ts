import { describe, expect, it } from "vitest";
import { HOUR, MINUTE, SECOND, Story } from "./story.ts";

describe("a bad version", () => {
  it.each([
    ["no-pull", /ErrImagePull/],
    ["no-start", /CreateContainerError/],
    ["crash-loop", /exited 2 times/],
  ])("[P6] %s is found by what the kubelet says of the new pod, within seconds, and is taken back", async (behaviour, evidence) => {
    const story = await Story.begin();
    await story.want(`2.0.0-${behaviour}`);
    await story.untilStep("Updating");
    const since = story.now;
    await story.until("the verdict", (status) => (status.revisions?.failed?.length ?? 0) > 0);
    expect(story.now - since).toBeLessThan(30 * SECOND);
    await story.untilOutcome(`2.0.0-${behaviour} RolledBack`);
    expect(story.status().history?.at(-1)?.evidence).toMatch(evidence);
    expect(story.versions()).toEqual(["1.0.0", "1.0.0", "1.0.0"]);
    expect(story.claimed()).toEqual([]);
    expect(story.condition("Ready")).toMatchObject({ status: "False", reason: "VersionFailed" });
  });

  it("[P7] the story of a version whose health is bad: one node tried it, that node comes back, no other is touched", async () => {
    const story = await Story.begin();
    const untouched = story.pods().map((pod) => pod.metadata.uid);
    await story.want("2.0.0-bad-health");
    await story.untilOutcome("2.0.0-bad-health RolledBack");
    expect(story.reasons().slice(story.reasons().indexOf("RunStarted"))).toEqual([
      "RunStarted",
      "NodeUpdate",
      "NodeRetry",
      "RollbackStarted",
      "NodeRollback",
      "RolledBack",
    ]);
    expect(story.pods().filter((pod) => untouched.includes(pod.metadata.uid))).toHaveLength(2);
    const [failed] = story.status().revisions!.failed!;
    expect(story.narration().at(-1)).toBe(
      `RolledBack: every node runs 1.0.0 again; ${failed!.version} is not tried again unless a person names it`,
    );
  });

  it("[P6] a retry deletes the new pod once: with retries 2 three pods of the version are seen on the node, and no more", async () => {
    const story = await Story.begin({
      nodes: 2,
      pop: { strategy: { perNode: { expected: "2m", deadline: "5m", soak: "5s", retries: 2 } } },
    });
    await story.want("2.0.0-crash-loop");
    const pods = new Set<string>();
    await story.untilTrue("the rollback", () => {
      for (const pod of story.pods()) if (pod.spec.containers[0]!.image.includes("2.0.0")) pods.add(pod.metadata.uid);
      return story.outcomes().includes("2.0.0-crash-loop RolledBack");
    });
    expect(pods.size).toBe(3);
    expect(story.reasons().filter((reason) => reason === "NodeRetry")).toHaveLength(2);
  });

  it("[G8] a version equal to a failed one is not tried again, also not in later windows; another version goes through", async () => {
    const story = await Story.begin();
    await story.want("2.0.0-no-pull");
    await story.untilOutcome("2.0.0-no-pull RolledBack");
    await story.want("1.0.0");
    await story.pass(MINUTE);
    await story.want("2.0.0-no-pull");
    await story.untilHold("FailedBefore");
    await story.pass(15 * 24 * HOUR);
    expect(story.outcomes().filter((outcome) => outcome.startsWith("2.0.0-no-pull"))).toHaveLength(1);
    expect(story.status().holds?.[0]?.message).toMatch(
      /2\.0\.0-no-pull .* failed here at .*ErrImagePull.*set another version, or rollward retry fra1/,
    );
    await story.want("2.0.1");
    await story.untilPassed("2.0.1", 8 * 24 * HOUR);
    expect(story.versions()).toEqual(["2.0.1", "2.0.1", "2.0.1"]);
  });

  it("[G8] a person who names the failed revision has it tried again, once for each request; the verdict leaves the record too", async () => {
    const story = await Story.begin({ nodes: 2 });
    await story.want("2.0.0-crash-loop");
    await story.untilOutcome("2.0.0-crash-loop RolledBack");
    await story.pass(MINUTE);
    const failed = story.status().revisions!.failed![0]!.revision;
    await story.request("retry", failed);
    await story.until(
      "the second try",
      () => story.outcomes().filter((one) => one === "2.0.0-crash-loop RolledBack").length === 2,
      2 * HOUR,
    );
    await story.pass(2 * HOUR);
    expect(story.outcomes().filter((one) => one === "2.0.0-crash-loop RolledBack")).toHaveLength(2);
  });

  it("[G8] a verdict that was lost from status is taken over from the revision's record", async () => {
    const story = await Story.begin({ nodes: 2 });
    await story.want("2.0.0-no-pull");
    await story.untilOutcome("2.0.0-no-pull RolledBack");
    await story.pass(MINUTE);
    const { status } = story.pop();
    await story.world.while(
      story.world.kubectl.updateStatus(story.world.store.definitions().find((one) => one.kind.kind === "PoPCluster")!.kind, {
        ...story.pop(),
        status: { ...status, revisions: { ...status!.revisions, failed: [] } },
      } as never),
    );
    let tried = false;
    for (let second = 0; second < 600; second++) {
      await story.pass(SECOND);
      tried ||= story.versions().some((version) => version !== "1.0.0");
    }
    expect(tried).toBe(false);
    expect(story.status().revisions?.failed).toHaveLength(1);
    expect(story.outcomes().filter((one) => one.includes("RolledBack"))).toHaveLength(1);
  });

  it("[P7] a rollback whose target fails too is RollbackFailed: the node is named and kept out, others untouched, and a good version recovers it (L2)", async () => {
    const story = await Story.begin({ pop: { version: "1.0.0" } });
    await story.want("2.0.0-never-ready");
    await story.untilStep("Updating");
    // What was good before is so no longer: its image has gone from the registry of that node.
    story.world.registry.missing.add("registry.example/pop:1.0.0");
    await story.untilOutcome("2.0.0-never-ready RollbackFailed");
    const [node] = story.status().nodes!.filter((entry) => entry.step === "Failed");
    expect(story.status().history?.at(-1)?.evidence).toContain(`the rollback to 1.0.0 failed on node ${node!.name}`);
    expect(story.versions().filter((version) => version === "1.0.0")).toHaveLength(2);
    expect(story.condition("Ready")).toMatchObject({ status: "False", reason: "RollbackFailed" });
    await story.pass(HOUR);
    expect(story.versions().filter((version) => version === "1.0.0")).toHaveLength(2);
    await story.want("3.0.0");
    await story.untilPassed("3.0.0", 8 * 24 * HOUR);
    expect(story.versions()).toEqual(["3.0.0", "3.0.0", "3.0.0"]);
    expect(story.claimed()).toEqual([]);
    expect(story.condition("Ready")).toMatchObject({ status: "True" });
  });

  it("[P7] [P1] a rollback that fails with several nodes in hand ends when none is: every one is named or back, and a good version recovers them all", async () => {
    const story = await Story.begin({ nodes: 4 });
    await story.want("2.0.0-bad-after-1h");
    await story.untilPassed("2.0.0-bad-after-1h");
    story.world.registry.missing.add("registry.example/pop:1.0.0");
    await story.untilOutcome("2.0.0-bad-after-1h RollbackFailed", 3 * HOUR);
    expect(story.status().nodes?.filter((node) => ["Claimed", "Updating"].includes(node.step))).toEqual([]);
    await story.want("3.0.0");
    await story.untilPassed("3.0.0", 8 * 24 * HOUR);
    expect(story.versions()).toEqual(["3.0.0", "3.0.0", "3.0.0", "3.0.0"]);
    expect(story.claimed()).toEqual([]);
  });

  it("[P7] a rollback that fails while another node soaks ends when that one is Done, and names the one that failed; who had not begun stays", async () => {
    const story = await Story.begin({
      nodes: 3,
      pop: { strategy: { perNode: { expected: "2m", deadline: "5m", soak: "10m", retries: 0 } } },
    });
    await story.want("2.0.0");
    await story.untilPassed("2.0.0");
    await story.request("takeBack");
    await story.until("a node back", ({ run, nodes }) => run?.kind === "Rollback" && nodes!.some((node) => node.step === "Soaking"));
    story.world.registry.missing.add("registry.example/pop:1.0.0");
    await story.untilOutcome("2.0.0 RollbackFailed");
    expect(
      story
        .status()
        .nodes?.map((node) => node.step)
        .toSorted(),
    ).toEqual(["Done", "Failed", "Pending"]);
    const [failed] = story.status().nodes!.filter((node) => node.step === "Failed");
    expect(story.status().history?.at(-1)?.evidence).toContain(`the rollback to 1.0.0 failed on node ${failed!.name}`);
  });

  it("[P6] rollback.automatic false: the verdict stands, nothing more starts, the node stays as it is until a person takes it back", async () => {
    const story = await Story.begin({ pop: { rollback: { automatic: false } } });
    await story.want("2.0.0-bad-health");
    await story.until("the verdict", (status) => (status.revisions?.failed?.length ?? 0) > 0);
    await story.pass(2 * HOUR);
    expect(story.condition("Progressing")).toMatchObject({ status: "False", reason: "Stopped" });
    expect(story.condition("Ready")).toMatchObject({ status: "False", reason: "VersionFailed" });
    expect(story.holds()).toContain("FailedBefore");
    expect(story.versions().filter((version) => version === "1.0.0")).toHaveLength(2);
    await story.request("takeBack");
    await story.untilOutcome("2.0.0-bad-health RolledBack", 8 * 24 * HOUR);
    expect(story.versions()).toEqual(["1.0.0", "1.0.0", "1.0.0"]);
  });

  it("[P5] a node that gets another image under the same tag fails: ImageChanged", async () => {
    const story = await Story.begin();
    await story.want("2.0.0");
    await story.until("the first node", (status) => status.nodes?.some((node) => node.step === "Soaking") ?? false);
    story.world.registry.moved.add("registry.example/pop:2.0.0");
    await story.untilOutcome("2.0.0 RolledBack");
    expect(story.status().history?.at(-1)?.evidence).toContain("ImageChanged");
  });
});

describe("a first version", () => {
  it("[P16] that fails stops, FirstVersion, with nothing to go back to; another version heals it without a window", async () => {
    const story = await Story.begin({ firstVersion: false, pop: { version: "1.0.0-crash-loop" }, start: "2026-11-24T12:00:00Z" });
    await story.untilHold("FirstVersion");
    expect(story.condition("Ready")).toMatchObject({ status: "False", reason: "FirstVersionFailed" });
    await story.pass(HOUR);
    expect(story.status().nodes?.filter((node) => node.step === "Done")).toEqual([]);
    await story.want("1.0.1");
    await story.untilPassed("1.0.1");
    expect(story.versions()).toEqual(["1.0.1", "1.0.1", "1.0.1"]);
    expect(story.condition("Ready")).toMatchObject({ status: "True", reason: "Serving" });
  });

  it("[P16] that failed on its last node is retried on request: the nodes that serve keep their pods", async () => {
    const story = await Story.begin({ firstVersion: false, start: "2026-11-24T12:00:00Z" });
    await story.until("two nodes to serve", (status) => status.nodes?.filter((node) => node.step === "Done").length === 2);
    story.world.registry.missing.add("registry.example/pop:1.0.0");
    await story.untilHold("FirstVersion");
    const serving = story
      .pods()
      .filter((pod) => pod.status?.conditions?.some((one) => one.type === "Ready" && one.status === "True"))
      .map((pod) => pod.metadata.uid);
    expect(serving).toHaveLength(2);
    story.world.registry.missing.clear();
    await story.request("retry");
    await story.untilPassed("1.0.0");
    expect(story.pods().map((pod) => pod.metadata.uid)).toEqual(expect.arrayContaining(serving));
  });
});
