import { describe, expect, it } from "vitest";
import { rolloutView } from "../socket/rollout-view.examples.ts";
import { MINUTE, SECOND } from "../time/civil.ts";
import { formatInstant } from "../time/instant.ts";
import { decide } from "./decide.ts";
import { fails, lies, SiteWorld } from "./site-world.examples.ts";
import { device, inventoryOf } from "./socket-site.examples.ts";

const TUESDAY = "2026-11-24T12:00:00Z";
/** Sunday 01:00 and 03:00 in Berlin. */
const OPENS = "2026-11-29T00:00:00Z";
const CLOSES = "2026-11-29T02:00:00Z";
const NEXT_OPENS = "2026-12-06T00:00:00Z";
const NEXT_CLOSES = "2026-12-06T02:00:00Z";

const toldTo = (world: SiteWorld) => world.told.map(({ serial, version }) => `${serial} ${version}`);
const gone = { polledMilliseconds: 3_600_000 };

/** On to the second look after the claim: the row is there, and nobody has fetched it yet. */
function claimed(world: SiteWorld): void {
  world.until(OPENS);
  world.until(Date.parse(world.upgrade!.start!) - SECOND);
  world.now += SECOND;
}

describe("a pair in its window", () => {
  it("[S2] goes one after the other, the standby first by its state and not its role, and no story opens", () => {
    const world = new SiteWorld(TUESDAY);
    world.until(CLOSES);
    expect(toldTo(world)).toEqual(["S-2002 18.3.3", "S-2001 18.3.3"]);
    expect(world.upgrade).toMatchObject({ step: "Completed", done: ["S-2002", "S-2001"] });
    expect(world.status.ha).toMatchObject({ status: "Ready" });
    expect(world.events.join()).not.toContain("Story");
    // The primary of the configuration may be the standby.
    const other = new SiteWorld(TUESDAY);
    other.report("S-2001", { ha: { state: "Standby", keepalive: true } });
    other.report("S-2002", { ha: { state: "Active", keepalive: true } });
    other.until(CLOSES);
    expect(toldTo(other)).toEqual(["S-2001 18.3.3", "S-2002 18.3.3"]);
  });

  it("[S2] PrimaryFirst goes by the role", () => {
    const world = new SiteWorld(TUESDAY, { policy: { order: "PrimaryFirst", haRemediation: "Automatic" } });
    world.until(CLOSES);
    expect(toldTo(world)).toEqual(["S-2001 18.3.3", "S-2002 18.3.3"]);
  });

  it("[S2] two majors at the start: the lower goes first, whatever the policy says", () => {
    const world = new SiteWorld(TUESDAY, { policy: { order: "PrimaryFirst", haRemediation: "Manual" } });
    world.report("S-2002", { version: "16.1" });
    world.until(CLOSES);
    expect(toldTo(world)).toEqual(["S-2002 18.3.3", "S-2001 18.3.3"]);
  });

  it("[S12] the second starts 10 minutes after the first itself reported the version, and not a second sooner", () => {
    const world = new SiteWorld(TUESDAY);
    world.until(CLOSES);
    const [first, second] = world.told;
    // 17 minutes until it reports, 10 of verification.
    expect(second!.at - first!.at).toBe(27 * MINUTE);
    expect(world.status.sockets!.map(({ lastAttempt }) => lastAttempt!.outcome)).toEqual(["Confirmed", "Confirmed"]);
  });

  it("[S12] a Socket that loses its connection while it is verified is verified anew", () => {
    const world = new SiteWorld(TUESDAY);
    world.behaviours.set("S-2002", ({ id, serial, version }, { now: _ }) => {
      world.later(10 * MINUTE, () => {
        world.change(id, "succeed");
        world.report(serial, { version, versionSeenAt: world.now, connectedSince: world.now });
      });
      world.later(15 * MINUTE, () => world.report(serial, { connectedSince: world.now }));
    });
    world.until(CLOSES);
    expect(world.told[1]!.at - world.told[0]!.at).toBe(25 * MINUTE);
  });

  it("[S1] the claim stands in status before the row is there, and only what status names is inserted", () => {
    const world = new SiteWorld(TUESDAY);
    claimed(world);
    const first = decide({ ...world.seen, inventory: world.inventory() }, world.now);
    expect(first.status?.upgrade).toMatchObject({ step: "InProgress", command: { serial: "S-2002", state: "Open" } });
    expect(first.actions.filter(({ kind }) => kind === "InsertCommand")).toEqual([]);
    const second = decide({ ...world.seen, site: { ...world.seen.site, status: first.status! }, inventory: world.inventory() }, world.now);
    expect(second.status).toBeUndefined();
    expect(second.actions).toMatchObject([{ kind: "InsertCommand", row: { serial: "S-2002", state: "Open", account: "acme" } }]);
    const [action] = second.actions;
    const row = action!.kind === "InsertCommand" ? action!.row : undefined;
    // To be given from the site's own start to its last start: 2 h less 62 min after the window opened.
    expect([row!.notBefore, row!.notAfter].map(formatInstant)).toEqual([world.upgrade!.start, "2026-11-29T00:58:00Z"]);
  });

  it("[S1] a claim without its row is inserted within a minute; later it counts as lost, whether or not somebody wrote that it was there", () => {
    const world = new SiteWorld(TUESDAY);
    claimed(world);
    const first = decide({ ...world.seen, inventory: world.inventory() }, world.now);
    const without = { ...world.seen, site: { ...world.seen.site, status: first.status! }, inventory: world.inventory() };
    const kinds = (now: number) => decide(without, now).actions.map(({ kind }) => kind);
    const claimedAt = Date.parse(first.status!.upgrade!.command!.claimedAt);
    expect(kinds(claimedAt + 5 * SECOND)).toContain("InsertCommand");
    // Later it is written first that it comes late: one before it may have been given and lost.
    const late = decide(without, claimedAt + 5 * SECOND + 1);
    expect([late.actions, late.status?.upgrade?.command?.late]).toEqual([[], true]);
    const written = { ...without, site: { ...without.site, status: late.status! } };
    const lateKinds = (now: number) => decide(written, now).actions.map(({ kind }) => kind);
    expect(lateKinds(claimedAt + 60 * SECOND)).toContain("InsertCommand");
    expect(lateKinds(claimedAt + 60 * SECOND + 1)).not.toContain("InsertCommand");
    expect(kinds(claimedAt + 60 * SECOND + 1)).not.toContain("InsertCommand");
    const lost = decide(without, claimedAt + 60 * SECOND + 1).status?.upgrade?.command;
    expect(lost).toMatchObject({ inserted: true, state: "Given" });
  });

  it("[S1] a row that status knows and the inventory has lost is awaited as given: never inserted again, and the partner waits", () => {
    const world = new SiteWorld(TUESDAY);
    claimed(world);
    // It does not poll meanwhile, so the row is still Open when its first minute is over, and status notes that it was there.
    world.look();
    world.report("S-2002", { polledMilliseconds: 3_600_000 });
    world.until(world.now + 50 * SECOND);
    expect(world.upgrade?.command?.inserted).toBeUndefined();
    world.until(world.now + 11 * SECOND);
    expect(world.upgrade?.command?.inserted).toBe(true);
    world.report("S-2002", { polledMilliseconds: SECOND });
    world.rows.clear();
    world.until(CLOSES);
    world.until("2026-12-05T23:00:00Z");
    expect(world.rows.size).toBe(0);
    expect(world.told).toEqual([]);
    expect(world.upgrade).toMatchObject({ step: "InProgress", command: { serial: "S-2002", state: "Given" } });
    // When the next window opens it is declared unknown, and the window after that is for another try, with another id.
    world.behaviours.clear();
    world.until(NEXT_CLOSES);
    expect(world.told).toEqual([]);
    expect(world.status.sockets![1]).toMatchObject({ lastAttempt: { outcome: "Unknown" } });
    world.until("2026-12-13T02:00:00Z");
    expect(world.status.sockets![1]).toMatchObject({ lastAttempt: { outcome: "Confirmed", command: "site-berlin.1.S-2002.2" } });
  });

  it("[S1] a device that took it and says nothing keeps the partner waiting until the next window", () => {
    const world = new SiteWorld(TUESDAY);
    world.behaviours.set("S-2002", ({ id }) => void world.change(id, "proceed"));
    world.until("2026-12-05T23:00:00Z");
    expect(toldTo(world)).toEqual(["S-2002 18.3.3"]);
    expect(world.upgrade?.command?.serial).toBe("S-2002");
    world.behaviours.clear();
    world.until(NEXT_CLOSES);
    expect([...world.rows.values()].map(({ state }) => state)).toContain("Unknown");
    expect(world.upgrade?.step, "the next window is for another try").not.toBe("InProgress");
  });

  it("[S14] what nobody fetched is taken back at last start, and the site is skipped", () => {
    const world = new SiteWorld(TUESDAY);
    claimed(world);
    world.look();
    world.until(world.now);
    const told = world.told.length;
    world.told.length = 0;
    expect(told).toBe(0);
    const row = [...world.rows.values()][0]!;
    expect(row.state).toBe("Open");
    world.report("S-2002", gone);
    world.until(CLOSES);
    expect(world.rows.get(row.id)!.state).toBe("Withdrawn");
    expect(world.upgrade).toMatchObject({ step: "Skipped", reason: "NotConnected", planned: { start: NEXT_OPENS } });
  });

  it("[S14] given and not begun at last start: the device is asked to drop it; a late start is counted and the site gets more time", () => {
    const world = new SiteWorld(TUESDAY);
    world.behaviours.set("S-2002", ({ id, serial, version, notAfter }) => {
      world.later(notAfter + 5 * MINUTE - world.now, () => world.change(id, "proceed"));
      world.later(notAfter + 25 * MINUTE - world.now, () => {
        world.change(id, "succeed");
        world.report(serial, { version, versionSeenAt: world.now, connectedSince: world.now });
      });
    });
    world.until(CLOSES);
    expect(world.cancelRequested).toEqual(new Set(["site-berlin.1.S-2002.1"]));
    expect(world.status.sockets![1]!.lastAttempt).toMatchObject({ outcome: "Confirmed", reason: "LateStart" });
    // The second had no time left; the next window is used for half an hour less.
    expect(world.upgrade).toMatchObject({ step: "Skipped", planned: { start: NEXT_OPENS }, lastStart: "2026-12-06T00:55:00Z" });
  });

  it("[S5] failed, tried again in the next window, then it has its verdict and is not tried again", () => {
    const world = new SiteWorld(TUESDAY);
    world.behaviours.set("S-2002", fails);
    world.until(CLOSES);
    expect(toldTo(world)).toEqual(["S-2002 18.3.3"]);
    expect(world.upgrade).toMatchObject({ step: "Failed", reason: "InstallFailed", planned: { start: NEXT_OPENS } });
    expect(world.status.verdicts).toMatchObject([{ serial: "S-2002", failedWindows: 1, failed: false }]);
    expect(world.status.sockets![1]!.lastAttempt).toMatchObject({ outcome: "Failed", message: "signature [31m does not verify" });
    // The first to try installed nothing and was down for its restart: the other is the active one now, and is not touched.
    world.report("S-2001", { ha: { state: "Active", keepalive: true } });
    world.report("S-2002", { ha: { state: "Standby", keepalive: true } });
    world.until("2026-12-20T04:00:00Z");
    expect(toldTo(world)).toEqual(["S-2002 18.3.3", "S-2002 18.3.3"]);
    expect(world.status.verdicts).toMatchObject([{ failedWindows: 2, failed: true }]);
    expect(world.status.holds).toMatchObject([{ rule: "G8", reason: "FailedBefore" }]);
    expect(world.status.conditions!.find(({ type }) => type === "Ready")).toMatchObject({ status: "False", reason: "NeedsAttention" });
  });

  it("[G8] a verdict that only the inventory still knows counts as well", () => {
    const inventory = inventoryOf([device("S-2001"), device("S-2002", { ha: { state: "Standby", keepalive: true } })], {
      verdicts: [{ serial: "S-2002", revision: rolloutView().revision, failed: true }],
    });
    const world = new SiteWorld(TUESDAY);
    const { status } = decide({ ...world.seen, inventory }, world.now);
    expect(status?.upgrade).toBeUndefined();
    expect(status?.holds).toMatchObject([{ reason: "FailedBefore" }]);
  });

  it("[S12] a success without the version is Failed(VersionNotReported) after 10 minutes, and the partner is not started", () => {
    const world = new SiteWorld(TUESDAY);
    world.behaviours.set("S-2002", lies);
    world.until(CLOSES);
    expect(toldTo(world)).toEqual(["S-2002 18.3.3"]);
    expect(world.status.sockets![1]!.lastAttempt).toMatchObject({ outcome: "Failed", reason: "VersionNotReported" });
    expect(Date.parse(world.status.sockets![1]!.lastAttempt!.endedAt) - world.told[0]!.at).toBe(12 * MINUTE);
  });

  it("[S8] a pause after the first has started finishes the pair", () => {
    const world = new SiteWorld(TUESDAY);
    world.until(OPENS);
    world.until(Date.parse(world.upgrade!.start!) + 2 * MINUTE);
    expect(toldTo(world)).toEqual(["S-2002 18.3.3"]);
    const rollout = rolloutView();
    world.seen = { ...world.seen, rollouts: [{ ...rollout, spec: { ...rollout.spec, paused: true } }] };
    world.until(CLOSES);
    expect(toldTo(world)).toEqual(["S-2002 18.3.3", "S-2001 18.3.3"]);
  });

  it("[S8] a stop by failures finishes the Socket alone", () => {
    const world = new SiteWorld(TUESDAY);
    world.until(OPENS);
    world.until(Date.parse(world.upgrade!.start!) + 2 * MINUTE);
    world.seen = { ...world.seen, rollouts: [rolloutView({ stopped: "Failures" })] };
    world.until(NEXT_CLOSES);
    expect(toldTo(world)).toEqual(["S-2002 18.3.3"]);
    expect(world.status.sockets![1]!.lastAttempt).toMatchObject({ outcome: "Confirmed" });
    expect(world.upgrade).toMatchObject({ step: "Skipped", reason: "Stopped" });
    expect(world.status.ha?.story?.remedy).toEqual({ action: "AwaitFixedVersion", serial: "S-2001" });
  });

  it("[I9] status is written at most three times for each Socket of a pair, the plan included", () => {
    const world = new SiteWorld(TUESDAY);
    world.until(CLOSES);
    world.until("2026-11-30T00:00:00Z");
    expect(world.writes).toBeLessThanOrEqual(6);
  });
});

describe("a Socket that is not there", () => {
  it.each([
    ["not connected", { polledMilliseconds: 631_000 }, "NotConnected"],
    ["unstable", { gaps: 4 }, "Unstable"],
  ] as const)("[S4] %s at its last start: Skipped, and tried in the next window", (_, report, reason) => {
    const world = new SiteWorld(TUESDAY);
    world.report("S-2001", report);
    world.until(CLOSES);
    expect(world.told).toEqual([]);
    expect(world.upgrade).toMatchObject({ step: "Skipped", reason, planned: { start: NEXT_OPENS } });
    world.report("S-2001", { polledMilliseconds: 1, gaps: 0 });
    world.until(NEXT_CLOSES);
    expect(world.upgrade?.step).toBe("Completed");
  });

  it("[S4] polled within 2 × its hint + 30 s it is connected, and with three gaps a day not unstable", () => {
    const world = new SiteWorld(TUESDAY);
    world.report("S-2001", { polledMilliseconds: 630_000, gaps: 3 });
    world.until(CLOSES);
    expect(world.upgrade?.step).toBe("Completed");
  });

  it("[S4] a window that the operator slept through is OperatorAbsent", () => {
    const world = new SiteWorld(TUESDAY);
    world.look();
    world.now = Date.parse("2026-11-29T08:00:00Z");
    world.report("S-2001", gone);
    world.seen = { ...world.seen, watchingSince: world.now - 5 * MINUTE };
    world.look();
    expect(world.upgrade).toMatchObject({ step: "Skipped", reason: "OperatorAbsent" });
  });

  it.each([
    ["keepalive is lost", { ha: { state: "Standby", keepalive: false } }, "HANotReady"],
    ["both are active", { ha: { state: "Active", keepalive: true } }, "HealthUnknown"],
    ["it has not said its state", { ha: { state: "Unknown", keepalive: true } }, "HealthUnknown"],
  ] as const)("[S2] nothing starts while %s", (_, report, reason) => {
    const world = new SiteWorld(TUESDAY);
    world.report("S-2002", report);
    world.until(CLOSES);
    expect(world.told).toEqual([]);
    expect(world.upgrade).toMatchObject({ step: "Skipped", reason });
  });
});
