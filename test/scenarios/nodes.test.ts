import { describe, expect, it } from "vitest";
import { NODE, type NodeObject, POD, POD_DISRUPTION_BUDGET } from "../../src/control/kinds.ts";
import type { Draft, KubernetesObject } from "../../src/control/ports.ts";
import { nodeSpecs } from "../../src/simulation/nodes/node-fleet.ts";
import { DATA_PLANE_NAMESPACE } from "../../src/simulation/world.ts";
import { DAY, HOUR, MINUTE, RARELY, SECOND, Story } from "./story.ts";

describe("nodes that die", () => {
  it("[P2] [P1] a dead node fills the budget: the roll says BudgetExhausted and names it, and goes on when it is back", async () => {
    const story = await Story.begin({ nodes: 4 });
    await story.world.nodes.kill("fra1-n3");
    await story.pass(10 * SECOND);
    await story.want("2.0.0");
    await story.untilHold("BudgetExhausted");
    expect(
      story
        .status()
        .holds?.map((hold) => hold.message)
        .join(),
    ).toContain("fra1-n3");
    await story.pass(30 * MINUTE);
    expect(story.versions().filter((version) => version === "2.0.0")).toEqual([]);
    await story.world.while(story.world.nodes.reboot("fra1-n3"));
    await story.untilRolled("2.0.0");
  });

  it("[P2] notReadyBefore Exclude: a node NotReady before the roll is Skipped and leaves the budget to the others; back from the dead it follows", async () => {
    const story = await Story.begin({ nodes: 4, pop: { strategy: { notReadyBefore: "Exclude", watch: "336h" }, health: RARELY } });
    await story.world.nodes.kill("fra1-n3");
    await story.pass(10 * SECOND);
    await story.want("2.0.0");
    await story.untilPassed("2.0.0");
    expect(story.versions()).toEqual(["2.0.0", "2.0.0", "-", "2.0.0"]);
    expect(story.status().nodes?.find((node) => node.name === "fra1-n3")).toMatchObject({ step: "Skipped", skipped: "NotReadyBefore" });
    await story.world.while(story.world.nodes.reboot("fra1-n3"));
    await story.untilTrue("it to follow", () => story.versions()[2] === "2.0.0", 8 * DAY);
  });

  it("[P6] a node that dies in mid-update while others on the version are healthy is no evidence: the roll holds, HealthUnknown, until it is back", async () => {
    const story = await Story.begin({ nodes: 3 });
    await story.want("2.0.0");
    await story.until(
      "the second node",
      ({ nodes, run }) =>
        run?.version === "2.0.0" &&
        nodes!.some((node) => node.step === "Done" && node.revision === run.revision) &&
        nodes!.some((node) => node.step === "Updating"),
    );
    const { name } = story.status().nodes!.find((node) => node.step === "Updating")!;
    await story.world.nodes.kill(name);
    await story.pass(20 * MINUTE);
    expect(story.reasons()).not.toContain("RollbackStarted");
    expect(story.status().holds?.find((hold) => hold.rule === "P6")?.message).toContain(
      `node ${name} is not Ready in the API server's eyes`,
    );
    await story.world.while(story.world.nodes.reboot(name));
    await story.untilRolled("2.0.0");
  });

  it("[P8] [P6] one dead node of many stops neither bake nor watch", async () => {
    const story = await Story.begin({ nodes: 4, pop: { strategy: { bake: "5m" } } });
    await story.want("2.0.0");
    await story.untilRolled("2.0.0");
    await story.world.nodes.kill("fra1-n3");
    await story.untilPassed("2.0.0", 10 * MINUTE);
  });

  it("[P9] most nodes dead at once is a PoP that cannot be reached: held, nothing taken back", async () => {
    const story = await Story.begin({ nodes: 4 });
    await story.want("2.0.0");
    await story.untilPassed("2.0.0");
    for (const name of ["fra1-n1", "fra1-n2", "fra1-n3"]) await story.world.nodes.kill(name);
    await story.pass(20 * MINUTE);
    expect(story.reasons()).not.toContain("RollbackStarted");
    expect(
      story
        .status()
        .holds?.map((hold) => hold.message)
        .join(),
    ).toContain("the PoP cannot be reached");
    for (const name of ["fra1-n1", "fra1-n2", "fra1-n3"]) await story.world.while(story.world.nodes.reboot(name));
    await story.untilTrue("all to be well", () => story.holds().length === 0 && story.versions().join() === "2.0.0,2.0.0,2.0.0,2.0.0");
  });

  it("[P7] [P1] a rollback with a dead node among those to go back: the crashing ones come back first, the dead one is waited for", async () => {
    const story = await Story.begin({ nodes: 3 });
    await story.want("2.0.0-bad-after-1h");
    await story.untilPassed("2.0.0-bad-after-1h");
    await story.world.nodes.kill("fra1-n2");
    await story.until("the verdict", (status) => status.run?.kind === "Rollback", 3 * HOUR);
    await story.untilTrue("the two that live to be back", () => story.versions().filter((version) => version === "1.0.0").length === 2);
    await story.pass(HOUR);
    expect(story.outcomes()).not.toContain("2.0.0-bad-after-1h RollbackFailed");
    await story.world.while(story.world.nodes.reboot("fra1-n2"));
    await story.untilOutcome("2.0.0-bad-after-1h RolledBack");
    expect(story.versions()).toEqual(["1.0.0", "1.0.0", "1.0.0"]);
  });
});

describe("nodes that reboot", () => {
  const restartsOf = (story: Story, node: string) =>
    story.pods().find((pod) => pod.spec.nodeName === node)?.status?.containerStatuses?.[0]?.restartCount ?? 0;

  it("[P8] [P6] in seconds while their version is watched, and fail their check twice: Unknown, HealthUnknown, and nothing is taken back", async () => {
    const story = await Story.begin({ nodes: 3 });
    await story.want("2.0.0-slow");
    await story.untilPassed("2.0.0-slow");
    for (const name of ["fra1-n2", "fra1-n2", "fra1-n2"]) {
      await story.world.while(story.world.nodes.reboot(name));
      await story.untilHold("HealthUnknown", MINUTE);
      expect(story.status().holds![0]!.message).toContain(`node ${name} was rebooted at`);
      await story.untilTrue("it to be well", () => story.holds().length === 0, MINUTE);
      await story.pass(10 * MINUTE);
    }
    expect(restartsOf(story, "fra1-n2")).toBe(3);
    expect(story.reasons()).not.toContain("RollbackStarted");
    expect(story.condition("VersionHealthy")).toMatchObject({ status: "True" });
  });

  it("[P6] twice in the attempt that updates them are no crash loop: no retry, no verdict", async () => {
    const story = await Story.begin({ nodes: 3 });
    await story.want("2.0.0-slow");
    const name = await story.untilStep("Updating");
    for (const restarts of [1, 2]) {
      await story.untilTrue("the new pod to start", () => story.plane(name)?.identity.version === "2.0.0");
      await story.world.while(story.world.nodes.reboot(name));
      await story.untilTrue("its restart to be counted", () => restartsOf(story, name) === restarts, MINUTE);
    }
    await story.untilPassed("2.0.0-slow");
    expect(story.reasons()).not.toContain("NodeRetry");
  });

  it("[P9] [P6] and fail several together are evidence: the version is taken back", async () => {
    const story = await Story.begin({ nodes: 3 });
    await story.want("2.0.0-slow");
    await story.untilPassed("2.0.0-slow");
    await story.world.while(Promise.all(["fra1-n1", "fra1-n2"].map((name) => story.world.nodes.reboot(name))));
    await story.untilOutcome("2.0.0-slow RolledBack");
  });

  it("[P6] and do not come back are told once after perNode.deadline, and the watch goes on", async () => {
    const story = await Story.begin({ nodes: 4, pop: { health: RARELY } });
    await story.want("2.0.0");
    await story.untilPassed("2.0.0");
    await story.world.nodes.kill("fra1-n3");
    const told = () => story.narration().filter((one) => one.startsWith("HealthUnknown: node fra1-n3 has not been Ready for 5m"));
    await story.pass(4 * MINUTE);
    expect(told()).toEqual([]);
    await story.pass(2 * HOUR);
    expect(told()).toHaveLength(1);
    await story.untilOutcome("2.0.0 Promoted", 2 * DAY);
  });
});

describe("nodes that come and go", () => {
  it("[P16] [G6] a node re-created under its name in mid-step: the old one is Skipped(Gone), its place counts as out until the new one serves, and it ends on the version", async () => {
    const story = await Story.begin({ nodes: 3, pop: { strategy: { watch: "336h" }, health: RARELY } });
    await story.want("2.0.0");
    const name = await story.untilStep("Updating");
    await story.world.while(story.world.nodes.remove(name));
    await story.until("Skipped(Gone)", (status) => status.nodes?.some((node) => node.skipped === "Gone") ?? false);
    await story.pass(10 * MINUTE);
    expect(story.claimed()).toEqual([]);
    expect(story.holds()).toContain("BudgetExhausted");
    expect(
      story
        .status()
        .holds!.map((hold) => hold.message)
        .join(),
    ).toContain("1 gone and not replaced by a node that serves");
    await story.world.while(story.world.nodes.start(nodeSpecs("fra1", 3).filter((spec) => spec.name === name)));
    await story.untilTrue("all on 2.0.0", () => story.versions().every((version) => version === "2.0.0"), 8 * DAY);
    expect(story.status().nodes?.some((node) => node.skipped === "Gone")).toBe(false);
  });

  it("[P16] [P1] a node lost while only some of the nodes move counts as out: who served before the run and stays where he is replaces nobody", async () => {
    const story = await Story.begin({ nodes: 5 });
    await story.want("2.0.0");
    await story.until(
      "three of five on 2.0.0",
      ({ run, nodes }) =>
        run?.version === "2.0.0" && nodes!.filter((node) => node.step === "Done" && node.revision === run.revision).length === 3,
    );
    await story.want("1.0.0");
    await story.until("the way back to 1.0.0, which moves only some", ({ run }) => run?.version === "1.0.0" && run.state === "Rolling");
    const { order, members } = story.status().run!.frozen;
    expect([order.length, members.length]).toEqual([3, 5]);
    const lost = members.find((member) => member.uid === order[1])!.name;
    await story.world.while(story.world.nodes.remove(lost));
    await story.untilHold("BudgetExhausted");
    const [hold] = story.status().holds!.filter((one) => one.reason === "BudgetExhausted");
    expect(hold!.message).toContain("1 gone and not replaced by a node that serves");
    await story.pass(20 * MINUTE);
    expect(story.claimed()).toEqual([]);
    expect(story.serving()).toHaveLength(4);
    await story.world.while(story.world.nodes.start(nodeSpecs("fra1", 5).filter((spec) => spec.name === lost)));
    await story.untilTrue("all on 1.0.0", () => story.versions().every((version) => version === "1.0.0"), 2 * HOUR);
    expect(story.versions()).toHaveLength(5);
  });

  it("[P16] a person says by retry that a node is gone for good: the roll goes on without it", async () => {
    const story = await Story.begin({ nodes: 3 });
    await story.want("2.0.0");
    const name = await story.untilStep("Updating");
    await story.world.while(story.world.nodes.remove(name));
    await story.untilHold("BudgetExhausted");
    await story.request("retry");
    await story.untilPassed("2.0.0");
    expect(story.versions()).toEqual(["2.0.0", "2.0.0"]);
  });

  it("[P16] [P12] a node re-created in mid-roll that still joins when a newer version takes the run's place is not missing twice", async () => {
    const story = await Story.begin({ nodes: 3, pop: { version: "1.0.0-slow" } });
    await story.want("2.0.0");
    await story.untilStep("Soaking");
    await story.request("stop");
    await story.pass(MINUTE);
    const { name } = story.status().nodes!.find((node) => node.step === "Pending")!;
    await story.world.while(story.world.nodes.recreate(name));
    await story.until("it to join", ({ nodes }) => nodes!.some((node) => node.name === name && node.step === "Updating" && !node.token));
    await story.want("3.0.0");
    await story.untilPassed("3.0.0");
    expect(story.versions()).toEqual(["3.0.0", "3.0.0", "3.0.0"]);
  });

  it("[P16] a smaller nodeSelector lifts it too; a node in hand that is deselected is finished before it leaves", async () => {
    const story = await Story.begin({
      nodes: 3,
      pop: {
        strategy: {
          drain: {
            start: { http: { port: 8080, path: "/drain" } },
            cancel: { http: { port: 8080, path: "/undrain" } },
            lease: "30s",
            timeout: "30s",
          },
        },
      },
    });
    await story.want("2.0.0");
    const name = await story.untilStep("Claimed");
    await story.change<NodeObject>(NODE, name, (node) => ({
      ...node,
      metadata: { ...node.metadata, labels: { ...node.metadata.labels, "rollward.dev/pop": "none" } },
    }));
    await story.untilTrue("its claim to be ended", () =>
      story.read<NodeObject>(NODE, name)!.metadata.annotations!["rollward.dev/claim"]!.startsWith("released:"),
    );
    expect(story.plane(name)?.drainToken).toBeUndefined();
    await story.untilPassed("2.0.0");
    expect(story.status().nodes?.map((node) => node.name)).not.toContain(name);
    expect(story.holds()).toEqual([]);
  });

  it("[P16] a node that joins a PoP at rest gets its revision at once, without window, grant or claim", async () => {
    const story = await Story.begin({ nodes: 2, start: "2026-11-24T12:00:00Z" });
    await story.world.while(story.world.nodes.start(nodeSpecs("fra1", 3)));
    await story.untilTrue("the third to serve", () => story.versions().join() === "1.0.0,1.0.0,1.0.0", 5 * MINUTE);
    expect(story.status().grant).toBeUndefined();
    expect(story.read<NodeObject>(NODE, "fra1-n3")!.metadata.annotations?.["rollward.dev/claim"]).toBeUndefined();
  });

  it("[P17] most nodes gone at once: nobody is Skipped and nothing starts, until they are back", async () => {
    const story = await Story.begin({ nodes: 4 });
    await story.world.while(
      Promise.all(
        story
          .nodes()
          .slice(0, 3)
          .map(({ metadata }) => story.world.kubectl.delete(NODE, metadata.name, undefined)),
      ),
    );
    await story.want("2.0.0");
    await story.untilHold("NoMembers");
    expect(story.status().holds?.[0]?.message).toMatch(/^3 of 4 nodes are gone at once/);
    await story.pass(20 * MINUTE);
    expect(story.status().nodes?.filter((node) => node.step === "Skipped")).toEqual([]);
    expect(story.status().run?.version).toBe("1.0.0");
  });

  it("[G12] [I19] nodes that come and go over months leave no trace in the ledger", async () => {
    const story = await Story.begin({ nodes: 3, start: "2026-11-21T00:30:00Z", pop: { health: RARELY } });
    await story.untilOutcome("1.0.0 Promoted", 2 * DAY);
    for (let day = 0; day < 5; day++) {
      await story.world.while(story.world.nodes.recreate("fra1-n2"));
      await story.untilTrue("the new node to serve", () => story.serving().length === 3, 10 * MINUTE);
    }
    await story.pass(MINUTE);
    expect(story.status().nodes?.map((node) => node.name)).toEqual(["fra1-n1", "fra1-n2", "fra1-n3"]);
  });
});

describe("a data plane that refuses its drain", () => {
  it("[G5a] [P3b] makes us give the node back, and each time the next try waits longer: no claim is written in a loop", async () => {
    const story = await Story.begin({ nodes: 1 });
    const { identity } = story.plane("fra1-n1")!;
    story
      .plane("fra1-n1")!
      .startDrain(
        { token: "somebody-else", podUID: identity.podUID, containerID: identity.containerID, sequence: Number.MAX_SAFE_INTEGER },
        DAY,
      );
    await story.want("2.0.0");
    await story.untilHold("DrainBlocked");
    expect(story.status().holds?.[0]?.message).toMatch(
      /^node fra1-n1 was given back: its data plane refuses the drain: .*; it is tried again after a pause$/,
    );
    const from = story.writes((entry) => entry.kind === "Node").length;
    await story.pass(10 * MINUTE);
    const patches = story.writes((entry) => entry.kind === "Node").length - from;
    expect(patches).toBeGreaterThan(4);
    expect(patches).toBeLessThan(40);
    expect(story.versions()).toEqual(["1.0.0"]);
  });
});

describe("a PodDisruptionBudget", () => {
  const budget = (minAvailable: number): Draft<KubernetesObject> =>
    ({
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: { name: "pop", namespace: DATA_PLANE_NAMESPACE },
      spec: { minAvailable, selector: { matchLabels: { "rollward.dev/pop": "fra1" } } },
    }) as Draft<KubernetesObject>;

  it("[P3] that refuses holds the drained node as DrainBlocked, naming it, gives it back at the deadline, and heals when it allows", async () => {
    const story = await Story.begin({ nodes: 3 });
    await story.world.apply(POD_DISRUPTION_BUDGET, budget(3));
    await story.pass(5 * SECOND);
    await story.want("2.0.0");
    await story.untilHold("DrainBlocked");
    const hold = story.status().holds!.find((one) => one.reason === "DrainBlocked")!;
    expect(hold.message).toMatch(/^node fra1-n\d: a PodDisruptionBudget refuses that its pod goes: .*pop/);
    expect(hold.until).toBeDefined();
    await story.until("the give-back", (status) => status.nodes!.every((node) => node.step === "Pending"), 10 * MINUTE);
    await story.pass(30 * MINUTE);
    expect(story.versions()).toEqual(["1.0.0", "1.0.0", "1.0.0"]);
    expect(story.claimed(), "it is not drained for nothing").toEqual([]);
    expect(story.holds()).toContain("DrainBlocked");
    await story.world.while(story.world.kubectl.delete(POD_DISRUPTION_BUDGET, "pop", DATA_PLANE_NAMESPACE));
    await story.untilRolled("2.0.0");
  });

  it("[P3a] evictPods: a bare pod blocks the node, UnmanagedPod, before it is drained; when it is gone the roll goes on", async () => {
    const story = await Story.begin({
      nodes: 2,
      pop: {
        strategy: {
          drain: {
            start: { http: { port: 8080, path: "/drain" } },
            cancel: { http: { port: 8080, path: "/undrain" } },
            lease: "30s",
            timeout: "30s",
            evictPods: true,
          },
        },
      },
    });
    await story.world.apply(POD, {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "debug", namespace: "default" },
      spec: { nodeName: "fra1-n1", containers: [{ name: "shell", image: "registry.example/tool:1" }] },
    } as unknown as Draft<KubernetesObject>);
    await story.pass(5 * SECOND);
    await story.want("2.0.0");
    await story.untilHold("UnmanagedPod");
    await story.pass(10 * MINUTE);
    expect(story.versions()[0]).toBe("1.0.0");
    expect(story.plane("fra1-n1")?.drainToken).toBeUndefined();
    await story.world.while(story.world.kubectl.delete(POD, "debug", "default", { gracePeriodSeconds: 0 }));
    await story.untilRolled("2.0.0");
  });
});
