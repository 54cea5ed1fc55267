import { describe, expect, it } from "vitest";
import { DAY, HOUR, MINUTE, planned, SocketStory } from "./socket-story.ts";

const BERLIN = planned("berlin", "Europe/Berlin", ["S-2001", "S-2002"]);
const MONDAY = "2026-11-23T09:00:00Z";
const BERLIN_CLOSED = "2026-11-29T02:30:00Z";

/** The Socket of a pair that does not carry the traffic. */
const standbyOf = (story: SocketStory): string =>
  story.read("acme/berlin").status!.sockets!.find(({ state }) => state === "Standby")!.serial;

describe("[S6] [S7] a pair on two majors", () => {
  it("the second is unplugged after the first is done: the story opens when it can start no more in this window, names both, and closes a week later by itself", async () => {
    const story = await SocketStory.begin({ start: MONDAY, sites: [BERLIN] });
    const first = standbyOf(story);
    const second = first === "S-2001" ? "S-2002" : "S-2001";
    await story.rollout("18.3.3");
    await story.untilTrue("the first to run it", () => story.versions()[first] === "18.3.3", 7 * DAY);
    story.devices.device(second).unplug();
    // 35 minutes of download, installation and verification before the window's end at 02:00Z.
    await story.untilDate("2026-11-29T01:24:00Z");
    expect(story.read("acme/berlin").status?.ha?.story).toBeUndefined();
    await story.untilDate("2026-11-29T01:26:00Z");
    expect(story.read("acme/berlin").status?.ha?.story).toMatchObject({
      lower: { serial: second, version: "17.2" },
      higher: { serial: first, version: "18.3.3" },
    });
    expect(story.notices().filter((notice) => notice.startsWith("StoryOpened"))).toHaveLength(1);
    await story.pass(DAY);
    story.devices.device(second).plug();
    await story.untilDate("2026-12-06T02:30:00Z");
    expect(story.versions()).toEqual({ "S-2001": "18.3.3", "S-2002": "18.3.3" });
    expect(story.read("acme/berlin").status?.ha).toMatchObject({ status: "Ready", history: [{ lower: { serial: second } }] });
    expect(story.notices().filter((notice) => notice.startsWith("StoryResolved"))).toHaveLength(1);
    expect(story.reasons("berlin")).toEqual(expect.arrayContaining(["Announced", "Started", "Confirmed", "StoryOpened", "StoryResolved"]));
  });
});

it("[S4] upgradeNow: one Socket, now, without window and notice, once for its instant", async () => {
  const story = await SocketStory.begin({ start: MONDAY, sites: [BERLIN] });
  await story.rollout("17.9");
  await story.pass(HOUR);
  const serial = standbyOf(story);
  await story.editSite("acme/berlin", (spec) => ({
    ...spec,
    requests: { upgradeNow: { serial, version: "17.9", at: story.date, acceptDowntime: false } },
  }));
  await story.pass(2 * HOUR);
  expect(story.versions()[serial]).toBe("17.9");
  expect(story.told()).toHaveLength(1);
  expect(story.reasons("berlin")).toContain("UpgradeNow");
  await story.untilDate(BERLIN_CLOSED);
  expect(story.told()).toHaveLength(2);
});

describe("[W4] the window", () => {
  it("is too short for a pair: the site holds, the window names it, and a longer one frees both", async () => {
    const story = await SocketStory.begin({ start: MONDAY, sites: [BERLIN] });
    await story.editWindow("acme/sockets", { weekly: [{ day: "Sunday", start: "01:00", end: "02:00" }], everyWeeks: 1 });
    await story.rollout("18.3.3");
    await story.pass(HOUR);
    expect(story.holds("acme/berlin")).toContain("WindowTooShort");
    expect(story.window("acme").status).toMatchObject({ tooShortFor: ["berlin"] });
    await story.editWindow("acme/sockets", { weekly: [{ day: "Sunday", start: "01:00", end: "03:00" }], everyWeeks: 1 });
    await story.pass(2 * HOUR);
    expect(story.holds("acme/berlin")).not.toContain("WindowTooShort");
    expect(story.window("acme").status?.tooShortFor).toBeUndefined();
  });
});

it("[S11] the PoP of a site is rolled in its window: the site is put off, says so, and is upgraded a week later", async () => {
  const strategy = { perNode: { expected: "2m", deadline: "5m", soak: "100m", retries: 1 } };
  const story = await SocketStory.begin({ start: MONDAY, sites: [{ ...BERLIN, pop: "fra1" }], pops: { fra1: { strategy } } });
  await story.untilTrue("the site to be connected to fra1", () => story.read("acme/berlin").status?.pop === "fra1");
  await story.rollout("18.3.3");
  await story.wantOfPop("fra1", "2.0.0");
  await story.untilDate("2026-11-29T00:30:00Z");
  await story.untilDate(BERLIN_CLOSED);
  expect(story.told()).toEqual([]);
  expect(story.upgrade("acme/berlin")).toMatchObject({ step: "Skipped", reason: "PoPRolling" });
  await story.untilDate("2026-12-06T02:30:00Z");
  expect(story.told()).toHaveLength(2);
}, 60_000);

it("[S5] [G8] a version that does not come up is tried in two windows, has its verdict, and is tried no more", async () => {
  const fails = planned("tokyo", "Asia/Tokyo", ["S-1001"], { sockets: [{ serial: "S-1001", role: "Primary", behaviour: "rollsBack" }] });
  const story = await SocketStory.begin({ start: MONDAY, sites: [fails] });
  await story.rollout("18.3.3");
  await story.untilDate("2026-12-20T00:00:00Z");
  expect(story.told()).toHaveLength(2);
  expect(story.read("acme/tokyo").status?.verdicts).toMatchObject([{ serial: "S-1001", failedWindows: 2, failed: true }]);
  expect(story.holds("acme/tokyo")).toContain("FailedBefore");
  expect(story.readRollout("socket-18-3-3").status?.numbers).toMatchObject({ attempted: 1, failed: 1, confirmed: 0 });
});

it("[S4] a Socket that falls silent is told as not connected within a quarter of an hour, and as connected when it is back", async () => {
  const story = await SocketStory.begin({ start: MONDAY, sites: [BERLIN] });
  const connected = () => story.read("acme/berlin").status?.conditions?.find(({ type }) => type === "Connected")?.reason;
  expect(connected()).toBe("Connected");
  story.devices.device("S-2001").unplug();
  await story.pass(16 * MINUTE);
  expect(connected()).toBe("SomeNotConnected");
  story.devices.device("S-2001").plug();
  await story.pass(6 * MINUTE);
  expect(connected()).toBe("Connected");
});
