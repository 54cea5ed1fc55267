import { describe, expect, it } from "vitest";
import { socketSiteSpec } from "../../api/socket-site.ts";
import { rolloutView } from "../socket/rollout-view.examples.ts";
import { HOUR, MINUTE } from "../time/civil.ts";
import { decide } from "./decide.ts";
import type { SocketSiteObservation } from "./observation.ts";
import { SiteWorld } from "./site-world.examples.ts";
import { berlin, device, inventoryOf } from "./socket-site.examples.ts";

const ACCEPTS = { hasNoticeChannel: true } as const;
const startOf = (world: SiteWorld) => world.upgrade?.window?.start;

const inZone = (timeZone: string, given: Partial<SocketSiteObservation> = {}): Partial<SocketSiteObservation> => {
  const { site } = berlin();
  const spec = socketSiteSpec.parse({ timeZone, sockets: [{ serial: "S-2001", role: "Primary" }] });
  return { site: { ...site, spec }, inventory: inventoryOf([device("S-2001")]), ...given };
};

/** The spec of the site read anew in another zone. */
const moved = (world: SiteWorld, timeZone: string): void => {
  const { site } = world.seen;
  world.seen = { ...world.seen, site: { ...site, generation: site.generation + 1, spec: { ...site.spec, timeZone } } };
};

describe("what moves a planned start", () => {
  const planned = () => {
    const world = new SiteWorld("2026-11-24T12:00:00Z", { ...inZone("Asia/Tokyo"), ...ACCEPTS });
    world.look();
    return world;
  };
  const TOKYO = "2026-11-28T16:00:00Z";

  it("[W7] Tokyo to London and back within an hour is no change: the date stays and nobody is told", () => {
    const world = planned();
    expect(startOf(world)).toBe(TOKYO);
    moved(world, "Europe/London");
    world.look();
    expect(startOf(world), "meanwhile the later of both").toBe("2026-11-29T01:00:00Z");
    world.until(world.now + 59 * MINUTE);
    moved(world, "Asia/Tokyo");
    world.until(world.now + 2 * HOUR);
    expect(startOf(world)).toBe(TOKYO);
    expect(world.notices.map(({ kind }) => kind)).toEqual(["Planned"]);
    expect(world.upgrade?.change).toBeUndefined();
  });

  it("[W7] after an hour it counts: one notice, under the first announcement because it is later", () => {
    const world = planned();
    moved(world, "Europe/London");
    world.until(world.now + 61 * MINUTE);
    expect(startOf(world)).toBe("2026-11-29T01:00:00Z");
    expect(world.notices.map(({ kind }) => kind)).toEqual(["Planned", "Moved"]);
    expect(world.upgrade?.planned?.announcedAt).toBe("2026-11-24T12:00:00Z");
  });

  it("[W7] an earlier start has a full notice of its own, and has to be taken by the channel like the first", () => {
    const world = new SiteWorld("2026-11-24T12:00:00Z", { ...inZone("Europe/London"), ...ACCEPTS });
    world.look();
    world.until("2026-11-27T12:00:00Z");
    // 15:00 UTC on Saturday is less than 48 hours away: Tokyo's Sunday comes a week later.
    moved(world, "Asia/Tokyo");
    world.channel = "Blocked";
    world.until("2026-11-30T12:00:00Z");
    expect(world.told).toEqual([]);
    expect(startOf(world)).toBe("2026-12-05T16:00:00Z");
    world.until("2026-12-05T20:00:00Z");
    world.channel = "Takes";
    world.until("2026-12-06T20:00:00Z");
    const taken = world.accepted.get(world.notices.at(-1)!.id)!.acceptedAt;
    world.until("2026-12-20T20:00:00Z");
    expect(world.upgrade?.step).toBe("Completed");
    for (const { at } of world.told) expect(at - taken).toBeGreaterThanOrEqual(48 * HOUR);
  });

  it("[W7] a freeze that is added moves it later after its hour, and lifted again gives a full notice", () => {
    const world = new SiteWorld("2026-11-24T12:00:00Z", ACCEPTS);
    world.look();
    const fleet = world.seen.fleet!;
    world.seen = { ...world.seen, fleet: { ...fleet, freezes: [{ name: "fair", from: "2026-11-28", to: "2026-11-30" }] } };
    world.until("2026-11-28T12:00:00Z");
    expect(startOf(world)).toBe("2026-12-06T00:00:00Z");
    world.seen = { ...world.seen, fleet };
    world.until("2026-11-29T12:00:00Z");
    expect(world.told).toEqual([]);
    expect(startOf(world)).toBe("2026-12-06T00:00:00Z");
  });

  it("[W7] a date edited to a later one gives its notice, one edited to an earlier one takes none away", () => {
    const world = new SiteWorld("2026-11-24T12:00:00Z");
    world.look();
    world.seen = { ...world.seen, rollouts: [rolloutView({ announcedAt: Date.parse("2026-11-28T12:00:00Z") })] };
    world.until("2026-11-24T14:00:00Z");
    expect(startOf(world)).toBe("2026-12-06T00:00:00Z");
    world.seen = { ...world.seen, rollouts: [rolloutView({ announcedAt: Date.parse("2026-11-01T12:00:00Z") })] };
    world.until("2026-11-29T12:00:00Z");
    expect(world.told).toEqual([]);
  });

  it("[G10] edits after the first Socket was started move nothing: the pair finishes under the rule it began with", () => {
    const world = new SiteWorld("2026-11-24T12:00:00Z");
    world.until("2026-11-29T00:00:00Z");
    world.until(Date.parse(world.upgrade!.start!) + MINUTE);
    const order = world.upgrade!.order;
    world.seen = { ...world.seen, policy: { order: "PrimaryFirst", haRemediation: "Manual" } };
    world.until("2026-11-29T02:00:00Z");
    expect([world.upgrade?.order, world.upgrade?.step]).toEqual([order, "Completed"]);
  });
});

describe("the time that it needs", () => {
  const shortened = (end: string) => {
    const { window } = berlin();
    const schedule = { weekly: [{ day: "Sunday" as const, start: "01:00", end }], everyWeeks: 1 };
    return { window: { ...window!, spec: { ...window!.spec!, schedule } } };
  };

  it.each([false, true])(
    "[W4] a pair needs 62 minutes: in a window of an hour nothing is planned, WindowTooShort (channel: %s)",
    (hasNoticeChannel) => {
      const world = new SiteWorld("2026-11-24T12:00:00Z", { ...shortened("02:00"), hasNoticeChannel });
      world.until("2026-11-29T03:00:00Z");
      expect(world.told).toEqual([]);
      expect(world.status.holds).toMatchObject([{ rule: "W4", reason: "WindowTooShort", message: expect.stringContaining("1h2m") }]);
      expect(world.status.conditions!.find(({ type }) => type === "Accepted")).toMatchObject({ status: "False", reason: "WindowTooShort" });
    },
  );

  it("[S13] prefetching Sockets have their downloads behind them: 52 minutes fit", () => {
    const world = new SiteWorld("2026-11-24T12:00:00Z", shortened("02:00"));
    for (const serial of ["S-2001", "S-2002"]) world.report(serial, { prefetches: true });
    world.look();
    expect(world.upgrade).toMatchObject({ window: { start: "2026-11-29T00:00:00Z" }, lastStart: "2026-11-29T00:08:00Z" });
  });

  it("[S13] a prefetching Socket gets its row ahead, to be given from its start on; it is withdrawn when the rollout is paused", () => {
    const world = new SiteWorld("2026-11-24T12:00:00Z");
    world.report("S-2002", { prefetches: true });
    world.until("2026-11-28T23:00:00Z");
    const [row] = [...world.rows.values()];
    expect(row).toMatchObject({ serial: "S-2002", state: "Open", notBefore: Date.parse(world.upgrade!.start!) });
    expect(world.upgrade?.step).toBe("Scheduled");
    world.seen = { ...world.seen, rollouts: [rolloutView({ spec: { ...rolloutView().spec, paused: true } })] };
    world.look();
    expect(world.rows.get(row!.id)!.state).toBe("Withdrawn");
    world.seen = { ...world.seen, rollouts: [rolloutView()] };
    world.until("2026-11-29T02:00:00Z");
    expect(world.told.map(({ serial }) => serial)).toEqual(["S-2002", "S-2001"]);
  });

  it("[W4] measured times count where they are longer than expected", () => {
    const world = new SiteWorld("2026-11-24T12:00:00Z", { rollouts: [rolloutView({ measured: { install: 30 * MINUTE } })] });
    world.look();
    expect(world.upgrade?.lastStart).toBe("2026-11-29T00:48:00Z");
  });

  it("[W11] starts of a thousand sites lie in [start, last start] and are spread over it", () => {
    const starts = Array.from({ length: 1_000 }, (_, index) => {
      const seen = berlin();
      const { status } = decide({ ...seen, site: { ...seen.site, uid: `site-${index}` } }, Date.parse("2026-11-24T12:00:00Z"));
      expect(Date.parse(status!.upgrade!.start!)).toBeLessThanOrEqual(Date.parse(status!.upgrade!.lastStart!));
      return Date.parse(status!.upgrade!.start!) - Date.parse("2026-11-29T00:00:00Z");
    });
    expect(Math.min(...starts)).toBeGreaterThanOrEqual(0);
    const minutes = new Set(starts.map((start) => Math.floor(start / MINUTE)));
    expect(minutes.size).toBeGreaterThan(30);
  });
});
