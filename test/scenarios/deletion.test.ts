import { describe, expect, it } from "vitest";
import { FINALIZER } from "../../src/api/names.ts";
import type { PopCluster } from "../../src/api/pop-cluster.ts";
import { POP_CLUSTER } from "../../src/api/resources.ts";
import { DRAIN, FLEET_NAMESPACE } from "../../src/simulation/world.ts";
import { MINUTE, Story } from "./story.ts";

const isGone = (story: Story, pop = "fra1") => story.read(POP_CLUSTER, pop, FLEET_NAMESPACE) === undefined;
const uids = (story: Story) => story.pods().map((pod) => pod.metadata.uid);

/** Sessions that stay until the end of each drain: there is a mid-drain to speak of. */
const STUBBORN = {
  version: "1.0.0-ignores-drain",
  strategy: {
    drain: { ...DRAIN, timeout: "2m" },
  },
};

describe("deleting a PoPCluster", () => {
  it("[P13] at rest leaves the data plane serving, and a new one of that name adopts it: no pod restarts, the version stands", async () => {
    const story = await Story.begin();
    await story.want("2.0.0");
    await story.untilPassed("2.0.0");
    const before = uids(story);
    await story.deletePop();
    await story.untilTrue("the PoPCluster to be gone", () => isGone(story), MINUTE);
    await story.pass(10 * MINUTE);
    expect(story.versions()).toEqual(["2.0.0", "2.0.0", "2.0.0"]);
    await story.world.apply(POP_CLUSTER, story.draft("fra1", "2.0.0"));
    await story.until("the adoption", (status) => status.revisions?.current !== undefined && status.nodes?.length === 3);
    await story.pass(10 * MINUTE);
    expect(uids(story)).toEqual(before);
    expect(story.status().version).toBe("2.0.0");
    expect(story.status().run).toBeUndefined();
    expect(story.narration().find((sentence) => sentence.startsWith("Adopted"))).toMatch(/on 3 nodes; nothing is restarted$/);
  });

  it("[P13] in mid-drain gives the node back, without a restart; then the finalizer goes and nothing is left but the ended claim", async () => {
    const story = await Story.begin({ nodes: 2, pop: STUBBORN });
    await story.sessions(20);
    const before = uids(story);
    await story.want("2.0.0");
    const node = await story.untilStep("Claimed");
    await story.untilTrue("the drain", () => story.plane(node)?.drainToken !== undefined);
    await story.deletePop();
    await story.untilTrue("the PoPCluster to be gone", () => isGone(story), MINUTE);
    expect(story.claimed()).toEqual([]);
    expect(story.plane(node)?.drainToken).toBeUndefined();
    await story.pass(30 * MINUTE);
    expect(uids(story)).toEqual(before);
    expect(story.fleet().status?.disruptions ?? []).toEqual([]);
  });

  it("[P13] in mid-drain and created again at once: the new one adopts, and rolls by its own run, grant and claims", async () => {
    const story = await Story.begin({ nodes: 2, pop: STUBBORN });
    await story.sessions(20);
    await story.want("2.0.0");
    await story.untilStep("Claimed");
    await story.deletePop();
    await story.untilTrue("the PoPCluster to be gone", () => isGone(story), MINUTE);
    await story.world.apply(POP_CLUSTER, story.draft("fra1", "2.0.0"));
    await story.untilPassed("2.0.0");
    expect(story.versions()).toEqual(["2.0.0", "2.0.0"]);
    expect(story.status().run?.id).toBe(1);
    expect(story.claimed()).toEqual([]);
  });

  it("[P13] whose finalizer somebody took off by force in mid-drain: the new one of that name ends the orphaned claim and gives the node back", async () => {
    const story = await Story.begin({ nodes: 2, pop: STUBBORN });
    await story.sessions(20);
    await story.want("2.0.0");
    await story.untilStep("Claimed");
    await story.untilTrue("the claim", () => story.claimed().length === 1);
    for (const operator of story.world.operators) operator.crash();
    await story.change(
      POP_CLUSTER,
      "fra1",
      (pop: PopCluster) => ({ ...pop, metadata: { ...pop.metadata, finalizers: [] } }),
      FLEET_NAMESPACE,
    );
    await story.deletePop();
    expect(isGone(story)).toBe(true);
    await story.world.apply(POP_CLUSTER, story.draft("fra1"));
    story.world.startOperator();
    await story.until("the adoption", (status) => status.revisions?.current !== undefined);
    expect(story.claimed()).toEqual([]);
    expect(story.narration().filter((sentence) => sentence.startsWith("OrphanedClaim"))).toHaveLength(1);
    await story.pass(5 * MINUTE);
    expect(story.serving()).toEqual(["fra1-n1", "fra1-n2"]);
  });

  it("[P13] after the label has left: the node is finished and verified first", async () => {
    const story = await Story.begin({ nodes: 2 });
    await story.want("2.0.0-slow");
    const node = await story.untilStep("Updating");
    await story.untilTrue("the label to leave", () => story.label(node) === undefined);
    await story.deletePop();
    await story.untilTrue("the PoPCluster to be gone", () => isGone(story), 10 * MINUTE);
    expect(story.versions().toSorted()).toEqual(["1.0.0", "2.0.0-slow"]);
    expect(story.serving()).toHaveLength(2);
    expect(story.claimed()).toEqual([]);
  });

  it("[P13] after the label has left for a version that fails: the node goes back and serves, then the finalizer goes", async () => {
    const story = await Story.begin({ nodes: 2 });
    await story.want("2.0.0-crash-loop");
    const node = await story.untilStep("Updating");
    await story.untilTrue("the label to leave", () => story.label(node) === undefined);
    await story.deletePop();
    await story.untilTrue("the PoPCluster to be gone", () => isGone(story), 20 * MINUTE);
    expect(story.versions()).toEqual(["1.0.0", "1.0.0"]);
    expect(story.serving()).toHaveLength(2);
    expect(story.claimed()).toEqual([]);
  });

  it("[P13] with deletionPolicy Delete takes the data plane and its labels away", async () => {
    const story = await Story.begin({ nodes: 2, pop: { spec: { deletionPolicy: "Delete" } } });
    await story.want("2.0.0");
    await story.untilPassed("2.0.0");
    await story.deletePop();
    await story.untilTrue("the PoPCluster to be gone", () => isGone(story), 10 * MINUTE);
    await story.pass(MINUTE);
    expect(story.daemonSets()).toEqual([]);
    expect(story.pods().map((pod) => pod.metadata.name)).toEqual([]);
    expect(story.nodes().map((node) => story.label(node.metadata.name))).toEqual([undefined, undefined]);
  });

  it("[G8] a re-created PoPCluster knows from the record that a version failed", async () => {
    const story = await Story.begin({ nodes: 2 });
    await story.want("2.0.0-no-pull");
    await story.untilOutcome("2.0.0-no-pull RolledBack");
    await story.pass(MINUTE);
    await story.deletePop();
    await story.untilTrue("the PoPCluster to be gone", () => isGone(story), MINUTE);
    await story.world.apply(POP_CLUSTER, story.draft("fra1", "2.0.0-no-pull"));
    await story.untilHold("FailedBefore");
    await story.pass(MINUTE);
    expect(story.versions()).toEqual(["1.0.0", "1.0.0"]);
  });
});

describe("a PoP of its own cluster", () => {
  const REMOTE = { spec: { kubeconfigSecretRef: { name: "fra1-kubeconfig" } } };

  it("[P13] [P17] unreachable in mid-roll: claims and grant are kept, ClusterUnreachable is told, and the roll goes on when it answers", async () => {
    const story = await Story.begin({ nodes: 3, pop: REMOTE });
    await story.want("2.0.0");
    const node = await story.untilStep("Updating");
    story.world.troubles.set("fra1-kubeconfig", { state: "Unreachable", message: "connect ETIMEDOUT 10.0.0.1:6443" });
    await story.untilHold("ClusterUnreachable");
    expect(story.status().holds?.[0]?.message).toBe(
      "connect ETIMEDOUT 10.0.0.1:6443; claims and grant are kept, nothing starts until it answers",
    );
    expect(story.condition("Ready")).toMatchObject({ status: "Unknown", reason: "Unreachable" });
    await story.pass(20 * MINUTE);
    expect(story.status().nodes?.find((entry) => entry.name === node)?.step).toBe("Updating");
    expect(story.status().nodes?.filter((entry) => entry.step === "Skipped")).toEqual([]);
    expect(story.status().grant?.state).toBe("Asked");
    story.world.troubles.clear();
    await story.untilRolled("2.0.0");
  });

  it("[P13] deleted while unreachable: after fifteen minutes it goes without its nodes, with a notice that names them and the commands", async () => {
    const story = await Story.begin({ nodes: 3, pop: REMOTE });
    await story.want("2.0.0");
    const node = await story.untilStep("Updating");
    story.world.troubles.set("fra1-kubeconfig", { state: "Unreachable", message: "connect ETIMEDOUT 10.0.0.1:6443" });
    await story.untilHold("ClusterUnreachable");
    const since = story.now;
    await story.deletePop();
    await story.untilTrue("the PoPCluster to be gone", () => isGone(story), 30 * MINUTE);
    await story.pass(100);
    expect(story.now - since).toBeGreaterThan(14 * MINUTE);
    expect(story.now - since).toBeLessThan(16 * MINUTE);
    const notice = story.narration().find((sentence) => sentence.startsWith("DeletedUnreachable"));
    expect(notice).toContain(`nodes in hand: ${node}`);
    expect(notice).toContain("kubectl taint node NODE rollward.dev/updating-");
  });

  it.each([
    [
      "broken",
      { state: "CredentialsInvalid", message: "Secret fra1-kubeconfig has no key kubeconfig; write the kubeconfig there" } as const,
      "CredentialsInvalid",
    ],
    ["of another cluster", { state: "Another", uid: "another-cluster" } as const, "ClusterChanged"],
  ])(
    "[P13] [P17] a kubeconfig that is %s for a moment loses nothing: also a deletion waits fifteen minutes for it",
    async (_, trouble, reason) => {
      const story = await Story.begin({ nodes: 3, pop: REMOTE });
      await story.want("2.0.0");
      await story.untilStep("Claimed");
      story.world.troubles.set("fra1-kubeconfig", trouble);
      await story.untilHold(reason);
      await story.deletePop();
      await story.pass(5 * MINUTE);
      expect(story.pop().metadata.finalizers).toContain(FINALIZER);
      expect(story.status().nodes?.filter((entry) => entry.step === "Skipped")).toEqual([]);
      story.world.troubles.clear();
      await story.untilTrue("the PoPCluster to be gone", () => isGone(story), 10 * MINUTE);
      expect(story.claimed()).toEqual([]);
      expect(story.serving()).toHaveLength(3);
    },
  );

  it("[P17] another cluster under the same Secret: ClusterChanged, nothing starts, nobody is Skipped; it heals when it leads back", async () => {
    const story = await Story.begin({ nodes: 3, pop: REMOTE });
    story.world.troubles.set("fra1-kubeconfig", { state: "Another", uid: "another-cluster" });
    await story.want("2.0.0");
    await story.untilHold("ClusterChanged");
    expect(story.condition("Accepted")).toMatchObject({ status: "False", reason: "ClusterChanged" });
    await story.pass(30 * MINUTE);
    expect(story.versions()).toEqual(["1.0.0", "1.0.0", "1.0.0"]);
    expect(story.status().nodes?.map((entry) => entry.step)).toEqual(["Done", "Done", "Done"]);
    story.world.troubles.clear();
    await story.untilRolled("2.0.0");
  });

  it("[P17] a broken or missing kubeconfig Secret: CredentialsInvalid with the sentence, Accepted False; it heals by itself when corrected", async () => {
    const story = await Story.begin({
      nodes: 3,
      pop: REMOTE,
      firstVersion: false,
      before: async ({ world }) =>
        void world.troubles.set("fra1-kubeconfig", {
          state: "CredentialsInvalid",
          message: "Secret fra1-kubeconfig does not exist in namespace fleet; create it with key kubeconfig",
        }),
    });
    await story.untilHold("CredentialsInvalid");
    expect(story.condition("Accepted")).toMatchObject({
      status: "False",
      reason: "CredentialsInvalid",
      message: "Secret fra1-kubeconfig does not exist in namespace fleet; create it with key kubeconfig",
    });
    await story.pass(30 * MINUTE);
    story.world.troubles.clear();
    await story.untilPassed("1.0.0", 10 * MINUTE);
    expect(story.condition("Accepted")).toMatchObject({ status: "True" });
  });
});
