import { describe, expect, it } from "vitest";
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
