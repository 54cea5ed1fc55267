import { describe, expect, it } from "vitest";
import { SOCKET_SITE } from "../../src/api/socket-site.ts";
import { DAY, HOUR, MINUTE, planned, SECOND, SocketStory } from "./socket-story.ts";

const TOKYO = planned("tokyo", "Asia/Tokyo", ["S-1001"]);
const BERLIN = planned("berlin", "Europe/Berlin", ["S-2001", "S-2002"]);
const MONDAY = "2026-11-23T09:00:00Z";
/** Sunday 29 November, 01:00 to 03:00 in Tokyo. */
const TOKYO_OPENS = "2026-11-28T16:00:00Z";
const TOKYO_CLOSED = "2026-11-28T18:30:00Z";

describe("one Sunday", () => {
  it("[S1] [W3] [G11] a single Socket: planned with its notice, claimed, given, confirmed: 3 writes, and none in the two weeks after", async () => {
    const story = await SocketStory.begin({ start: MONDAY, sites: [TOKYO] });
    const before = story.siteWrites("tokyo");
    await story.rollout("18.3.3");
    await story.untilTrue("the plan", () => story.upgrade("acme/tokyo")?.planned?.start !== undefined);
    expect(story.upgrade("acme/tokyo")).toMatchObject({ step: "Scheduled", planned: { start: TOKYO_OPENS } });
    expect(story.notices()).toEqual(["Planned tokyo 2026-11-28T16:00:00.000Z"]);
    await story.untilDate(TOKYO_CLOSED);
    expect(story.upgrade("acme/tokyo")).toMatchObject({ step: "Completed", done: ["S-1001"] });
    expect(story.versions()).toEqual({ "S-1001": "18.3.3" });
    expect(story.told()).toHaveLength(1);
    expect(story.siteWrites("tokyo") - before).toBe(3);
    // The rollout is counted, its ramp is through on Monday; then nobody writes anything.
    await story.untilDate("2026-12-01T12:00:00Z");
    const settled = story.writes().length;
    await story.pass(14 * DAY);
    expect(story.writes().length - settled).toBe(0);
    expect(story.readRollout("socket-18-3-3").status).toMatchObject({ numbers: { sites: 1, confirmed: 1, failed: 0 } });
  });

  it("[S2] [S8] a pair: the standby first, then the other in the same window; no story, 6 writes, two of them that a Socket is being verified", async () => {
    const story = await SocketStory.begin({ start: MONDAY, sites: [BERLIN] });
    const standby = story.read("acme/berlin").status!.sockets!.find(({ state }) => state === "Standby")!.serial;
    const before = story.siteWrites("berlin");
    await story.rollout("18.3.3");
    await story.untilDate("2026-11-29T02:30:00Z");
    const [first, second] = story.told();
    expect(first).toContain(standby);
    expect(second).not.toContain(standby);
    expect(story.versions()).toEqual({ "S-2001": "18.3.3", "S-2002": "18.3.3" });
    expect(story.upgrade("acme/berlin")).toMatchObject({ step: "Completed" });
    expect(story.read("acme/berlin").status?.ha).toMatchObject({ status: "Ready" });
    expect(story.read("acme/berlin").status?.ha?.history ?? []).toEqual([]);
    expect(story.reasons("berlin")).not.toContain("StoryOpened");
    expect(story.siteWrites("berlin") - before).toBe(6);
  });

  it("[S1] [I8] the operator dies right after the claim, before the row: the next one inserts it, and the Socket is told once", async () => {
    const story = await SocketStory.begin({ start: MONDAY, sites: [TOKYO] });
    await story.rollout("18.3.3");
    let died: string | undefined;
    story.world.store.subscribe(({ kind, object }) => {
      if (kind.kind !== SOCKET_SITE.kind || died !== undefined) return;
      if ((object as { status?: { upgrade?: { command?: object } } }).status?.upgrade?.command === undefined) return;
      died = story.date;
      story.world.operators.at(-1)!.crash();
    });
    await story.untilTrue("the claim", () => died !== undefined, 7 * DAY);
    await story.pass(30 * SECOND);
    expect(await story.liveRows("acme/tokyo")).toEqual([]);
    story.startOperator();
    await story.pass(2 * SECOND);
    expect(await story.liveRows("acme/tokyo")).toEqual(["Open"]);
    await story.untilDate(TOKYO_CLOSED);
    expect(story.told()).toHaveLength(1);
    expect(story.upgrade("acme/tokyo")).toMatchObject({ step: "Completed" });
  });

  it("[I8] the operator dies at each of its writes of the site: every Socket is told once, and all end as if nobody had died", async () => {
    const story = await SocketStory.begin({ start: MONDAY, sites: [BERLIN] });
    let deaths = 0;
    story.world.store.subscribe(({ kind }) => {
      if (kind.kind !== SOCKET_SITE.kind) return;
      deaths += 1;
      story.world.operators.at(-1)!.crash();
      story.world.clock.after(20 * SECOND, () => story.startOperator());
    });
    await story.rollout("18.3.3");
    await story.untilDate("2026-11-29T02:30:00Z");
    expect(deaths).toBeGreaterThanOrEqual(4);
    expect(story.told()).toHaveLength(2);
    expect(story.versions()).toEqual({ "S-2001": "18.3.3", "S-2002": "18.3.3" });
    expect(story.upgrade("acme/berlin")).toMatchObject({ step: "Completed" });
    // One notice for one planned start, whoever sent it.
    expect(story.notices()).toHaveLength(1);
  });
});

describe("[W3] notice", () => {
  it("nobody takes the notice from Thursday to Saturday: nothing starts on that Sunday, and on the next", async () => {
    const story = await SocketStory.begin({ start: "2026-11-26T00:00:00Z", sites: [TOKYO] });
    story.world.sink.blocked = true;
    await story.rollout("18.3.3");
    await story.untilDate("2026-11-28T00:00:00Z");
    expect(story.holds("acme/tokyo")).toContain("NoticeNotElapsed");
    const told = story.world.said.filter(({ event }) => event.reason === "NoticeNotTaken").map(({ event }) => event);
    expect(told.length).toBeGreaterThan(100);
    expect(told[0]).toMatchObject({
      note: expect.stringMatching(/^channel operations of account acme takes no notices: it answered 503\. .*the whole notice after it\.$/),
      regarding: { kind: "AccountPolicy", name: "account", namespace: "acme" },
    });
    story.world.sink.blocked = false;
    await story.untilDate("2026-11-28T23:00:00Z");
    expect(story.told()).toEqual([]);
    expect(story.upgrade("acme/tokyo")).toMatchObject({ planned: { start: "2026-12-05T16:00:00Z" } });
    await story.untilDate("2026-12-05T18:30:00Z");
    expect(story.told()).toHaveLength(1);
    expect(story.told()[0]! > "2026-12-05T16:00:00").toBe(true);
  });

  it("applied on Saturday with an announcement of a week ago: nothing on the next day, first on the Sunday eight days later", async () => {
    const story = await SocketStory.begin({ start: "2026-11-28T08:00:00Z", sites: [BERLIN] });
    await story.rollout("18.3.3", { announcedAt: "2026-11-21T08:00:00Z" });
    await story.untilDate("2026-12-06T00:00:00Z");
    expect(story.told()).toEqual([]);
    await story.untilDate("2026-12-06T03:00:00Z");
    expect(story.told()).toHaveLength(2);
    expect(story.notices()).toEqual(["Planned berlin 2026-12-06T00:00:00.000Z"]);
  });

  it("a channel that takes nothing is tried with growing pauses, and nobody works in between", async () => {
    const story = await SocketStory.begin({ start: MONDAY, sites: [TOKYO] });
    let tries = 0;
    story.world.sink.send = () => {
      tries += 1;
      return Promise.resolve(false);
    };
    await story.rollout("18.3.3");
    await story.pass(HOUR);
    expect(tries).toBeGreaterThan(8);
    expect(tries).toBeLessThan(40);
  });
});

describe("[W7] whatever moves a planned start", () => {
  it("Tokyo to London and back to Tokyo within an hour: the date stays, and nobody is told anything new", async () => {
    const story = await SocketStory.begin({ start: MONDAY, sites: [TOKYO] });
    await story.rollout("18.3.3");
    await story.untilTrue("the plan", () => story.upgrade("acme/tokyo")?.planned?.start !== undefined);
    await story.editSite("acme/tokyo", (spec) => ({ ...spec, timeZone: "Europe/London" }));
    await story.pass(59 * MINUTE);
    await story.editSite("acme/tokyo", (spec) => ({ ...spec, timeZone: "Asia/Tokyo" }));
    await story.pass(2 * HOUR);
    expect(story.upgrade("acme/tokyo")).toMatchObject({ planned: { start: TOKYO_OPENS } });
    expect(story.notices()).toHaveLength(1);
    await story.untilDate(TOKYO_CLOSED);
    expect(story.told()).toHaveLength(1);
  });

  it("to London for good: after the hour it is planned there, with one notice", async () => {
    const story = await SocketStory.begin({ start: MONDAY, sites: [TOKYO] });
    await story.rollout("18.3.3");
    await story.untilTrue("the plan", () => story.upgrade("acme/tokyo")?.planned?.start !== undefined);
    await story.editSite("acme/tokyo", (spec) => ({ ...spec, timeZone: "Europe/London" }));
    await story.pass(90 * MINUTE);
    expect(story.notices()).toEqual(["Planned tokyo 2026-11-28T16:00:00.000Z", "Moved tokyo 2026-11-29T01:00:00.000Z"]);
  });
});

it("[B9] [G11] at rest nobody asks for a site: 20 settled sites over a day, polled every five minutes", async () => {
  const sites = Array.from({ length: 20 }, (_, nth) => planned(`site-${nth}`, "Asia/Tokyo", [`S-${5000 + nth}`]));
  const story = await SocketStory.begin({ start: MONDAY, sites });
  await story.rollout("18.3.3");
  await story.untilDate("2026-12-02T00:00:00Z");
  const { inventory } = story.world;
  const site = inventory.site.bind(inventory);
  let asked = 0;
  inventory.site = (of) => {
    asked += 1;
    return site(of);
  };
  await story.pass(DAY);
  expect(asked).toBe(0);
});
