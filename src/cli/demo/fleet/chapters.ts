import { nodeSpecs } from "../../../simulation/nodes/node-fleet.ts";
import type { Chapter } from "../act.ts";
import { BASE, DAYS, DUAL_SITES, FLEET_POPS, LIMITS, nameOf, releaseDraft } from "./cast.ts";
import { claimLimitsKept, claimOnlyReached } from "./claims.ts";
import { contentOnWednesday } from "./content.ts";
import { canaryPasses, haltsAndGoesBack } from "./bad-release.ts";
import type { FleetPlay } from "./play.ts";

/** The second act: a fleet, its trains, its waves. */
export const FLEET_CHAPTERS: readonly Chapter<FleetPlay>[] = [
  {
    title: "forty PoPs around the globe",
    story:
      `Ten regions, one window: Sunday 01:00 to 05:00 wherever it is. Of the fleet at most ${LIMITS.maxConcurrentPoPs} PoPs may be out, ` +
      `of a region ${LIMITS.maxConcurrentPerRegion}; of the ${DUAL_SITES.length} sites with two tunnels never both.`,
    run: fleetJoins,
  },
  {
    title: "a release departs, and its canaries are well",
    story: "Two PoPs first, where Sunday comes first. A quarter of the fleet follows when they have baked; the rest when a person says so.",
    run: canaryPasses,
  },
  {
    title: "the second wave halts it, and everybody goes back",
    story:
      "Nobody built it for the machines of Japan and Korea. The first PoP that finds out stops it for all; who has it goes back, at once.",
    run: haltsAndGoesBack,
  },
  {
    title: "the fix goes where the faulty one had been",
    story: "It waits for no train, and what had baked bakes no second time. A person looks at it, and lets it go on.",
    run: fixBegins,
  },
  {
    title: "content, on a Wednesday",
    story: "New signatures for all of them, in the middle of the release: loaded in place, no window, nobody disrupted.",
    run: contentOnWednesday,
  },
  {
    title: "the fix goes around the globe",
    story: "The second Sunday, the other thirty PoPs: from the date line westwards, each in its own night.",
    run: fixGoesThrough,
  },
];

async function fleetJoins(play: FleetPlay): Promise<void> {
  const { stage } = play;
  await play.applyFleet();
  await play.applySites();
  await stage.perform(stage.nodes.start(FLEET_POPS.flatMap(({ name, nodes }) => nodeSpecs(name, nodes))));
  await play.applyPops(BASE);
  await play.until(`the first version on all ${FLEET_POPS.length} PoPs`, () =>
    FLEET_POPS.every(({ name }) => play.chronicle.pop(name)?.status?.version === BASE),
  );
  await play.claimAllServe(BASE);
  await play.claim("nobody was drained for a first version", () => ({
    holds: play.disruptions.all.length === 0,
    found: play.disruptions.all.map(({ node }) => node).join(", ") || "nobody",
  }));
  await play.unpin();
  await play.until("the pins to be off", () => FLEET_POPS.every(({ name }) => play.chronicle.pop(name)?.spec.version === undefined));
  await play.until("all tunnels to be reported", () => play.dualSites().length === DUAL_SITES.length);
  await play.claim(`${DUAL_SITES.length} sites have two PoPs, and both report their tunnels`, () => {
    const dual = play.dualSites();
    return { holds: dual.length === DUAL_SITES.length, found: dual.join(", ") };
  });
}

async function fixBegins(play: FleetPlay): Promise<void> {
  const { bad, fix } = play.releases;
  const name = nameOf(fix);
  const faulty = (play.statusOf(nameOf(bad)).waves ?? []).flatMap(({ state, pops = [] }) => (state === "Pending" ? [] : pops));
  await play.passTo(DAYS.fixAsked);
  play.disruptions.begin();
  await play.ask(releaseDraft(fix, play.stage.tempo, nameOf(bad)));
  await play.untilRollout(name, "its dates to be known", ({ startDate }) => startDate !== undefined);
  await play.passTo(DAYS.secondSunday.to, () => play.statusOf(name).holds?.some(({ reason }) => reason === "AwaitingApproval") ?? false);
  const { waves = [] } = play.statusOf(name);
  const reached = waves.filter(({ state }) => state === "Passed").flatMap(({ pops = [] }) => pops);
  await play.claim("it began with the PoPs that the faulty release had reached", () => {
    const missed = faulty.filter((pop) => !reached.includes(pop));
    return { holds: reached.length === faulty.length && missed.length === 0, found: reached.join(", ") };
  });
  await claimOnlyReached(play, fix, reached, BASE);
  await claimLimitsKept(play);
  await play.explain(name, "before the rest", ["AwaitingApproval"]);
  await play.passTo(DAYS.approved);
  await claimOnlyReached(play, fix, reached, BASE);
  await play.approve(name, "rest", "a quarter of the fleet is well since Sunday");
  await play.untilRollout(name, "the Approval to count", (status) => status.waves?.some((wave) => wave.approval !== undefined) ?? false);
}

async function fixGoesThrough(play: FleetPlay): Promise<void> {
  const { bad, fix } = play.releases;
  const name = nameOf(fix);
  play.disruptions.begin();
  await play.passTo(DAYS.thirdSunday.to, () => play.statusOf(name).outcome !== undefined);
  await play.untilRollout(name, "its end", ({ outcome }) => outcome !== undefined);
  await play.claim(`${fix} is through on its second Sunday, and stands`, () => {
    const { outcome, standing, numbers } = play.statusOf(name);
    return {
      holds: outcome === "Completed" && standing === true && numbers?.passed === FLEET_POPS.length,
      found: `${outcome ?? "not over"}, ${numbers?.passed ?? 0} of ${numbers?.pops ?? 0} PoPs passed`,
    };
  });
  await play.claimAllServe(fix);
  await claimLimitsKept(play);
  await play.claim(`${bad} is on no node`, async () => {
    const on = (await play.readNodes()).filter((node) => node.serves.includes(bad));
    return { holds: on.length === 0, found: on.map((node) => node.name).join(", ") || "none" };
  });
}
