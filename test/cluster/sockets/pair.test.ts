import { expect, it, type TestContext } from "vitest";
import type { SocketSite } from "../../../src/api/socket-site.ts";
import { ensureSwupdate, SwupdateUnavailable } from "../../../tools/swupdate/install.ts";
import { whyNoPostgres } from "../../conformance/inventory/worlds.ts";
import { describeWithControlPlane } from "../control-plane/available.ts";
import { type Layout, PairWorld } from "./pair-world.ts";
import { skipping } from "./skipping-proxy.ts";

/** However busy the machine is: a limit on the test, not a claim. */
const PATIENCE = { timeout: 60_000, interval: 50 };
const MINUTE = 60_000;
const WEDNESDAY = "2026-11-25T12:00:00Z";
/** Sunday 01:00 to 03:00 in Berlin. */
const SUNDAY = { from: Date.parse("2026-11-29T00:00:00Z"), until: Date.parse("2026-11-29T02:00:00Z") };
const WEEK = 7 * 24 * 60 * MINUTE;

const startOf = ({ status }: SocketSite): number => Date.parse(status!.upgrade!.start!);

describeWithControlPlane("a pair of Debian's swupdates, the operator, its inventory and its gateway", () => {
  const opened = async (context: TestContext, layout: Layout): Promise<PairWorld> => {
    const skipped = (error: unknown) => context.skip(error instanceof SwupdateUnavailable ? error.message : whyNoPostgres(error));
    const world = await ensureSwupdate()
      .then((swupdate) => PairWorld.open(swupdate, layout, WEDNESDAY))
      .catch(skipped);
    context.onTestFinished(() => world.stop());
    return world;
  };

  it("[S1] [S2] [S5] [S12] standby first; killed in mid-install it goes back and its partner is not begun; a week later both are upgraded, one after the other", async (context) => {
    const world = await opened(context, "Embedded");
    const { calendar } = world.real;
    const [active, standby] = [await world.device("S-2001", "active"), await world.device("S-2002", "standby")];
    await Promise.all([active.boot(), standby.boot()]);
    await world.until("both are connected", ({ sockets = [] }) => sockets.length === 2 && sockets.every(({ connected }) => connected));
    await world.announce();
    const first = startOf(await world.until("it is planned", ({ upgrade }) => upgrade?.start !== undefined));
    expect(first, "in the window, 48 h after the notice").toBeGreaterThanOrEqual(SUNDAY.from);
    expect(first).toBeLessThan(SUNDAY.until);

    await calendar.jumpTo(first - MINUTE);
    const polls = await world.checkins("Nothing");
    await expect.poll(() => world.checkins("Nothing"), PATIENCE).toBeGreaterThanOrEqual(polls + 20);
    expect([standby.ledger, active.ledger], "ten polls each in the minute before the start bring nothing").toEqual([[], []]);

    standby.set("hold", true);
    await calendar.jumpTo(first);
    await expect.poll(() => standby.ledger, PATIENCE).toEqual(["begins 18.0.1"]);
    await standby.cutPower();
    standby.set("hold", false);
    await standby.boot("failure");
    await world.until("the attempt has failed", ({ sockets = [] }) => sockets[1]?.lastAttempt?.outcome === "Failed");
    await calendar.jumpTo(SUNDAY.until + MINUTE);
    expect([standby.version, active.version, active.ledger]).toEqual(["17.2", "17.2", []]);

    const again = await world.until("it is planned anew", ({ upgrade }) => Date.parse(upgrade?.start ?? "") >= SUNDAY.from + WEEK);
    await calendar.jumpTo(startOf(again));
    await standby.rebootWhenInstalled();
    expect(active.ledger, "its partner waits until it has proved itself").toEqual([]);
    await world.until("the standby runs 18.0.1", ({ sockets = [] }) => sockets[1]?.version === "18.0.1" || standby.version === "18.0.1");
    await calendar.setRate(60);
    await active.rebootWhenInstalled();
    const done = await world.until("both run it", ({ conditions = [] }) =>
      conditions.some(({ type, status }) => type === "UpToDate" && status === "True"),
    );
    await calendar.setRate(1);
    expect([standby.ledger, active.ledger]).toEqual([
      ["begins 18.0.1", "begins 18.0.1", "installed 18.0.1"],
      ["begins 18.0.1", "installed 18.0.1"],
    ]);
    expect(calendar.now(), "inside the window").toBeLessThan(SUNDAY.until + WEEK);
    expect(done.status?.ha?.story).toBeUndefined();
  });

  it("[S12] with PostgreSQL and a gateway of its own: a Socket that is told to skip answers success, and is not believed; its partner is not begun", async (context) => {
    const world = await opened(context, "Apart");
    const { calendar } = world.real;
    const proxy = await skipping(world.port);
    context.onTestFinished(() => proxy.close());
    const [active, standby] = [await world.device("S-2001", "active"), await world.device("S-2002", "standby", proxy.port)];
    await Promise.all([active.boot(), standby.boot()]);
    await world.until("both are connected", ({ sockets = [] }) => sockets.length === 2 && sockets.every(({ connected }) => connected));
    await world.announce();
    await calendar.jumpTo(startOf(await world.until("it is planned", ({ upgrade }) => upgrade?.start !== undefined)));
    await expect.poll(() => standby.log, PATIENCE).toContain('"update" : "skip"');
    await calendar.setRate(30);
    const failed = await world.until("it is told", ({ sockets = [] }) => sockets[1]?.lastAttempt?.outcome === "Failed");
    await calendar.setRate(1);
    expect(failed.status?.sockets?.[1]?.lastAttempt).toMatchObject({ reason: "VersionNotReported" });
    expect([standby.version, standby.ledger, active.version, active.ledger]).toEqual(["17.2", [], "17.2", []]);
  });
});
