import { describe, expect, it } from "vitest";
import { accountPolicySpec } from "../../api/account-policy.ts";
import { socketRolloutSpec } from "../../api/socket-rollout.ts";
import type { SocketSite } from "../../api/socket-site.ts";
import { rolloutView } from "../socket/rollout-view.examples.ts";
import { fails, SiteWorld } from "../socket-site/site-world.examples.ts";
import { MINUTE } from "../time/civil.ts";
import { explainAccountPolicy } from "./account-policy.ts";
import { explainSocketRollout } from "./socket-rollout.ts";
import { explainSocketSite } from "./socket-site.ts";

const TUESDAY = "2026-11-24T12:00:00Z";
const asSite = ({ seen }: SiteWorld): SocketSite => ({
  apiVersion: "rollward.dev/v1alpha1",
  kind: "SocketSite",
  metadata: { namespace: "acme", name: "berlin", generation: 1 } as SocketSite["metadata"],
  spec: seen.site.spec,
  status: seen.site.status,
});
const of = (world: SiteWorld) => explainSocketSite(asSite(world));
const section = (world: SiteWorld, title: string) => of(world).sections.find((one) => one.title === title)?.lines ?? [];

describe("a pair on its way from 17.2 to 18.3.3", () => {
  it("[G2] is told at each stage: planned, in hand, verified, done", () => {
    const world = new SiteWorld(TUESDAY);
    world.look();
    expect(of(world).summary).toBe(
      "SocketSite acme/berlin runs 17.2; 18.3.3 is planned for Sunday 2026-11-29 01:35:30 Europe/Berlin (2026-11-29T00:35:30Z)",
    );
    expect(section(world, "Waits for")).toEqual([
      "1. OutsideWindow (rule W11): its start is planned for Sunday 2026-11-29 01:35:30 Europe/Berlin in the window that opens Sunday 2026-11-29 01:00 Europe/Berlin; sites are spread over their windows; not before Sunday 2026-11-29 01:35:30 Europe/Berlin (2026-11-29T00:35:30Z)",
    ]);
    expect(section(world, "Upgrade")).toEqual([
      "Why: SocketRollout socket-18-3-3.",
      "Announced: Tuesday 2026-11-24 13:00 Europe/Berlin (2026-11-24T12:00:00Z), the account was told then, and the notice counts from it.",
      "Window: Sunday 2026-11-29 01:00 Europe/Berlin (2026-11-29T00:00:00Z) to Sunday 2026-11-29 03:00 Europe/Berlin (2026-11-29T02:00:00Z), last start Sunday 2026-11-29 01:58 Europe/Berlin (2026-11-29T00:58:00Z).",
    ]);
    world.until("2026-11-29T00:36:00Z");
    const claimed = "Sunday 2026-11-29 01:35:30 Europe/Berlin (2026-11-29T00:35:30Z)";
    expect(of(world).summary).toBe(`SocketSite acme/berlin ran 17.2 ${claimed}; 18.3.3 is being installed`);
    expect(section(world, "Attention")).toEqual([
      `What its Sockets run and how far the one in hand is, is as of ${claimed}: the status rests until that one is done. The inventory knows more: name it with --inventory.`,
    ]);
    expect(section(world, "Upgrade").slice(-2)).toEqual([
      "Order: S-2002, then S-2001.",
      "In hand: S-2002, to be fetched between Sunday 2026-11-29 01:35:30 Europe/Berlin (2026-11-29T00:35:30Z) and Sunday 2026-11-29 01:58 Europe/Berlin (2026-11-29T00:58:00Z) (Open as of Sunday 2026-11-29 01:35:30 Europe/Berlin (2026-11-29T00:35:30Z)).",
    ]);
    world.until("2026-11-29T00:54:00Z");
    expect(of(world).summary, "a pair has a write to spare for that").toContain("; 18.3.3 is being verified");
    expect(section(world, "Sockets")[1]).toContain("S-2002 X1600 runs 18.3.3");
    world.until("2026-11-29T01:05:00Z");
    expect(section(world, "Upgrade")).toContain("Done: S-2002.");
    expect(section(world, "High availability")).toContain("CompatibleVersion: Upgrading (S-2001 runs 17.2, S-2002 18.3.3)");
    world.until("2026-11-29T02:00:00Z");
    expect(of(world).summary).toBe("SocketSite acme/berlin runs 18.3.3; 18.3.3 is installed");
    expect(section(world, "Waits for")).toEqual([]);
  });

  it("[S4] skipped, it says why and when again", () => {
    const world = new SiteWorld(TUESDAY);
    world.report("S-2001", { gaps: 9 });
    world.until("2026-11-29T02:00:00Z");
    expect(of(world).summary).toContain("18.3.3 was skipped, and is tried again Sunday 2026-12-06 01:35:30 Europe/Berlin");
    expect(section(world, "Upgrade").at(-1)).toContain(
      "S-2001 lost the connection more than 3 times in 24 hours; next try Sunday 2026-12-06",
    );
  });

  it("[S6] left on two majors it tells the story and what to do", () => {
    const world = new SiteWorld(TUESDAY);
    world.behaviours.set("S-2001", fails);
    world.until("2026-11-29T02:00:00Z");
    const story = section(world, "Story");
    expect(story[0]).toContain("HA Status is not ready (AtRisk): S-2001 runs 17.2 and S-2002 18.3.3, since Sunday 2026-11-29 02:");
    expect(story[1]).toBe("What does not work behind S-2001: the features of majors 18.");
    expect(story[2]).toContain("1. S-2001 is upgraded to 18.3.3 Sunday 2026-12-06");
    expect(section(world, "Verdicts")).toEqual(["18.3.3-9f86d081 on S-2001: failed in one window (InstallFailed); tried once more"]);
    world.until(world.now + MINUTE);
  });
});

it("[S1] [G11] with the inventory it tells what the resting status cannot: fetched, installing, the version that is reported", () => {
  const world = new SiteWorld(TUESDAY);
  world.until("2026-11-29T00:36:00Z");
  const { serial, id } = world.upgrade!.command!;
  const known = { sockets: [...world.inventory().devices.values()], command: world.rows.get(id)! };
  const told = explainSocketSite(asSite(world), { known });
  expect(told.summary).toContain("SocketSite acme/berlin runs 17.2; 18.3.3 is being installed");
  const lines = (title: string, of = told) => of.sections.find((one) => one.title === title)?.lines ?? [];
  expect(lines("Attention")).toEqual([]);
  expect(lines("Upgrade").at(-1)).toMatch(/\(fetched Sunday 2026-11-29 01:3\d:?\d* Europe\/Berlin \([^)]*\)\)\.$/);
  expect(lines("Sockets")[0]).toContain(", polled 20 s ago");
  const runs = known.sockets.map((device) => (device.serial === serial ? { ...device, version: "18.3.3" } : device));
  const later = explainSocketSite(asSite(world), { known: { ...known, sockets: runs } });
  expect(later.summary).toContain("runs 17.2 and 18.3.3; 18.3.3 is being verified");
  const lost = explainSocketSite(asSite(world), { known: { sockets: known.sockets } });
  expect(lines("Upgrade", lost).at(-1)).toContain("the inventory has lost it, so it counts as given");
});

it("[S10] [G2] a site that the ramp has not reached is told which step it is in and when that opens, if nothing holds the ramp", () => {
  const ramp = (given: object) => ({ step: 0, percent: 1, opened: [{ percent: 1, at: TUESDAY }], ...given });
  const world = new SiteWorld(TUESDAY, { rollouts: [rolloutView({ ramp: ramp({}) })] });
  world.look();
  expect(world.status.holds).toMatchObject([{ reason: "NotInRamp" }]);
  const { spec, name, uid } = rolloutView();
  const rollout = (timer: object, percents = [1, 50, 100]) => ({
    apiVersion: "rollward.dev/v1alpha1",
    kind: "SocketRollout" as const,
    metadata: { name, uid } as SocketSite["metadata"],
    spec: { ...socketRolloutSpec.parse(spec), ramp: percents.map((percent) => ({ percent, for: "168h" })) },
    status: { ramp: ramp({ timer }) },
  });
  const waits = (...of: Parameters<typeof rollout>) =>
    explainSocketSite(asSite(world), { rollouts: [rollout(...of)] }).sections.find(({ title }) => title === "Waits for")!.lines[1];
  expect(waits({ since: "2026-11-24T12:00:00Z", accumulated: 0 })).toMatch(
    /^It is among the sites of the step to (50 %, which opens Tuesday 2026-12-01|100 %, which opens Tuesday 2026-12-08) 13:00 Europe\/Berlin/,
  );
  expect(waits({ accumulated: 7 })).toContain("when that opens nobody knows while something holds the ramp");
  expect(waits({ accumulated: 0 }, [1])).toContain("None of its steps takes this site");
});

it("[G2] a site whose serial is claimed twice shows no start", () => {
  const world = new SiteWorld(TUESDAY);
  world.look();
  world.seen = { ...world.seen, claimedTwice: new Map([["S-2001", { sameAccount: "acme/munich" }]]) };
  world.look();
  expect(of(world).summary).toBe(
    "SocketSite acme/berlin runs 17.2; 18.3.3 was announced, and nothing starts until what is named below is corrected",
  );
});

it("[G2] a rollout that counts no site says why none counts", () => {
  const spec = socketRolloutSpec.parse({
    version: "18.3.3",
    models: ["X1500"],
    announcedAt: "2026-11-20T09:00:00Z",
    artifact: { url: "socket-18.3.3.swu", sha256: "a".repeat(64), size: 10 },
  });
  const none = { sites: 0, inRamp: 0, offered: 0, attempted: 0, confirmed: 0, failed: 0, unreachable: 0 };
  const rollout = {
    apiVersion: "rollward.dev/v1alpha1",
    kind: "SocketRollout" as const,
    metadata: { name: "s" } as SocketSite["metadata"],
    spec,
    status: { numbers: none },
  };
  const second = (sites?: SocketSite[]) => explainSocketRollout(rollout, sites).sections[0]!.lines[1];
  const world = new SiteWorld(TUESDAY);
  world.look();
  const silent = { ...asSite(world), status: {} };
  expect(second([])).toBe("No site counts: there is no SocketSite at all.");
  expect(second([silent, asSite(world), silent])).toContain(
    "No site counts of 3: 2 with a Socket that has not said what it runs, 1 of another model;",
  );
  expect(second()).toContain("No site counts: a site counts when all its Sockets are enrolled");
});

it("no status yet: nobody has looked", () => {
  const { status: _, ...site } = asSite(new SiteWorld(TUESDAY));
  expect(explainSocketSite(site).summary).toBe("SocketSite acme/berlin has no status yet: no operator has looked at it");
});

it("[S10] a rollout tells how far it is, honestly", () => {
  const spec = socketRolloutSpec.parse({
    version: "18.3.3",
    announcedAt: "2026-11-20T09:00:00Z",
    artifact: { url: "socket-18.3.3.swu", sha256: "a".repeat(64), size: 10 },
  });
  const { summary, sections } = explainSocketRollout({
    apiVersion: "rollward.dev/v1alpha1",
    kind: "SocketRollout",
    metadata: { name: "s" } as SocketSite["metadata"],
    spec,
    status: {
      numbers: { sites: 2_000, inRamp: 100, offered: 90, attempted: 80, confirmed: 70, failed: 1, unreachable: 5 },
      ramp: { step: 0, percent: 5, opened: [{ percent: 5, at: "2026-11-20T09:00:00Z" }] },
      forecast: { finishAt: "2026-12-11T09:00:00Z" },
    },
  });
  expect(summary).toBe("SocketRollout s (18.3.3) has reached 5 % of the sites");
  expect(sections.map(({ title }) => title)).toEqual(["Numbers", "Ramp", "Forecast"]);
  expect(sections[0]!.lines[0]).toBe("2000 sites, 100 in the ramp: 90 offered, 80 attempted, 70 confirmed, 1 failed, 5 unreachable.");
});

it("[I15] an account reads its own sites, PoPs and advice", () => {
  const { summary, sections } = explainAccountPolicy({
    apiVersion: "rollward.dev/v1alpha1",
    kind: "AccountPolicy",
    metadata: { namespace: "acme", name: "account" } as SocketSite["metadata"],
    spec: accountPolicySpec.parse({}),
    status: {
      sockets: { sites: 3, pairs: 1, upToDate: 1, planned: 1, haNotReady: 0, notConnected: 0, versions: [{ version: "17.2", sockets: 4 }] },
      pops: [{ name: "fra1", sites: 3, impact: "Seconds" }],
      advice: [{ kind: "HAPair", sites: 2, message: "2 sites with one Socket: add a second one" }],
    },
  });
  expect(summary).toBe("AccountPolicy acme has 3 sites, 1 of them pairs; 1 are up to date");
  expect(sections.find(({ title }) => title === "PoPs")!.lines).toEqual(["fra1: 3 sites, no window is known, seconds of interruption"]);
  expect(sections.find(({ title }) => title === "Advice")!.lines).toHaveLength(1);
});
