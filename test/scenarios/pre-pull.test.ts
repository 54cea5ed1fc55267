import { describe, expect, it } from "vitest";
import { POD, type PodObject } from "../../src/control/kinds.ts";
import { HOUR, MINUTE, RARELY, Story } from "./story.ts";

const PRE_PULL = { strategy: { prePull: true }, health: RARELY };
const pulling = (story: Story) =>
  (story.world.store.list(POD) as unknown as PodObject[]).filter((pod) => pod.metadata.labels?.["rollward.dev/pull"] === "fra1");

describe("pulling ahead", () => {
  it("[P3] from 24 h before the window images are pulled on every node; nobody is disrupted, and the pulling pods are deleted", async () => {
    const story = await Story.begin({ start: "2026-11-20T12:00:00Z", pop: PRE_PULL, nodes: 6 });
    await story.want("2.0.0");
    await story.untilHold("OutsideWindow");
    await story.pass(11 * HOUR);
    expect(pulling(story)).toEqual([]);
    const nodes = new Set<string>();
    let most = 0;
    await story.untilTrue(
      "all pulled",
      () => {
        for (const pod of pulling(story)) nodes.add(pod.spec.nodeName!);
        most = Math.max(most, pulling(story).length);
        return nodes.size === 6 && pulling(story).length === 0;
      },
      3 * HOUR,
    );
    expect(story.now).toBeGreaterThanOrEqual(Date.parse("2026-11-21T00:00:00Z"));
    expect(most).toBeLessThanOrEqual(4);
    expect(story.serving()).toHaveLength(6);
    await story.untilRolled("2.0.0", 26 * HOUR);
  });

  it("[P3] an image that cannot be pulled never starts: AwaitingEvidence naming node and image, tried again every 5 minutes, and it rolls when the image is there", async () => {
    const story = await Story.begin({ pop: PRE_PULL });
    story.world.registry.missing.add("registry.example/pop:2.0.0");
    await story.want("2.0.0");
    await story.until(
      "the refusal",
      (status) => status.holds?.some((hold) => hold.reason === "AwaitingEvidence" && hold.message.includes("could not be pulled")) ?? false,
    );
    expect(story.status().holds?.find((hold) => hold.reason === "AwaitingEvidence")?.message).toMatch(
      /^the images of 2\.0\.0 could not be pulled on node fra1-n\d: registry\.example\/pop:2\.0\.0: .*not found.*tried again every 5 minutes/,
    );
    const tries = new Set<string>();
    const since = story.now;
    await story.untilTrue("three tries on a node", () => {
      for (const pod of pulling(story)) if (pod.spec.nodeName === "fra1-n1") tries.add(pod.metadata.uid);
      return tries.size === 3;
    });
    expect(story.now - since).toBeGreaterThan(9 * MINUTE);
    expect(story.versions()).toEqual(["1.0.0", "1.0.0", "1.0.0"]);
    expect(story.claimed()).toEqual([]);
    expect(story.status().grant?.state).not.toBe("Asked");
    story.world.registry.missing.clear();
    await story.untilRolled("2.0.0");
    expect(pulling(story)).toEqual([]);
  });

  it("[P3] pulling pods of a version that nobody wants any more are deleted", async () => {
    const story = await Story.begin({ pop: PRE_PULL });
    story.world.registry.missing.add("registry.example/pop:2.0.0");
    await story.want("2.0.0");
    await story.untilHold("AwaitingEvidence");
    await story.want("1.0.0");
    await story.pass(MINUTE);
    expect(pulling(story)).toEqual([]);
    expect(story.holds()).toEqual([]);
  });
});
