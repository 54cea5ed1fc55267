import { describe, expect, it } from "vitest";
import { HOUR, MINUTE, planned, SECOND, SocketStory } from "./socket-story.ts";

const TOKYO = planned("tokyo", "Asia/Tokyo", ["S-1001"]);
const BERLIN = planned("berlin", "Europe/Berlin", ["S-2001", "S-2002"]);
const MONDAY = "2026-11-23T09:00:00Z";
const TOKYO_CLOSED = "2026-11-28T18:30:00Z";

/** Sites of one zone, each with one Socket. */
const many = (count: number) => Array.from({ length: count }, (_, nth) => planned(`site-${nth}`, "Asia/Tokyo", [`S-${3000 + nth}`]));

describe("[G13] [S8] pauses and stops", () => {
  it("the Fleet is paused over the window: nothing starts, and the site says why; resumed, it is upgraded a week later", async () => {
    const story = await SocketStory.begin({ start: MONDAY, sites: [TOKYO] });
    await story.rollout("18.3.3");
    await story.untilDate("2026-11-28T12:00:00Z");
    await story.editFleet({ paused: true, reason: "network works" });
    await story.untilDate(TOKYO_CLOSED);
    expect(story.told()).toEqual([]);
    expect(story.upgrade("acme/tokyo")).toMatchObject({ step: "Skipped", reason: "FleetPaused" });
    await story.editFleet({ paused: false });
    await story.untilDate("2026-12-05T18:30:00Z");
    expect(story.told()).toHaveLength(1);
  });

  it("a rollout that is paused after the first of a pair finishes the pair", async () => {
    const story = await SocketStory.begin({ start: MONDAY, sites: [BERLIN] });
    await story.rollout("18.3.3");
    await story.untilTrue("the first to be told", () => story.told().length === 1, 7 * 24 * HOUR);
    await story.editRollout("socket-18-3-3", { paused: true });
    await story.untilDate("2026-11-29T02:30:00Z");
    expect(story.versions()).toEqual({ "S-2001": "18.3.3", "S-2002": "18.3.3" });
  });

  it("[S10] more failures than the budget stop it: what has not begun is withdrawn, and told as stopped", async () => {
    const sites = many(12).map((site, nth) => ({
      ...site,
      timeZone: nth < 4 ? "Asia/Tokyo" : "Europe/London",
      sockets: site.sockets.map((socket) => ({ ...socket, behaviour: nth < 4 ? ("fails" as const) : ("ok" as const) })),
    }));
    const story = await SocketStory.begin({ start: MONDAY, sites });
    await story.rollout("18.3.3", { failureBudget: { attemptedAtLeast: 4, failedPercent: 2 } });
    await story.untilDate("2026-11-29T04:00:00Z");
    expect(story.readRollout("socket-18-3-3").status).toMatchObject({ stopped: { by: "Failures" }, numbers: { attempted: 4, failed: 4 } });
    expect(story.told()).toHaveLength(4);
    expect(story.upgrade("acme/site-11")).toMatchObject({ step: "Skipped", reason: "Stopped" });
    // Also the second try of those that failed does not take place.
    expect(story.notices().filter((notice) => notice.startsWith("Withdrawn"))).toHaveLength(12);
  });
});

describe("[G9] the inventory", () => {
  it("away for a day before the window, and for ten minutes in it: nothing is lost, and nothing is done twice", async () => {
    const story = await SocketStory.begin({ start: MONDAY, sites: [TOKYO, BERLIN] });
    await story.rollout("18.3.3");
    await story.pass(HOUR);
    const writes = story.siteWrites("tokyo");
    story.world.inventoryOutage = "Away";
    await story.pass(24 * HOUR);
    expect(story.siteWrites("tokyo")).toBe(writes);
    story.world.inventoryOutage = "None";
    await story.untilTrue("Tokyo to be told", () => story.told().length === 1, 7 * 24 * HOUR);
    story.world.inventoryOutage = "Away";
    await story.pass(10 * MINUTE);
    story.world.inventoryOutage = "None";
    await story.untilDate("2026-11-29T02:30:00Z");
    expect(story.told()).toHaveLength(3);
    expect(story.versions()).toEqual({ "S-1001": "18.3.3", "S-2001": "18.3.3", "S-2002": "18.3.3" });
    expect(story.notices()).toHaveLength(2);
  });

  it("[I8] its answers are lost now and then: each Socket is told once, and each notice has one id", async () => {
    const story = await SocketStory.begin({ start: MONDAY, sites: [TOKYO] });
    await story.rollout("18.3.3");
    const flicker = (): void => {
      story.world.inventoryOutage = story.world.inventoryOutage === "None" ? "AnswerLost" : "None";
      story.world.clock.after(story.world.inventoryOutage === "None" ? 40 * SECOND : 700, flicker);
    };
    flicker();
    await story.untilDate(TOKYO_CLOSED);
    expect(story.told()).toHaveLength(1);
    expect(story.upgrade("acme/tokyo")).toMatchObject({ step: "Completed" });
    expect(story.notices()).toHaveLength(1);
  });

  it("an operator without one: every site names --inventory, once, and its ledger stands", async () => {
    const story = await SocketStory.begin({ start: MONDAY, sites: [TOKYO] });
    await story.rollout("18.3.3");
    await story.pass(HOUR);
    const ledger = story.upgrade("acme/tokyo");
    story.crashOperator("WithoutInventory");
    await story.pass(MINUTE);
    const writes = story.siteWrites("tokyo");
    await story.untilDate(TOKYO_CLOSED);
    const { status } = story.read("acme/tokyo");
    expect(status?.holds).toMatchObject([{ rule: "G9", reason: "InventoryUnavailable" }]);
    expect(status?.holds?.[0]?.message).toContain("--inventory");
    expect(status?.upgrade).toEqual(ledger);
    expect(story.siteWrites("tokyo")).toBe(writes);
    expect(story.told()).toEqual([]);
    // One with it leads again: the window that nobody watched is told as that, and the next one is kept.
    story.crashOperator();
    await story.pass(MINUTE);
    expect(story.upgrade("acme/tokyo")).toMatchObject({ step: "Skipped", reason: "OperatorAbsent" });
    await story.untilDate("2026-12-05T18:30:00Z");
    expect(story.told()).toHaveLength(1);
  });
});

describe("[G4] late joiners", () => {
  it("a site that joins a month after the ramp was through follows, one a week of a small rollout", async () => {
    const story = await SocketStory.begin({
      start: MONDAY,
      sites: [TOKYO],
      more: [planned("osaka", "Asia/Tokyo", ["S-4001"]), planned("kobe", "Asia/Tokyo", ["S-4002"])],
    });
    await story.rollout("18.3.3");
    await story.untilDate("2026-12-28T09:00:00Z");
    expect(story.readRollout("socket-18-3-3").status?.standingSince).toBeDefined();
    await story.join("osaka");
    await story.join("kobe");
    await story.pass(HOUR);
    const admitted = ["acme/osaka", "acme/kobe"].filter((site) => story.upgrade(site) !== undefined);
    expect(admitted).toHaveLength(1);
    const other = admitted[0] === "acme/osaka" ? "acme/kobe" : "acme/osaka";
    expect(story.holds(other)).toContain("NotInRamp");
    await story.untilDate("2027-01-17T00:00:00Z");
    expect(story.versions()).toEqual({ "S-1001": "18.3.3", "S-4001": "18.3.3", "S-4002": "18.3.3" });
  });
});

describe("[I15] accounts", () => {
  it("another account that names a serial changes nothing for its owner, and is told nothing of it", async () => {
    const story = await SocketStory.begin({ start: MONDAY, sites: [TOKYO] });
    await story.account("mallory");
    await story.write(planned("steal", "Asia/Tokyo", ["S-1001"], { namespace: "mallory", account: "mallory" }));
    await story.rollout("18.3.3");
    await story.untilDate(TOKYO_CLOSED);
    expect(story.versions()).toEqual({ "S-1001": "18.3.3" });
    const stolen = story.read("mallory/steal").status;
    expect(stolen?.holds?.[0]).toMatchObject({ rule: "S3", reason: "SerialNotOwned" });
    expect(JSON.stringify(stolen)).not.toMatch(/17\.2|18\.3|tokyo|acme/);
  });

  it("[S3] one account that names a serial at two sites: neither starts, and each names the other", async () => {
    const story = await SocketStory.begin({ start: MONDAY, sites: [TOKYO] });
    await story.write(planned("tokyo-2", "Asia/Tokyo", ["S-1001"]));
    await story.rollout("18.3.3");
    await story.untilDate(TOKYO_CLOSED);
    expect(story.told()).toEqual([]);
    expect(story.read("acme/tokyo").status?.holds?.[0]?.message).toContain("acme/tokyo-2");
    expect(story.read("acme/tokyo-2").status?.holds?.[0]?.message).toContain("acme/tokyo");
  });

  it("the account's policy counts its sites, and nobody writes it while nothing changes", async () => {
    const story = await SocketStory.begin({ start: MONDAY, sites: [TOKYO, BERLIN] });
    await story.rollout("18.3.3");
    await story.untilDate("2026-11-29T04:00:00Z");
    expect(story.policy("acme").status).toMatchObject({
      account: "acme",
      sockets: {
        sites: 2,
        pairs: 1,
        upToDate: 2,
        planned: 0,
        haNotReady: 0,
        notConnected: 0,
        versions: [{ version: "18.3.3", sockets: 3 }],
      },
      advice: [{ kind: "HAPair", sites: 1 }],
    });
  });
});

it("[S1] a site that is deleted while its command is open takes it back", async () => {
  const story = await SocketStory.begin({ start: MONDAY, sites: [TOKYO] });
  await story.rollout("18.3.3");
  await story.untilTrue("the claim", () => story.upgrade("acme/tokyo")?.command !== undefined, 7 * 24 * HOUR);
  story.devices.device("S-1001").unplug();
  await story.pass(2 * SECOND);
  expect(await story.liveRows("acme/tokyo")).toEqual(["Open"]);
  const site = story.read("acme/tokyo");
  await story.deleteSite("acme/tokyo");
  await story.pass(5 * SECOND);
  expect(await story.liveRows("acme/tokyo", site)).toEqual([]);
});

it("[S1] [G9] deleted and made anew while the inventory is away: the old command is taken back when it answers, and the new site is served", async () => {
  const story = await SocketStory.begin({ start: MONDAY, sites: [TOKYO] });
  await story.rollout("18.3.3");
  await story.untilTrue("the claim", () => story.upgrade("acme/tokyo")?.command !== undefined, 7 * 24 * HOUR);
  story.devices.device("S-1001").unplug();
  await story.pass(2 * SECOND);
  const site = story.read("acme/tokyo");
  story.world.inventoryOutage = "Away";
  await story.deleteSite("acme/tokyo");
  await story.write(TOKYO);
  await story.pass(MINUTE);
  expect(await story.liveRows("acme/tokyo", site)).toEqual(["Open"]);
  story.world.inventoryOutage = "None";
  await story.pass(10 * SECOND);
  expect(await story.liveRows("acme/tokyo", site)).toEqual([]);
  story.devices.device("S-1001").plug();
  await story.untilDate("2026-12-05T18:30:00Z");
  expect(story.versions()).toEqual({ "S-1001": "18.3.3" });
});

it("[I3] [G5] the watches have been silent since before the account moved its window: nothing is told in the old one", async () => {
  const story = await SocketStory.begin({ start: MONDAY, sites: [TOKYO] });
  await story.rollout("18.3.3");
  await story.untilDate("2026-11-28T10:00:00Z");
  story.world.hubs.at(-1)!.breakWatches(24 * HOUR);
  await story.editWindow("acme/sockets", { weekly: [{ day: "Monday", start: "01:00", end: "03:00" }], everyWeeks: 1 });
  await story.untilDate(TOKYO_CLOSED);
  expect(story.told()).toEqual([]);
  // Heard of at last: on Monday a full notice after the change, in the new window.
  await story.untilDate("2026-12-07T00:00:00Z");
  expect(story.told()).toHaveLength(1);
  expect(story.told()[0]! > "2026-12-06T16:00:00").toBe(true);
});

describe("a rollout that is edited", () => {
  it("[S9] it is for another model too: the sites of that model, which nothing else woke, are planned within minutes", async () => {
    const story = await SocketStory.begin({ start: MONDAY, sites: [TOKYO] });
    await story.rollout("18.3.3", { models: ["X9000"] });
    await story.pass(2 * HOUR);
    expect([story.upgrade("acme/tokyo"), story.readRollout("socket-18-3-3").status?.numbers?.sites]).toEqual([undefined, 0]);
    await story.editRollout("socket-18-3-3", { models: ["X9000", "X1600"] });
    await story.untilTrue("its plan", () => story.upgrade("acme/tokyo")?.planned?.start !== undefined, 5 * MINUTE);
    await story.untilTrue("it is counted", () => story.readRollout("socket-18-3-3").status?.numbers?.sites === 1, 5 * MINUTE);
  });

  it("[W7] it is announced for later: who was planned by it moves a week on, at once, and is told once more", async () => {
    const story = await SocketStory.begin({ start: MONDAY, sites: [TOKYO] });
    await story.rollout("18.3.3");
    await story.untilTrue("the plan", () => story.upgrade("acme/tokyo")?.planned?.start === "2026-11-28T16:00:00Z");
    await story.editRollout("socket-18-3-3", { announcedAt: "2026-11-27T16:00:00Z" });
    await story.untilTrue("the later plan", () => story.upgrade("acme/tokyo")?.planned?.start === "2026-12-05T16:00:00Z", 2 * HOUR);
    expect(story.notices().map((line) => line.split(" ")[0])).toEqual(["Planned", "Moved"]);
    await story.untilDate(TOKYO_CLOSED);
    expect(story.told()).toEqual([]);
  });
});
