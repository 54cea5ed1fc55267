import { describe, expect, it } from "vitest";
import { MINUTE, Story } from "./story.ts";

describe("two PoPs and one place", () => {
  const BOTH = { pops: ["ber1", "fra1"], fleet: { maxConcurrentPoPs: 1 }, nodes: 2 };
  const disrupted = (story: Story) => (story.fleet().status?.disruptions ?? []).map((entry) => entry.pop);

  it("[G14] they roll one after the other; who waits says RegionBusy and for whom, and each starts on an entry with its own id", async () => {
    const story = await Story.begin(BOTH);
    for (const pop of BOTH.pops) await story.want("2.0.0", pop);
    let together = 0;
    let waited = "";
    let saidByFleet = "";
    await story.untilTrue("both", () => {
      const claimed = BOTH.pops.filter((pop) => story.claimed(pop).length > 0);
      together = Math.max(together, claimed.length, disrupted(story).length);
      for (const pop of claimed)
        expect(story.fleet().status?.disruptions).toContainEqual(
          expect.objectContaining({ pop, uid: story.pop(pop).metadata.uid, id: story.status(pop).grant?.id }),
        );
      // In the first two seconds both have only asked (rule G7).
      saidByFleet ||= story.fleet().status?.waiting?.find(({ rule }) => rule !== "G7")?.message ?? "";
      for (const pop of BOTH.pops) waited ||= story.status(pop).holds?.find((hold) => hold.reason === "RegionBusy")?.message ?? "";
      return BOTH.pops.every((pop) => story.status(pop).run?.version === "2.0.0" && story.status(pop).run?.state === "Passed");
    });
    expect(together).toBe(1);
    expect(waited).toBe("waits for the Fleet's grant; status.waiting of the Fleet says who is disrupted before it");
    expect(saidByFleet).toMatch(/^1 of at most 1 PoPs are disrupted or degraded: (ber1|fra1)$/);
    expect(disrupted(story)).toEqual([]);
  });

  it("[G7] two that ask half a second apart: a hash of PoP and version says who goes first, not who was heard first", async () => {
    const firstOf = async (heard: readonly string[]): Promise<string | undefined> => {
      const story = await Story.begin(BOTH);
      for (const pop of heard) {
        await story.want("2.0.0", pop);
        await story.pass(500);
      }
      await story.untilTrue("a grant", () => disrupted(story).length > 0);
      for (const pop of heard) expect(story.status(pop).grant).toMatchObject({ kind: "Roll", version: "2.0.0" });
      return disrupted(story)[0];
    };
    expect(await firstOf(["ber1", "fra1"])).toBe(await firstOf(["fra1", "ber1"]));
  });

  it("[G11] who waits for a grant writes that once, however many others get theirs and give them back", async () => {
    const pops = ["ams1", "ber1", "fra1", "lon1", "par1"];
    const story = await Story.begin({ pops, fleet: { maxConcurrentPoPs: 1 }, nodes: 1 });
    const waitingWrites = new Map<string, number>();
    story.world.store.subscribe(({ kind, object }) => {
      const { metadata, status } = object as unknown as ReturnType<typeof story.pop>;
      if (kind.kind === "PoPCluster" && status?.holds?.some(({ reason }) => reason === "RegionBusy"))
        waitingWrites.set(metadata.name, (waitingWrites.get(metadata.name) ?? 0) + 1);
    });
    for (const pop of pops) await story.want("2.0.0", pop);
    await story.untilTrue("all", () =>
      pops.every((pop) => story.status(pop).run?.version === "2.0.0" && story.status(pop).run?.state === "Passed"),
    );
    expect(waitingWrites.size).toBeGreaterThanOrEqual(pops.length - 1);
    expect(Math.max(...waitingWrites.values())).toBeLessThanOrEqual(2);
  });

  it("[G14] a PoP that pauses in mid-roll returns its grant, so the other may go, and asks anew with a later id when it may go on", async () => {
    const story = await Story.begin({ ...BOTH, nodes: 3 });
    await story.want("2.0.0", "fra1");
    await story.untilStep("Soaking", MINUTE, "fra1");
    await story.edit((spec) => ({ ...spec, paused: true }), "fra1");
    await story.want("2.0.0", "ber1");
    await story.untilPassed("2.0.0", 10 * MINUTE, "ber1");
    expect(story.status("fra1").run?.state).toBe("Rolling");
    await story.edit((spec) => ({ ...spec, paused: false }), "fra1");
    await story.untilPassed("2.0.0", 10 * MINUTE, "fra1");
    expect(story.status("fra1").grant).toMatchObject({ id: 2, state: "Returned" });
  });

  it("[G14] a PoPCluster that is deleted with its grant gives its place back", async () => {
    const story = await Story.begin(BOTH);
    await story.want("2.0.0", "fra1");
    await story.untilStep("Updating", MINUTE, "fra1");
    await story.want("2.0.0", "ber1");
    await story.deletePop("fra1");
    await story.untilPassed("2.0.0", 10 * MINUTE, "ber1");
    expect(disrupted(story)).toEqual([]);
  });

  it("[G14] [F3] a PoP whose rollback failed is degraded and keeps the other from starting, until it serves again", async () => {
    const story = await Story.begin(BOTH);
    await story.want("2.0.0-never-ready", "fra1");
    await story.untilStep("Updating", MINUTE, "fra1");
    story.world.registry.missing.add("registry.example/pop:1.0.0");
    await story.untilOutcome("2.0.0-never-ready RollbackFailed", 30 * MINUTE, "fra1");
    await story.want("2.0.0", "ber1");
    await story.untilHold("RegionBusy", MINUTE, "ber1");
    await story.pass(10 * MINUTE);
    expect(story.versions("ber1")).toEqual(["1.0.0", "1.0.0"]);
    await story.want("3.0.0", "fra1");
    await story.untilPassed("3.0.0", 20 * MINUTE, "fra1");
    await story.untilPassed("2.0.0", 20 * MINUTE, "ber1");
  });

  it("[G5] the budget is seen live: a node that somebody takes out between claim and drain makes us give the claim back", async () => {
    const story = await Story.begin({ nodes: 3, pop: { version: "1.0.0-ignores-drain" } });
    await story.sessions(20);
    await story.want("2.0.0");
    const node = await story.untilStep("Claimed");
    const other = story.nodes().find(({ metadata }) => metadata.name !== node)!.metadata.name;
    await story.cordon(other);
    await story.until(
      "the give-back",
      (status) =>
        status.nodes?.some((entry) =>
          entry.message?.includes(`given back: others fill the budget of 1: ${other} (cordoned by a person)`),
        ) ?? false,
      MINUTE,
    );
    await story.pass(10 * MINUTE);
    expect(story.claimed()).toEqual([]);
    expect(story.serving()).toHaveLength(3);
    await story.cordon(other, false);
    await story.untilRolled("2.0.0");
  });
});
