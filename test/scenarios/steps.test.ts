import { describe, expect, it } from "vitest";
import { FINALIZER } from "../../src/api/names.ts";
import { HOUR, MINUTE, SECOND, Story } from "./story.ts";

describe("the steps of a roll", () => {
  it("[P3] the story of a good version: one node after the other, drained, updated, soaked; then it bakes and passes", async () => {
    const story = await Story.begin({ nodes: 2 });
    await story.want("2.0.0");
    await story.untilPassed("2.0.0");
    expect(story.versions()).toEqual(["2.0.0", "2.0.0"]);
    expect(story.claimed()).toEqual([]);
    await story.pass(SECOND);
    const told = story.narration();
    const [one, two] = story
      .status()
      .run!.frozen.order.map((uid) => story.nodes().find((node) => node.metadata.uid === uid)!.metadata.name);
    expect(told.slice(told.findIndex((sentence) => sentence.startsWith("Promoted")))).toEqual([
      "Promoted: 1.0.0 is promoted because a newer version starts",
      "RunStarted: the roll to 2.0.0 begins with 2 nodes; it would go back to 1.0.0",
      `NodeUpdate: node ${one} is drained of 0 sessions and goes to 2.0.0 (run 2, attempt 1)`,
      `NodeUpdate: node ${two} is drained of 0 sessions and goes to 2.0.0 (run 2, attempt 1)`,
      "Baking: all nodes run 2.0.0; it bakes for 20s",
      "Passed: 2.0.0 has baked for 20s; it is watched for 24h from its last node on",
    ]);
  });

  it("[P13] [G14] the finalizer is there before the grant is asked for, the grant before the first claim, and it is returned at the end", async () => {
    const story = await Story.begin({ nodes: 2 });
    await story.want("2.0.0");
    const order: string[] = [];
    await story.untilTrue("the end of the roll", () => {
      const { metadata, status } = story.pop();
      if (metadata.finalizers?.includes(FINALIZER)) order.push("finalizer");
      if (status?.grant?.state === "Asked") order.push("asked");
      if (story.fleet().status?.disruptions?.length) order.push("granted");
      if (story.claimed().length > 0) order.push("claimed");
      return status?.run?.version === "2.0.0" && status.run.state === "Baking";
    });
    expect([...new Set(order)]).toEqual(["finalizer", "asked", "granted", "claimed"]);
    expect(story.status().grant).toMatchObject({ id: 1, state: "Returned" });
    await story.pass(SECOND);
    expect(story.fleet().status?.disruptions ?? []).toEqual([]);
  });

  it("[P1] with maxUnavailable 1 never more than one node is out, with 2 never more than two, a soaking node included in the pace", async () => {
    for (const limit of [1, 2]) {
      const story = await Story.begin({ nodes: 4, pop: { strategy: { maxUnavailable: limit } } });
      await story.want("2.0.0");
      let most = 0;
      let mostInHand = 0;
      await story.until("the end of the roll", ({ run, nodes = [] }) => {
        most = Math.max(most, 4 - story.serving().length);
        mostInHand = Math.max(mostInHand, nodes.filter((node) => ["Claimed", "Updating", "Soaking"].includes(node.step)).length);
        return run?.version === "2.0.0" && run.state === "Baking";
      });
      expect([most, mostInHand]).toEqual([limit, limit]);
    }
  });

  it("[G4] [G7] the order is frozen when the run begins, canaries first, and another version has another order", async () => {
    const story = await Story.begin({
      nodes: 4,
      pop: { strategy: { order: { first: { matchLabels: { "kubernetes.io/hostname": "fra1-n3" } }, then: "StableHash" } } },
    });
    const orders: string[][] = [];
    for (const version of ["2.0.0", "3.0.0", "4.0.0"]) {
      const order: string[] = [];
      await story.want(version);
      await story.until(`the end of ${version}`, ({ run, nodes = [] }) => {
        const inHand = nodes.find((node) => node.step === "Claimed")?.name;
        if (inHand && order.at(-1) !== inHand) order.push(inHand);
        return run?.version === version && run.state === "Passed";
      });
      orders.push(order);
    }
    expect(orders.map((order) => order[0])).toEqual(["fra1-n3", "fra1-n3", "fra1-n3"]);
    expect(orders.map((order) => [...order].sort())).toEqual(orders.map(() => ["fra1-n1", "fra1-n2", "fra1-n3", "fra1-n4"]));
    expect(new Set(orders.map((order) => order.join())).size).toBeGreaterThan(1);
  });

  it("[P14] a node costs at most four patches of the Node and four writes of status", async () => {
    const story = await Story.begin({ nodes: 6 });
    const from = story.writes().length;
    await story.want("2.0.0");
    await story.untilRolled("2.0.0");
    const writes = story.writes().slice(from);
    const nodes = writes.filter((entry) => entry.kind === "Node");
    const statuses = writes.filter((entry) => entry.kind === "PoPCluster" && entry.subresource === "status");
    expect(nodes.length).toBe(4 * 6);
    // What a roll costs beside its nodes: announcement, plan, grant, preflight, its end.
    expect(statuses.length).toBeLessThanOrEqual(4 * 6 + 8);
  });

  it("[G11] a settled PoP costs no write in a day, and none in the day of its next window", async () => {
    const story = await Story.begin({ nodes: 3 });
    await story.want("2.0.0");
    await story.untilPassed("2.0.0");
    await story.pass(5 * MINUTE);
    const from = story.writes().length;
    await story.pass(3 * HOUR - 10 * MINUTE);
    expect(story.writes().slice(from)).toEqual([]);
  });

  it("[P4] a pod that wobbles gains no time: the deadline of the node counts from the step, and the version fails by it", async () => {
    const story = await Story.begin({
      nodes: 2,
      pop: { strategy: { perNode: { expected: "2m", deadline: "3m", soak: "5s", retries: 0 } } },
    });
    await story.want("2.0.0-never-ready");
    await story.untilStep("Updating");
    const since = story.now;
    await story.until("the verdict", (status) => (status.revisions?.failed?.length ?? 0) > 0);
    expect(story.now - since).toBeLessThanOrEqual(3 * MINUTE + 5 * SECOND);
    expect(story.status().revisions?.failed?.[0]?.evidence).toMatch(/after 3m: /);
  });
});
