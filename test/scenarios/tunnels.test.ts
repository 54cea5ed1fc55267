import { describe, expect, it } from "vitest";
import { Sites, TELLING } from "./sites.ts";
import { HOUR, MINUTE, Story } from "./story.ts";

const PAIR = {
  pops: ["ber1", "fra1"],
  nodes: 2,
  fleet: { maxConcurrentPoPs: 4, maxConcurrentPerRegion: 4 },
  pop: TELLING,
} as const;
/** A data plane that keeps its sessions until the drain's time is over: its node only drains for half a minute. */
const SLOW = { ...PAIR, pop: { ...TELLING, version: "1.0.0-ignores-drain" } };

const granted = (story: Story): string[] => (story.fleet().status?.disruptions ?? []).map(({ pop, kind }) => `${pop} ${kind}`);
const heldBy = (story: Story, pop: string): string | undefined =>
  story.status(pop).holds?.find(({ reason }) => reason === "PartnerDisrupted")?.message;

describe("[F2] [I2] the two PoPs of a site", () => {
  it("a site that both PoPs report keeps them apart: the second waits, PartnerDisrupted, and is told with whom it shares how many sites", async () => {
    const story = await Story.begin(PAIR);
    const sites = new Sites(story);
    await sites.dual("acme/berlin", "ber1", "fra1");
    await sites.dual("zeta/potsdam", "fra1", "ber1");
    const apart = sites.neverBothOut("ber1", "fra1");
    await story.want("2.0.0", "fra1");
    await story.want("2.0.0", "ber1");
    await story.untilTrue(
      "one of them to wait for the other",
      () => heldBy(story, "ber1") !== undefined || heldBy(story, "fra1") !== undefined,
    );
    expect(heldBy(story, "ber1") ?? heldBy(story, "fra1")).toMatch(
      /^waits for the Fleet's grant: (fra1|ber1), with which it shares 2 sites that have two tunnels, holds a grant$/,
    );
    for (const pop of PAIR.pops) await story.untilPassed("2.0.0", 20 * MINUTE, pop);
    apart.seen();
    expect(story.fleet().status?.waiting).toEqual([]);
  });

  it("a site that is only claimed keeps nobody, however many an account claims", async () => {
    const story = await Story.begin(PAIR);
    const sites = new Sites(story);
    for (const name of ["one", "two", "three"]) await sites.claim(`mallory/${name}`, "ber1", "fra1");
    sites.report("mallory/one", "ber1");
    sites.report("nobody/berlin", "ber1", "fra1");
    await story.untilTrue("the one report", () => sites.tunnels("mallory/one").length === 1, 3 * MINUTE);
    await story.want("2.0.0", "fra1");
    await story.want("2.0.0", "ber1");
    await story.untilTrue("both at once", () => granted(story).length === 2);
    expect(sites.condition("mallory/one", "Resilient")).toBe("False SecondTunnelUnseen");
    expect(sites.condition("mallory/two", "Resilient")).toBe("Unknown NotObserved");
    expect(sites.status("mallory/two").resilience).toBe("SinglePoP");
    for (const pop of PAIR.pops) await story.untilPassed("2.0.0", 20 * MINUTE, pop);
  });

  it("[G9] no word of a PoP: its tunnel is last known for an hour, then Unknown, and keeps the PoPs apart all the same", async () => {
    const story = await Story.begin(PAIR);
    const sites = new Sites(story);
    await sites.dual("acme/berlin", "ber1", "fra1");
    sites.unknown("acme/berlin", "ber1");
    await story.pass(59 * MINUTE);
    expect(sites.tunnels("acme/berlin")).toEqual(["ber1 True", "fra1 True"]);
    await story.pass(3 * MINUTE);
    expect(sites.tunnels("acme/berlin")).toEqual(["ber1 Unknown", "fra1 True"]);
    expect(sites.condition("acme/berlin", "Resilient")).toBe("Unknown TunnelUnknown");
    const apart = sites.neverBothOut("ber1", "fra1");
    for (const pop of PAIR.pops) await story.want("2.0.0", pop);
    for (const pop of PAIR.pops) await story.untilPassed("2.0.0", 20 * MINUTE, pop);
    apart.seen();
  });

  it("a tunnel that moved: the account names the new PoP, the old one is silent about the site for an hour, and then limits nobody", async () => {
    const story = await Story.begin({
      ...PAIR,
      pops: ["ber1", "fra1", "muc1"],
      fleet: { maxConcurrentPoPs: 4, maxConcurrentPerRegion: 4 },
    });
    const sites = new Sites(story);
    await sites.dual("acme/berlin", "ber1", "fra1");
    await sites.write("acme/berlin", { secondaryPoP: "muc1" });
    sites.report("acme/berlin", "muc1");
    sites.unknown("acme/berlin", "fra1");
    await story.pass(30 * MINUTE);
    expect(sites.tunnels("acme/berlin")).toEqual(["ber1 True", "fra1 True", "muc1 True"]);
    await story.pass(35 * MINUTE);
    expect(sites.tunnels("acme/berlin")).toEqual(["ber1 True", "muc1 True"]);
    for (const pop of ["ber1", "fra1"]) await story.want("2.0.0", pop);
    await story.untilTrue("both at once", () => granted(story).length === 2);
  });

  it("[I18] when nothing changes nobody writes a site, and a flip is one write", async () => {
    const story = await Story.begin(PAIR);
    const sites = new Sites(story);
    await sites.dual("acme/berlin", "ber1", "fra1");
    await story.pass(2 * MINUTE);
    const writes = () => story.writes((entry) => entry.kind === "TunnelSite").length;
    const before = writes();
    await story.pass(2 * HOUR);
    expect(writes()).toBe(before);
    sites.down("acme/berlin", "fra1");
    await story.untilTrue("the flip", () => sites.condition("acme/berlin", "Resilient") === "False TunnelDown", 2 * MINUTE);
    await story.pass(10 * MINUTE);
    expect(writes()).toBe(before + 1);
  });
});

describe("[F10] [G13] a PoP breaches while its partner is in mid-roll", () => {
  /** fra1 has passed on 2.0.0 and is watched; ber1 is in the midst of the same roll. */
  const midRoll = async (step: "Claimed" | "Updating", options: typeof PAIR | typeof SLOW) => {
    const story = await Story.begin(options);
    const sites = new Sites(story);
    await sites.dual("acme/berlin", "ber1", "fra1");
    if (step === "Claimed") await story.sessions(20, "ber1");
    await story.want("2.0.0", "fra1");
    await story.untilPassed("2.0.0", 20 * MINUTE, "fra1");
    const apart = sites.neverBothOut("ber1", "fra1");
    await story.want("2.0.0", "ber1");
    const node = await story.untilStep(step, 5 * MINUTE, "ber1");
    await story.request("takeBack");
    return { story, apart, node };
  };

  it("its node that only drains is given back, then the breached one goes back, then it goes on: never both out", async () => {
    const { story, apart, node } = await midRoll("Claimed", SLOW);
    const entry = () => story.status("ber1").nodes?.find(({ name }) => name === node);
    await story.untilTrue("the give-back", () => entry()?.step === "Pending", 20_000);
    expect(story.claimed("ber1")).toEqual([]);
    expect(entry()).toMatchObject({
      message: expect.stringMatching(/^given back: PoP fra1, with which it shares 1 site that has two tunnels, has to roll back and waits/),
    });
    await story.untilHold("PartnerDisrupted", MINUTE, "ber1");
    await story.untilOutcome("2.0.0 RolledBack", 20 * MINUTE, "fra1");
    await story.untilPassed("2.0.0", 20 * MINUTE, "ber1");
    apart.seen();
    expect(story.versions("fra1")).toEqual(["1.0.0-ignores-drain", "1.0.0-ignores-drain"]);
  });

  it("its node whose label has left is finished first, the grant is returned, and only then the breached one goes back", async () => {
    const { story, apart, node } = await midRoll("Updating", PAIR);
    await story.untilTrue("fra1 to have its grant", () => granted(story).includes("fra1 Rollback"), 5 * MINUTE);
    expect(granted(story)).toEqual(["fra1 Rollback"]);
    expect(story.status("ber1").nodes?.find(({ name }) => name === node)).toMatchObject({ step: "Done", attempt: 1 });
    expect(story.status("ber1").run).toMatchObject({ state: "Rolling", version: "2.0.0" });
    expect(story.versions("ber1").toSorted()).toEqual(["1.0.0", "2.0.0"]);
    await story.untilOutcome("2.0.0 RolledBack", 20 * MINUTE, "fra1");
    await story.untilPassed("2.0.0", 20 * MINUTE, "ber1");
    apart.seen();
    expect(story.status("ber1").grant).toMatchObject({ id: 2, state: "Returned" });
  });

  it("both have to go back: one after the other, and both end on the version before", async () => {
    const story = await Story.begin(PAIR);
    const sites = new Sites(story);
    await sites.dual("acme/berlin", "ber1", "fra1");
    for (const pop of PAIR.pops) await story.want("2.0.0", pop);
    for (const pop of PAIR.pops) await story.untilPassed("2.0.0", 20 * MINUTE, pop);
    const apart = sites.neverBothOut("ber1", "fra1");
    const at = new Date(story.now).toISOString();
    for (const pop of PAIR.pops) await story.edit((spec) => ({ ...spec, requests: { takeBack: { at } } }), pop);
    for (const pop of PAIR.pops) await story.untilOutcome("2.0.0 RolledBack", 20 * MINUTE, pop);
    apart.seen();
    for (const pop of PAIR.pops) expect(story.versions(pop)).toEqual(["1.0.0", "1.0.0"]);
  });

  it("of two that have to go back the one whose nodes held more sessions goes first, also when it is the second to ask", async () => {
    const story = await Story.begin(PAIR);
    const sites = new Sites(story);
    await sites.dual("acme/berlin", "ber1", "fra1");
    await story.sessions(40, "fra1");
    for (const pop of PAIR.pops) await story.want("2.0.0", pop);
    for (const pop of PAIR.pops) await story.untilPassed("2.0.0", 20 * MINUTE, pop);
    // Nobody is granted anything until both have asked.
    await story.editFleet({ capacityFloorPercent: 100 });
    for (const [index, pop] of PAIR.pops.entries()) {
      await story.edit((spec) => ({ ...spec, requests: { takeBack: { at: new Date(story.now).toISOString() } } }), pop);
      await story.untilTrue(`${pop} to wait`, () => story.fleet().status?.waiting?.length === index + 1);
      await story.pass(3_000);
    }
    await story.editFleet({ capacityFloorPercent: 0 });
    await story.untilTrue("one to be granted", () => granted(story).length > 0);
    expect(granted(story)).toEqual(["fra1 Rollback"]);
    for (const pop of PAIR.pops) await story.untilOutcome("2.0.0 RolledBack", 20 * MINUTE, pop);
  });

  it("a site that is seen only when both are in mid-roll: both finish their node, return their grants and go on one after the other", async () => {
    const story = await Story.begin(PAIR);
    const sites = new Sites(story);
    await sites.claim("acme/berlin", "ber1", "fra1");
    for (const pop of PAIR.pops) await story.want("2.0.0", pop);
    await story.untilTrue("both in hand", () => PAIR.pops.every((pop) => story.claimed(pop).length > 0));
    sites.report("acme/berlin", "ber1", "fra1");
    await story.untilTrue("the pair", () => sites.status("acme/berlin").resilience === "DualPoP", 2 * MINUTE);
    await story.untilTrue("one at most", () => granted(story).length <= 1, 2 * MINUTE);
    const apart = sites.neverBothOut("ber1", "fra1");
    for (const pop of PAIR.pops) await story.untilPassed("2.0.0", 20 * MINUTE, pop);
    apart.seen();
  });
});

describe("what an account reads", () => {
  it("[F2] the next window in which its PoP is rolled, in local time: minutes for a site with one tunnel, seconds for one with two", async () => {
    const story = await Story.begin({ ...PAIR, start: "2026-11-22T00:00:30Z" });
    const sites = new Sites(story);
    await sites.dual("acme/berlin", "ber1", "fra1");
    await sites.claim("acme/jena", "ber1");
    sites.report("acme/jena", "ber1");
    await story.pass(5 * HOUR);
    await story.want("2.0.0", "ber1");
    await story.untilTrue(
      "both told",
      () => ["berlin", "jena"].every((name) => (sites.status(`acme/${name}`).upcoming ?? []).length > 0),
      10 * MINUTE,
    );
    const next = { pop: "ber1", start: "2026-11-29T00:00:00Z", localStart: "2026-11-29T01:00+01:00[Europe/Berlin]", version: "2.0.0" };
    expect(sites.status("acme/berlin").upcoming).toMatchObject([{ ...next, impact: "Seconds" }]);
    expect(sites.status("acme/jena").upcoming).toMatchObject([{ ...next, impact: "Minutes" }]);
    expect(sites.condition("acme/jena", "Resilient")).toBe("False NoSecondTunnel");
    await story.pass(7 * 24 * HOUR);
    expect(sites.status("acme/jena").upcoming).toBeUndefined();
  });

  it("a PoP that does not exist, and a namespace that is no account's, are told in words", async () => {
    const story = await Story.begin(PAIR);
    const sites = new Sites(story);
    await sites.claim("acme/berlin", "fra2");
    await sites.claim("fleet/own", "fra1");
    const message = (site: string) => sites.status(site).conditions?.find(({ type }) => type === "Accepted")?.message;
    await story.untilTrue("both told", () => message("acme/berlin") !== undefined && message("fleet/own") !== undefined);
    expect(message("acme/berlin")).toBe('spec.primaryPoP is "fra2", and there is no such PoP; did you mean fra1?');
    expect(message("fleet/own")).toMatch(/^namespace fleet is no account's: create the TunnelSite in one that is labelled rollward.dev/);
  });
});
