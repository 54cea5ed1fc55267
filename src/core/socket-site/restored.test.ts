import { describe, expect, it } from "vitest";
import { socketSiteSpec } from "../../api/socket-site.ts";
import { HOUR, MINUTE, SECOND } from "../time/civil.ts";
import { SiteWorld } from "./site-world.examples.ts";

/** The pair of Berlin at the start of its night, its first command claimed and given; its inventory is then lost. */
function toldAndLost(afterMilliseconds: number): SiteWorld {
  const world = new SiteWorld("2026-11-24T12:00:00Z");
  world.until("2026-11-29T00:00:00Z");
  world.until(world.upgrade!.start!);
  while (world.told.length === 0) world.until(world.now + SECOND);
  world.now = Math.max(world.now, Date.parse(world.upgrade!.command!.claimedAt) + afterMilliseconds);
  world.rows.clear();
  return world;
}

const ASKED = "2026-11-24T13:00:00Z";

const ask = (world: SiteWorld, serial: string, at: string): void => {
  const { site } = world.seen;
  const spec = socketSiteSpec.parse({ ...site.spec, requests: { upgradeNow: { serial, version: "18.3.3", at } } });
  world.seen = { ...world.seen, site: { ...site, generation: site.generation + 1, spec } };
};

/** The same by request: S-2002 was told on a Tuesday at noon, nothing is known of it yet, and the inventory loses its last seconds. */
function askedAndLost(afterMilliseconds: number): SiteWorld {
  const world = new SiteWorld("2026-11-24T12:00:00Z");
  world.until(ASKED);
  ask(world, "S-2002", ASKED);
  // What the pass after the claim wrote is lost with a leader that did not live to see it: status has the claim, and not that it was there.
  while (world.upgrade?.cause !== "Request") world.until(world.now + SECOND);
  const { inserted: _, ...command } = world.upgrade.command!;
  const upgrade = { ...world.upgrade, command: { ...command, state: "Open" as const } };
  world.seen = { ...world.seen, site: { ...world.seen.site, status: { ...world.status, upgrade } } };
  world.now = Date.parse(command.claimedAt) + afterMilliseconds;
  world.rows.clear();
  return world;
}

const paused = (world: SiteWorld, isPaused: boolean): void => {
  world.seen = { ...world.seen, fleet: { ...world.seen.fleet!, paused: isPaused } };
};

describe("an inventory that comes back from yesterday", () => {
  it("[S1] a claim of ten seconds ago whose row is missing is not given back while something holds the site: it may have been given", () => {
    const world = toldAndLost(10 * SECOND);
    const { command } = world.upgrade!;
    world.report("S-2001", { polledMilliseconds: HOUR });
    world.look();
    expect(world.upgrade!.command?.id).toBe(command!.id);
    world.now += 2 * MINUTE;
    world.look();
    expect(world.upgrade).toMatchObject({ command: { id: command!.id, inserted: true, state: "Given" } });
  });

  it("[S1] a row that is inserted again within the minute and then taken back counts as told: the partner gets no command meanwhile", () => {
    const world = toldAndLost(10 * SECOND);
    const { command } = world.upgrade!;
    world.look();
    expect([...world.rows.values()].map(({ id, state }) => [id, state])).toEqual([[command!.id, "Open"]]);
    world.report("S-2001", { polledMilliseconds: HOUR });
    world.look();
    expect([...world.rows.values()]).toMatchObject([{ state: "Withdrawn" }]);
    expect(world.upgrade, "the device may be installing what it was given before").toMatchObject({
      step: "InProgress",
      command: { id: command!.id },
    });
    world.report("S-2001", { polledMilliseconds: SECOND });
    world.until(world.now + 10 * MINUTE);
    expect(world.told).toHaveLength(1);
    // It was: it comes back with the version, and its partner has its turn.
    world.until("2026-11-29T02:00:00Z");
    expect(world.told.map(({ serial }) => serial)).toEqual(["S-2002", "S-2001"]);
    expect(world.status.sockets!.map(({ lastAttempt }) => lastAttempt?.outcome)).toEqual(["Confirmed", "Confirmed"]);
  });

  it("[S1] [S4] the same by request: asked anew, nobody gets a second command", () => {
    const world = askedAndLost(10 * SECOND);
    const { command } = world.upgrade!;
    world.look();
    expect([...world.rows.keys()]).toEqual([command!.id]);
    paused(world, true);
    world.look();
    paused(world, false);
    ask(world, "S-2001", "2026-11-24T13:01:00Z");
    world.now += 2 * MINUTE;
    world.look();
    expect([...world.rows.keys()]).toEqual([command!.id]);
    expect(world.upgrade).toMatchObject({ command: { id: command!.id } });
    expect(world.status.handled).toEqual({ upgradeNow: ASKED });
  });

  it.each(["S-2002", "S-2001"])(
    "[S1] [S4] upgradeNow of ten seconds ago whose row is missing keeps its claim and its at while the Fleet is paused; asked then, %s gets no second command",
    (serial) => {
      const world = askedAndLost(10 * SECOND);
      const { command } = world.upgrade!;
      paused(world, true);
      world.look();
      expect(world.upgrade!.command?.id).toBe(command!.id);
      expect(world.status.handled).toEqual({ upgradeNow: ASKED });
      paused(world, false);
      ask(world, serial, "2026-11-24T13:01:00Z");
      world.now += MINUTE;
      world.look();
      expect(world.upgrade).toMatchObject({ command: { id: command!.id, inserted: true, state: "Given" } });
      expect([...world.rows.keys()]).toEqual([]);
      expect(world.status.holds).toMatchObject([{ reason: "DeviceBusy" }]);
    },
  );

  it("[S4] upgradeNow that is held within five seconds of its claim is as good as new: nobody can have had its row", () => {
    const world = askedAndLost(5 * SECOND);
    paused(world, true);
    world.look();
    expect(world.upgrade?.command).toBeUndefined();
    expect(world.status.handled).toBeUndefined();
    paused(world, false);
    world.look();
    expect([...world.rows.values()]).toMatchObject([{ serial: "S-2002", state: "Open" }]);
  });

  it("[S2] [S12] a Socket that came to the version two minutes ago, and that no ledger knows as done, keeps the other one for ten minutes", () => {
    const world = new SiteWorld("2026-11-24T12:00:00Z");
    world.until("2026-11-29T00:00:00Z");
    const start = Date.parse(world.upgrade!.start!);
    world.until(start - SECOND);
    const since = start - 2 * MINUTE;
    world.report("S-2002", { version: "18.3.3", versionSeenAt: since, connectedSince: since });
    world.until(since + 10 * MINUTE - SECOND);
    expect(world.told).toEqual([]);
    world.until(Date.parse("2026-11-29T01:30:00Z"));
    expect(world.told).toMatchObject([{ serial: "S-2001" }]);
    expect(world.told[0]!.at).toBeGreaterThanOrEqual(since + 10 * MINUTE);
  });
});
