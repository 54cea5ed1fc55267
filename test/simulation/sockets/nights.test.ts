import { describe, expect, it } from "vitest";
import { planned } from "../../scenarios/socket-story.ts";
import { DAY, HOUR, reads, SECOND } from "./slots.ts";
import { SocketNights } from "./socket-nights.ts";

const PAIR = planned("berlin", "Europe/Berlin", ["S-2001", "S-2002"]);
const START = "2026-11-25T10:00:00Z";

const ledgerOf = (nights: SocketNights, serial: string) => nights.story.devices.device(serial).ledger;
const installed = (nights: SocketNights, serial: string, version: string): boolean =>
  ledgerOf(nights, serial).entries.some((entry) => entry.outcome === "Installed" && entry.version === version);
/** When each Socket was told, on the clock of Berlin. */
const toldAt = (nights: SocketNights, serial: string): string[] =>
  ledgerOf(nights, serial).entries.flatMap((entry) => entry.toldAt.slice(0, 1).map((at) => reads("Europe/Berlin", at)));

describe("nights of a pair, on the whole stack, judged by the devices", () => {
  it("[S6] [S8] 17.2 → 18.0 in one window of two hours: the standby first, ten minutes between, and no story", async () => {
    const nights = await SocketNights.begin({ start: START, sites: [PAIR] });
    nights.operator();
    await nights.announce("18.0");
    await nights.untilDate("2026-11-30T12:00:00Z");
    expect(nights.story.versions()).toEqual({ "S-2001": "18.0", "S-2002": "18.0" });
    expect(nights.breaches()).toEqual([]);
    expect(nights.starved("18.0")).toEqual([]);
    expect(nights.notified("StoryOpened")).toEqual([]);
    expect(nights.notified("Planned")).toHaveLength(1);
  });

  it("[S6] [S7] [S8] with the second unplugged after the first is done: a story when no step can start any more names both, and is over a week later", async () => {
    const nights = await SocketNights.begin({ start: START, sites: [PAIR] });
    const { story } = nights;
    nights.operator();
    await nights.announce("18.0");
    await nights.untilDate("2026-11-29T00:00:00Z");
    await nights.untilLedgers(() => installed(nights, "S-2002", "18.0"), 2 * HOUR, "the first of the pair");
    story.devices.device("S-2001").unplug();
    // Until 02:25 it may still be started: 35 minutes for one Socket before the window's end.
    await nights.untilDate("2026-11-29T01:24:55Z");
    expect(nights.notified("StoryOpened")).toEqual([]);
    await nights.untilDate("2026-11-29T02:00:30Z");
    const opened = [...story.world.sink.received.values()].filter(({ kind }) => kind === "StoryOpened");
    expect(opened).toHaveLength(1);
    expect(opened[0]!.message).toMatch(/S-2001/);
    expect(opened[0]!.message).toMatch(/S-2002|18\.0/);
    expect(JSON.stringify(story.read("acme/berlin").status?.ha)).toMatch(/S-2001.*S-2002|S-2002.*S-2001/);
    await nights.untilDate("2026-11-30T09:00:00Z");
    story.devices.device("S-2001").plug();
    await nights.untilDate("2026-12-06T03:00:00Z");
    expect(story.versions()).toEqual({ "S-2001": "18.0", "S-2002": "18.0" });
    expect(toldAt(nights, "S-2001").map((told) => told.slice(0, 10))).toEqual(["2026-12-06"]);
    expect(nights.notified("StoryResolved")).toHaveLength(1);
    expect(nights.breaches()).toEqual([]);
  });

  it("[S1] a site that is deleted while nobody leads, its command open, and created again is upgraded in its next window", async () => {
    const nights = await SocketNights.begin({ start: START, sites: [PAIR] });
    const { story } = nights;
    const first = nights.operator();
    await nights.announce("18.0");
    await nights.untilDate("2026-11-28T23:50:00Z");
    while ((await story.liveRows("acme/berlin")).length === 0 && nights.now < Date.parse("2026-11-29T01:00:00Z")) await story.pass(SECOND);
    expect(await story.liveRows("acme/berlin")).toEqual(["Open"]);
    first.crash();
    for (const serial of ["S-2001", "S-2002"]) story.devices.device(serial).unplug();
    await story.deleteSite("acme/berlin");
    for (const serial of ["S-2001", "S-2002"]) story.devices.device(serial).plug();
    await nights.untilDate("2026-12-01T00:00:00Z");
    await story.write(PAIR);
    nights.operator({ name: "second", seed: 2 });
    await nights.untilDate("2026-12-07T03:00:00Z");
    expect(story.versions()).toEqual({ "S-2001": "18.0", "S-2002": "18.0" });
    expect(toldAt(nights, "S-2002").map((told) => told.slice(0, 10))).toEqual(["2026-12-06"]);
    expect(nights.breaches()).toEqual([]);
  });

  it("[W3] with the receiver blocked from Thursday to Saturday nothing starts on Sunday, and a week later it does", async () => {
    const nights = await SocketNights.begin({ start: "2026-11-25T22:00:00Z", sites: [PAIR] });
    nights.operator();
    await nights.untilDate("2026-11-26T08:00:00Z");
    nights.story.world.sink.blocked = true;
    await nights.announce("18.0");
    await nights.untilDate("2026-11-28T12:00:00Z");
    nights.story.world.sink.blocked = false;
    await nights.untilDate("2026-12-03T00:00:00Z");
    expect(toldAt(nights, "S-2001").concat(toldAt(nights, "S-2002"))).toEqual([]);
    await nights.untilDate("2026-12-06T04:00:00Z");
    expect(nights.story.versions()).toEqual({ "S-2001": "18.0", "S-2002": "18.0" });
    expect(nights.breaches()).toEqual([]);
    expect(nights.starved("18.0")).toEqual([]);
  });

  it("[W3] announced a week ago and applied on Saturday: nothing on the next day, first on the Sunday eight days later", async () => {
    const nights = await SocketNights.begin({ start: "2026-11-28T09:00:00Z", sites: [PAIR] });
    nights.operator();
    await nights.announce("18.0", { announcedAt: "2026-11-21T09:00:00Z" });
    await nights.untilDate("2026-12-05T22:00:00Z");
    expect(toldAt(nights, "S-2002")).toEqual([]);
    await nights.untilDate("2026-12-06T04:00:00Z");
    expect(toldAt(nights, "S-2002").map((told) => told.slice(0, 10))).toEqual(["2026-12-06"]);
    expect(nights.breaches()).toEqual([]);
  });

  it("[W6] a freeze over the first Sunday: nothing on it, and everything on the next", async () => {
    const nights = await SocketNights.begin({ start: START, sites: [PAIR], freezes: [{ from: "2026-11-28", to: "2026-11-30" }] });
    nights.operator();
    await nights.announce("18.0");
    await nights.untilDate("2026-12-06T04:00:00Z");
    expect(toldAt(nights, "S-2002").map((told) => told.slice(0, 10))).toEqual(["2026-12-06"]);
    expect([...nights.breaches(), ...nights.starved("18.0")]).toEqual([]);
  });

  it("[G4] a site that arrives a month after the ramp was through is brought up to date in its own window, with its own notice", async () => {
    const late = planned("late", "America/Lima", ["S-3001"]);
    const nights = await SocketNights.begin({ start: START, sites: [PAIR, late] });
    nights.operator();
    const device = nights.story.devices.device("S-3001");
    device.unplug();
    await nights.announce("18.0");
    await nights.untilDate("2027-01-05T12:00:00Z");
    expect(ledgerOf(nights, "S-3001").entries).toEqual([]);
    device.plug();
    await nights.untilDate("2027-01-25T12:00:00Z");
    expect(device.version).toBe("18.0");
    expect(nights.breaches()).toEqual([]);
  });

  it.each([
    [
      "while the first one is installing",
      (nights: SocketNights) => ledgerOf(nights, "S-2002").entries.some(({ ranFrom }) => ranFrom !== undefined),
    ],
    [
      "when the first one was just told",
      (nights: SocketNights) => ledgerOf(nights, "S-2002").entries.some(({ toldAt: told }) => told.length > 0),
    ],
  ] as const)("[S1] [I4] yesterday's inventory comes back %s: the other one is not started meanwhile", async (_, moment) => {
    const nights = await SocketNights.begin({ start: START, sites: [PAIR] });
    const { story } = nights;
    nights.operator();
    await nights.announce("18.0");
    await nights.untilDate("2026-11-28T00:00:00Z");
    const restore = story.world.inventory.backup();
    await nights.untilDate("2026-11-29T00:00:00Z");
    await nights.untilLedgers(() => moment(nights), 2 * HOUR, "the first telling");
    restore();
    await story.pass(10 * DAY);
    expect(nights.breaches()).toEqual([]);
    expect(story.versions()).toEqual({ "S-2001": "18.0", "S-2002": "18.0" });
  });

  it("[S1] [I4] yesterday's inventory and a Socket that never comes back: the other one waits for the next window", async () => {
    const nights = await SocketNights.begin({ start: START, sites: [PAIR] });
    const { story } = nights;
    nights.operator();
    await nights.announce("18.0");
    await nights.untilDate("2026-11-28T00:00:00Z");
    const restore = story.world.inventory.backup();
    await nights.untilDate("2026-11-29T00:00:00Z");
    await nights.untilLedgers(() => !story.devices.device("S-2002").isUp, 2 * HOUR, "the first installation");
    story.devices.device("S-2002").unplug();
    restore();
    await nights.untilDate("2026-12-05T00:00:00Z");
    expect(toldAt(nights, "S-2001")).toEqual([]);
    expect(nights.breaches()).toEqual([]);
  });

  it("[S14] an offer that nobody fetched is withdrawn at last start, and one that starts late is told to nobody else", async () => {
    const nights = await SocketNights.begin({ start: START, sites: [PAIR] });
    nights.story.devices.device("S-2002").behaviour = "lateStart";
    nights.operator();
    await nights.announce("18.0");
    await nights.untilDate("2026-12-01T00:00:00Z");
    expect(nights.breaches()).toEqual([]);
    expect(toldAt(nights, "S-2001").map((told) => told.slice(0, 10))).not.toContain("2026-11-29");
  });
});
