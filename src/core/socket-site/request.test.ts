import { describe, expect, it } from "vitest";
import { socketSiteSpec } from "../../api/socket-site.ts";
import { rolloutView } from "../socket/rollout-view.examples.ts";
import { HOUR, MINUTE } from "../time/civil.ts";
import { fails, SiteWorld } from "./site-world.examples.ts";
import { berlin } from "./socket-site.examples.ts";

const MONDAY = "2026-11-23T12:00:00Z";
const ask = (world: SiteWorld, given: Record<string, unknown> = {}): void => {
  const { site } = world.seen;
  const upgradeNow = { serial: "S-2002", version: "18.3.3", at: MONDAY, ...given };
  const spec = socketSiteSpec.parse({ ...site.spec, requests: { upgradeNow } });
  world.seen = { ...world.seen, site: { ...site, generation: site.generation + 1, spec } };
};
const toldTo = (world: SiteWorld) => world.told.map(({ serial }) => serial);
/** A rollout that is for nobody by its ramp. */
const outside = rolloutView({ ramp: { step: 0, percent: 0, opened: [] } });

describe("upgrade now", () => {
  it("[S4] without window, notice and ramp, one Socket, once for each value of at", () => {
    const world = new SiteWorld(MONDAY, { rollouts: [outside], policy: { order: "StandbyFirst", haRemediation: "Manual" } });
    ask(world);
    world.until("2026-11-23T14:00:00Z");
    expect(toldTo(world)).toEqual(["S-2002"]);
    expect(world.upgrade).toMatchObject({ cause: "Request", step: "Completed" });
    expect(world.status.handled).toEqual({ upgradeNow: "2026-11-23T12:00:00Z" });
    world.report("S-2002", { version: "17.2" });
    world.until("2026-11-23T20:00:00Z");
    expect(toldTo(world)).toEqual(["S-2002"]);
    ask(world, { at: "2026-11-23T21:00:00+01:00" });
    world.until("2026-11-23T23:00:00Z");
    expect(toldTo(world)).toEqual(["S-2002", "S-2002"]);
  });

  it("[S6] the pair that it leaves on two majors has its story at once", () => {
    const world = new SiteWorld(MONDAY, { rollouts: [outside], policy: { order: "StandbyFirst", haRemediation: "Manual" } });
    ask(world);
    world.until("2026-11-23T12:20:00Z");
    expect(world.status.ha!.story).toBeUndefined();
    world.until("2026-11-23T14:00:00Z");
    expect(world.status.ha!.story).toMatchObject({ lower: { serial: "S-2001" } });
  });

  it("[G8] a person who names a version that failed there has it tried again", () => {
    const world = new SiteWorld(MONDAY);
    const verdict = {
      serial: "S-2002",
      revision: rolloutView().revision,
      failedWindows: 2,
      failed: true,
      at: MONDAY,
      reason: "InstallFailed",
    };
    world.seen = { ...world.seen, site: { ...world.seen.site, status: { verdicts: [verdict] } } };
    ask(world);
    world.until("2026-11-23T14:00:00Z");
    expect(toldTo(world)).toEqual(["S-2002"]);
  });

  it.each([
    ["the partner is not connected", "NotConnected", (world: SiteWorld) => world.report("S-2001", { polledMilliseconds: 3_600_000 })],
    ["the Socket is not connected", "NotConnected", (world: SiteWorld) => world.report("S-2002", { polledMilliseconds: 3_600_000 })],
    [
      "a freeze holds",
      "Frozen",
      (world: SiteWorld) => {
        world.seen = { ...world.seen, fleet: { ...world.seen.fleet!, freezes: [{ name: "fair", from: "2026-11-23", to: "2026-11-23" }] } };
      },
    ],
    [
      "its PoP is being rolled",
      "PoPRolling",
      (world: SiteWorld) => {
        world.seen = { ...world.seen, pop: { name: "fra1", rolling: {} } };
      },
    ],
    [
      "the Fleet is paused",
      "FleetPaused",
      (world: SiteWorld) => {
        world.seen = { ...world.seen, fleet: { ...world.seen.fleet!, paused: true } };
      },
    ],
    [
      "the rollout is paused",
      "Paused",
      (world: SiteWorld) => {
        world.seen = { ...world.seen, rollouts: [{ ...outside, spec: { ...outside.spec, paused: true } }] };
      },
    ],
  ])("[S4] it waits while %s, and goes on afterwards", (_, reason, hold) => {
    const world = new SiteWorld(MONDAY, { rollouts: [outside] });
    const before = { seen: world.seen, devices: new Map(world.devices) };
    hold(world);
    ask(world);
    world.until("2026-11-23T13:00:00Z");
    expect(world.told).toEqual([]);
    expect(world.status.holds![0]).toMatchObject({ reason });
    world.seen = { ...before.seen, site: world.seen.site };
    for (const [serial, report] of before.devices) world.devices.set(serial, report);
    world.until("2026-11-23T16:00:00Z");
    expect(toldTo(world)).toEqual(["S-2002"]);
  });

  it("[S4] with acceptDowntime a pair with a dead partner is upgraded all the same", () => {
    const world = new SiteWorld(MONDAY, { rollouts: [outside] });
    world.report("S-2001", { polledMilliseconds: 3_600_000 });
    ask(world, { acceptDowntime: true });
    world.until("2026-11-23T14:00:00Z");
    expect(toldTo(world)).toEqual(["S-2002"]);
  });

  it.each([
    ["no rollout carries the version", { version: "18.9" }, "no SocketRollout carries 18.9"],
    ["it runs the version already", { version: "17.2" }, "runs 17.2 already"],
    ["it would be a downgrade", { version: "16.0" }, "nothing is downgraded"],
    ["it was asked more than a day ago", { at: "2026-11-22T11:59:59Z" }, "more than a day ago"],
  ])("[S4] it is refused with a sentence when %s", (_, given, sentence) => {
    const rollouts = ["18.3.3", "17.2", "16.0"].map((version) => ({ ...outside, uid: version, spec: { ...outside.spec, version } }));
    const world = new SiteWorld(MONDAY, { rollouts });
    ask(world, given);
    world.until("2026-11-23T14:00:00Z");
    expect(world.told).toEqual([]);
    expect(world.events.join()).toContain(sentence);
    expect(world.status.handled?.upgradeNow).toBeDefined();
  });

  it("[S4] while another Socket is in hand it waits its turn: DeviceBusy", () => {
    const world = new SiteWorld("2026-11-24T12:00:00Z");
    world.until("2026-11-29T00:00:00Z");
    world.until(Date.parse(world.upgrade!.start!) + 2 * MINUTE);
    ask(world, { serial: "S-2001", at: "2026-11-28T23:00:00Z" });
    world.until(world.now + 5 * MINUTE);
    expect(world.status.holds).toMatchObject([{ reason: "DeviceBusy" }]);
    expect(toldTo(world)).toEqual(["S-2002"]);
  });

  it("[S14] what the device does not fetch within an hour is taken back, and the person is told", () => {
    const world = new SiteWorld(MONDAY, { rollouts: [outside] });
    ask(world);
    world.look();
    world.report("S-2002", { polledMilliseconds: 3_600_000 });
    world.until("2026-11-23T13:00:00Z");
    expect([...world.rows.values()].map(({ state }) => state)).toEqual(["Open"]);
    world.until("2026-11-23T13:00:01Z");
    expect([...world.rows.values()].map(({ state }) => state)).toEqual(["Withdrawn"]);
    expect(world.upgrade).toMatchObject({ cause: "Request", step: "Skipped", reason: "Withdrawn" });
  });

  it("[S5] a request that fails is not repeated by itself", () => {
    const world = new SiteWorld(MONDAY, { rollouts: [outside] });
    world.behaviours.set("S-2002", fails);
    ask(world);
    world.until("2026-12-08T14:00:00Z");
    expect(toldTo(world)).toEqual(["S-2002"]);
    expect(world.upgrade).toMatchObject({ cause: "Request", step: "Failed", reason: "InstallFailed" });
  });

  it("[W3] what was planned before a request is planned anew, with its whole notice", () => {
    const world = new SiteWorld("2026-11-28T00:30:00Z", { site: berlin().site });
    world.now = Date.parse("2026-11-24T12:00:00Z");
    world.look();
    world.now = Date.parse("2026-11-28T12:00:00Z");
    ask(world, { at: "2026-11-28T12:00:00Z" });
    world.until("2026-11-28T14:00:00Z");
    expect(toldTo(world)).toEqual(["S-2002"]);
    expect(world.upgrade).toMatchObject({ cause: "Remedy", planned: { start: "2026-12-06T00:00:00Z" } });
    world.until(world.now + HOUR);
  });
});
