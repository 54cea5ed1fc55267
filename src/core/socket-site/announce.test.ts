import { describe, expect, it } from "vitest";
import { socketSiteSpec } from "../../api/socket-site.ts";
import { rolloutView } from "../socket/rollout-view.examples.ts";
import { HOUR, MINUTE } from "../time/civil.ts";
import type { SocketSiteObservation } from "./observation.ts";
import { SiteWorld } from "./site-world.examples.ts";
import { berlin, device, inventoryOf } from "./socket-site.examples.ts";

const ACCEPTS = { hasNoticeChannel: true } as const;
const startOf = (world: SiteWorld) => world.upgrade?.window?.start;

/** A rollout announced, seen and in its ramp at these instants; the last counts for the ramp. */
const announcedAt = (release: string, seen = release, rampOpened = seen) =>
  rolloutView({
    announcedAt: Date.parse(release),
    seenAt: Date.parse(seen),
    ramp: { step: 0, percent: 100, opened: [{ percent: 100, at: rampOpened }] },
  });

const inZone = (timeZone: string, given: Partial<SocketSiteObservation> = {}): Partial<SocketSiteObservation> => {
  const { site } = berlin();
  const spec = socketSiteSpec.parse({ timeZone, sockets: [{ serial: "S-2001", role: "Primary" }] });
  return { site: { ...site, spec }, inventory: inventoryOf([device("S-2001")]), ...given };
};

describe("the announcement", () => {
  it("[W3] Tokyo, Sunday 01:00, announced Friday 3 March 2023 18:00: Sunday 12 March, for the 5th is 31 hours away", () => {
    const rollouts = [announcedAt("2023-03-03T09:00:00Z")];
    const world = new SiteWorld("2023-03-03T09:00:00Z", inZone("Asia/Tokyo", { rollouts, watchingSince: 0 }));
    world.look();
    expect(startOf(world)).toBe("2023-03-11T16:00:00Z");
    expect(world.upgrade?.localStart).toMatch(/^2023-03-12T0[12]:/);
    expect(world.status.holds).toMatchObject([{ rule: "W3", reason: "NoticeNotElapsed" }]);
  });

  it.each([
    ["48 h to the millisecond is enough", "2026-11-27T00:00:00.000Z", "2026-11-29T00:00:00Z"],
    ["a millisecond less is not", "2026-11-27T00:00:00.001Z", "2026-12-06T00:00:00Z"],
  ])("[W3] %s", (_, instant, start) => {
    const world = new SiteWorld(instant, { rollouts: [announcedAt("2026-11-20T00:00:00Z", "2026-11-20T00:00:00Z")] });
    const at = Date.parse(instant);
    world.seen = {
      ...world.seen,
      rollouts: [rolloutView({ seenAt: at, ramp: { step: 0, percent: 100, opened: [{ percent: 100, at: "2026-11-20T00:00:00Z" }] } })],
    };
    world.look();
    expect(startOf(world)).toBe(start);
  });

  it("[W3] a date in the past gives no notice away: seen on Saturday it starts on the Sunday eight days later", () => {
    const world = new SiteWorld("2026-11-28T10:00:00Z", { rollouts: [announcedAt("2026-11-21T10:00:00Z", "2026-11-28T10:00:00Z")] });
    world.look();
    expect(world.upgrade?.announced?.decidedBy).toBe("seen");
    expect(startOf(world)).toBe("2026-12-06T00:00:00Z");
    world.until("2026-11-29T03:00:00Z");
    expect(world.told).toEqual([]);
  });

  it.each([
    ["15 minutes late counts as the others", 15 * MINUTE, "seen", "2026-11-29T00:00:00Z"],
    ["15 minutes and a second late decides", 15 * MINUTE + 1_000, "noticeAcceptedAt", "2026-12-06T00:00:00Z"],
  ])("[W3] accepted %s", (_, late, decidedBy, start) => {
    const thursday = "2026-11-26T23:50:00Z";
    const rollouts = [announcedAt("2026-11-20T00:00:00Z", thursday, thursday)];
    const world = new SiteWorld(thursday, { ...ACCEPTS, rollouts });
    world.channel = "Blocked";
    world.look();
    expect(world.status.holds).toMatchObject([{ rule: "W3", reason: "NoticeNotElapsed" }]);
    world.now += late;
    world.channel = "Takes";
    world.look();
    expect(world.upgrade?.announced?.decidedBy).toBe(decidedBy);
    expect(startOf(world)).toBe(start);
  });

  it("[W3] with the channel blocked from Thursday to Saturday nothing starts on Sunday, and what was told is true", () => {
    const thursday = "2026-11-26T10:00:00Z";
    const world = new SiteWorld(thursday, { ...ACCEPTS, rollouts: [announcedAt(thursday)] });
    world.channel = "Blocked";
    world.until("2026-11-28T20:00:00Z");
    expect(world.notices).toEqual([]);
    world.channel = "Takes";
    world.until("2026-11-29T03:00:00Z");
    expect(world.told).toEqual([]);
    expect(world.notices.map(({ start }) => start)).toEqual([Date.parse("2026-12-06T00:00:00Z")]);
    world.until("2026-12-06T02:00:00Z");
    expect(world.upgrade?.step).toBe("Completed");
    for (const { at } of world.told) expect(at - world.accepted.get(world.notices[0]!.id)!.acceptedAt).toBeGreaterThanOrEqual(48 * HOUR);
  });

  it("[W3] a calendar that shows parts of a second gives none of the notice away", () => {
    const world = new SiteWorld("2026-11-26T23:59:59.400Z", { ...ACCEPTS, rollouts: [announcedAt("2026-11-26T10:00:00Z")] });
    world.look();
    const { noticeAcceptedAt } = world.upgrade!.announced!;
    expect(noticeAcceptedAt).toBe("2026-11-27T00:00:00Z");
    expect(world.upgrade!.planned!.announcedAt).toBe("2026-11-27T00:00:00Z");
  });

  it("[I9] one notice for a planned start, and none when the inventory forgot that it was taken", () => {
    const world = new SiteWorld("2026-11-24T12:00:00Z", ACCEPTS);
    world.until("2026-11-25T12:00:00Z");
    expect(world.notices.map(({ kind }) => kind)).toEqual(["Planned"]);
    world.accepted.clear();
    world.until("2026-11-26T12:00:00Z");
    expect(world.notices).toHaveLength(1);
  });

  it("[W3] the longer notice of the account's window counts, and no less than the provider's", () => {
    const { window } = berlin();
    const of = (notice: string) => {
      const world = new SiteWorld("2026-11-24T12:00:00Z", { window: { ...window!, spec: { ...window!.spec!, notice } } });
      world.look();
      return startOf(world);
    };
    expect(of("120h")).toBe("2026-12-06T00:00:00Z");
    expect(of("1h")).toBe("2026-11-29T00:00:00Z");
  });
});

describe("which version", () => {
  const newer = (release: string) => ({
    ...announcedAt(release),
    name: "socket-18-4-0",
    uid: "rollout-18-4-0",
    revision: "18.4.0-1",
    spec: { ...rolloutView().spec, version: "18.4.0" },
  });

  it("[S9] a newer one takes the place of an announced one where its own notice is over by then", () => {
    const world = new SiteWorld("2026-11-24T12:00:00Z", ACCEPTS);
    world.look();
    world.seen = { ...world.seen, rollouts: [...world.seen.rollouts, newer("2026-11-25T12:00:00Z")] };
    world.until("2026-11-29T02:00:00Z");
    expect(world.told.map(({ version }) => version)).toEqual(["18.4.0", "18.4.0"]);
    expect(world.notices.map(({ version }) => version)).toEqual(["18.3.3", "18.4.0"]);
  });

  it("[S9] announced less than 48 hours before, it goes a week later, and the older one goes as it was told", () => {
    const world = new SiteWorld("2026-11-24T12:00:00Z");
    world.look();
    world.until("2026-11-27T12:00:00Z");
    world.seen = { ...world.seen, rollouts: [...world.seen.rollouts, newer("2026-11-27T12:00:00Z")] };
    world.until("2026-12-06T02:00:00Z");
    expect(world.told.map(({ version }) => version)).toEqual(["18.3.3", "18.3.3", "18.4.0", "18.4.0"]);
  });

  it.each([
    ["S10", "NotInRamp", { ramp: { step: 0, percent: 0, opened: [] } }, {}],
    ["G4", "NotInRamp", { late: "Waiting" as const, standingSince: 0 }, {}],
    ["S9", "VersionCapped", {}, { maximumVersion: "18.3.2" }],
    ["S9", "OtherBase", { spec: { ...rolloutView().spec, from: ">=17.3" } }, {}],
  ])("[%s] nothing is planned, and the reason is %s", (rule, reason, rollout, spec) => {
    const { site } = berlin();
    const world = new SiteWorld("2026-11-24T12:00:00Z", {
      rollouts: [rolloutView(rollout)],
      site: { ...site, spec: { ...site.spec, ...spec } },
    });
    world.look();
    expect(world.upgrade).toBeUndefined();
    expect(world.status.holds).toMatchObject([{ rule, reason }]);
  });

  it.each([
    ["for another model", { spec: { ...rolloutView().spec, models: ["X1500"] } }],
    ["not newer than what runs", { spec: { ...rolloutView().spec, version: "17.1" } }],
    ["never seen by us", { seenAt: undefined }],
    ["not accepted", { accepted: false }],
    ["stopped", { stopped: "Person" as const }],
  ])("[S9] a rollout that is %s plans nothing", (_, given) => {
    const { seenAt, ...rest } = rolloutView(given as object);
    const world = new SiteWorld("2026-11-24T12:00:00Z", { rollouts: [{ ...rest, ...(seenAt === undefined ? {} : { seenAt }) }] });
    world.look();
    expect(world.upgrade).toBeUndefined();
  });

  it("[S10] a ramp that reaches the site later announces it then", () => {
    const world = new SiteWorld("2026-11-24T12:00:00Z", {
      rollouts: [rolloutView({ ramp: { step: 0, percent: 1, opened: [{ percent: 1, at: "2026-11-20T09:00:00Z" }] } })],
    });
    world.until("2026-11-28T12:00:00Z");
    expect(world.upgrade).toBeUndefined();
    const opened = [
      { percent: 1, at: "2026-11-20T09:00:00Z" },
      { percent: 100, at: "2026-11-28T12:00:00Z" },
    ];
    world.seen = { ...world.seen, rollouts: [rolloutView({ ramp: { step: 1, percent: 100, opened } })] };
    world.until("2026-11-29T12:00:00Z");
    expect(world.told).toEqual([]);
    expect(world.upgrade?.announced).toMatchObject({ decidedBy: "rampOpened", rampOpened: "2026-11-28T12:00:00Z" });
  });

  it("a rollout that is stopped while it waits withdraws its start, and tells those who were told of it", () => {
    const world = new SiteWorld("2026-11-24T12:00:00Z", ACCEPTS);
    world.until("2026-11-25T12:00:00Z");
    world.seen = { ...world.seen, rollouts: [rolloutView({ stopped: "Person" })] };
    world.until("2026-11-29T12:00:00Z");
    expect(world.told).toEqual([]);
    expect(world.upgrade).toMatchObject({ step: "Skipped", reason: "Stopped" });
    expect(world.notices.map(({ kind }) => kind)).toEqual(["Planned", "Withdrawn"]);
  });
});
