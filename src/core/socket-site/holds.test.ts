import { describe, expect, it } from "vitest";
import { socketSiteSpec } from "../../api/socket-site.ts";
import { isOver } from "../socket/command.ts";
import { commandRow } from "../socket/command.examples.ts";
import { rolloutView } from "../socket/rollout-view.examples.ts";
import { HOUR, MINUTE } from "../time/civil.ts";
import { decide } from "./decide.ts";
import type { SiteInventory, SocketSiteObservation } from "./observation.ts";
import { SiteWorld } from "./site-world.examples.ts";
import { berlin, device, inventoryOf } from "./socket-site.examples.ts";

const TUESDAY = "2026-11-24T12:00:00Z";
const CLOSES = "2026-11-29T02:00:00Z";
const fleet = berlin().fleet!;
const paused = rolloutView({ spec: { ...rolloutView().spec, paused: true } });

const without = (key: "account" | "window" | "fleet"): SocketSiteObservation => {
  const { [key]: _, ...rest } = berlin();
  return rest;
};

describe("what holds a site", () => {
  it.each<[reason: string, rule: string, given: Partial<SocketSiteObservation>]>([
    ["SerialNotOwned", "S3", { inventory: inventoryOf([device("S-2001")], { foreign: new Set(["S-2002"]) }) }],
    ["SerialNotOwned", "S3", { claimedTwice: new Map([["S-2001", { sameAccount: "munich" }]]) }],
    ["ModelMismatch", "S3", { inventory: inventoryOf([device("S-2001"), device("S-2002", { model: "X1500" })]) }],
    ["WindowInvalid", "W10", { window: { from: "Site", name: "gone" } }],
    ["FleetPaused", "G13", { fleet: { ...fleet, paused: true } }],
    ["Paused", "G13", { rollouts: [paused] }],
    ["PoPRolling", "S11", { pop: { name: "fra1", rolling: { rollout: "pop-1" } } }],
  ])("%s (%s): nothing starts, and it is the first reason at its start", (reason, rule, given) => {
    const world = new SiteWorld(TUESDAY, given);
    if (given.inventory !== undefined) {
      // Whoever is not enrolled is missing, and what is foreign stays so.
      const inventory = (): SiteInventory => SiteWorld.prototype.inventory.call(world);
      world.inventory = () => ({ ...inventory(), devices: given.inventory!.devices, foreign: given.inventory!.foreign });
    }
    world.until("2026-11-29T00:50:00Z");
    expect(world.told).toEqual([]);
    expect(world.status.holds![0]).toMatchObject({ rule, reason });
  });

  it("[S3] [W10] a namespace without account, no window at all and no Fleet", () => {
    const first = (seen: SocketSiteObservation) => decide(seen, Date.parse(TUESDAY)).holds.map(({ reason }) => reason);
    expect(first(without("account"))[0]).toBe("NoAccount");
    expect(first(without("window"))[0]).toBe("WindowInvalid");
    expect(first(without("fleet"))).toContain("FleetMissing");
  });

  it("[I15] a serial that another account's site names too is told without that site", () => {
    const seen = berlin({ claimedTwice: new Map([["S-2001", {}]]) });
    const [hold] = decide(seen, Date.parse(TUESDAY)).holds;
    expect(hold!.message).toBe("serial S-2001 is named by another site too; nothing starts on either until one of them is corrected");
  });

  it.each<[problem: string, given: Partial<SocketSiteObservation>, sentence: string]>([
    ["an unknown zone", { site: { ...berlin().site, spec: { ...berlin().site.spec, timeZone: "Europe/Berln" } } }, "Europe/Berlin"],
    ["a freeze that cannot be read", { fleet: { ...fleet, freezes: [{ name: "f", from: "2026-13-01", to: "2026-12-01" }] } }, "2026-13-01"],
  ])("[W10] %s: the sentence says what to write", (_, given, sentence) => {
    const { status } = decide(berlin(given), Date.parse(TUESDAY));
    expect(status!.holds![0]).toMatchObject({ reason: "WindowInvalid", message: expect.stringContaining(sentence) });
    expect(status!.conditions!.find(({ type }) => type === "Accepted")).toMatchObject({ status: "False", reason: "WindowInvalid" });
  });

  it("[S11] put off once it is first in the next window, and the same rollout does not put it off twice", () => {
    const rolling = { name: "fra1", rolling: { rollout: "pop-1" } };
    const world = new SiteWorld(TUESDAY, { pop: rolling });
    world.until(CLOSES);
    expect(world.upgrade).toMatchObject({ step: "Skipped", reason: "PoPRolling", start: "2026-12-06T00:00:00Z" });
    expect(world.status.putOff).toMatchObject({ rollout: "pop-1" });
    world.until("2026-12-06T02:00:00Z");
    expect(world.upgrade?.step).toBe("Completed");
    expect(world.told[0]!.at).toBe(Date.parse("2026-12-06T00:00:00Z"));
  });

  it("[S11] another rollout may put it off; a roll that is planned holds only what would not be over by then", () => {
    const world = new SiteWorld(TUESDAY, { pop: { name: "fra1", rolling: { rollout: "pop-1" } } });
    world.until(CLOSES);
    world.seen = { ...world.seen, pop: { name: "fra1", rolling: { rollout: "pop-2" } } };
    world.until("2026-12-06T02:00:00Z");
    expect(world.told).toEqual([]);
    const planned = (from: number) => {
      const other = new SiteWorld(TUESDAY, { pop: { name: "fra1", planned: { from, rollout: "pop-3" } } });
      other.until(CLOSES);
      return other.told.length;
    };
    const start = Date.parse("2026-11-29T00:35:30Z");
    expect(planned(start + 35 * MINUTE - 1_000)).toBe(0);
    expect(planned(start + 3 * HOUR)).toBe(2);
  });

  it("[S1] [I4] a row that lives and that status does not name holds the site; what nobody has is taken back", () => {
    const world = new SiteWorld(TUESDAY);
    world.rows.set("old", commandRow({ id: "old", serial: "S-2001", state: "Given", notAfter: Date.parse("2026-11-25T00:00:00Z") }));
    world.rows.set("older", commandRow({ id: "older", serial: "S-2001", state: "Open", notBefore: 0, notAfter: 1 }));
    world.until(CLOSES);
    expect(world.rows.get("older")!.state).toBe("Withdrawn");
    expect(world.told).toEqual([]);
    expect(world.upgrade).toMatchObject({ step: "Skipped", reason: "DeviceBusy" });
    world.until("2026-12-06T02:00:00Z");
    expect(world.rows.get("old")!.state).toBe("Unknown");
    expect(world.upgrade?.step).toBe("Completed");
  });

  it("[S1] a claim whose id is over already is of a ledger that was restored: it gets another id", () => {
    const world = new SiteWorld(TUESDAY);
    const id = "site-berlin.1.S-2002.1";
    world.rows.set(id, commandRow({ id, state: "Withdrawn", endedAt: Date.parse("2026-11-08T00:00:00Z") }));
    world.until(CLOSES);
    expect(world.told.map(({ serial }) => serial)).toEqual(["S-2002", "S-2001"]);
    expect([...world.rows.keys()]).toContain("site-berlin.1.S-2002.2");
  });

  it("a row that stands is taken back when a freeze is added before it was fetched", () => {
    const world = new SiteWorld(TUESDAY);
    world.until("2026-11-29T00:35:29Z");
    world.now += 1_000;
    world.look();
    const [row] = [...world.rows.values()];
    expect(row!.state).toBe("Open");
    world.seen = { ...world.seen, fleet: { ...fleet, freezes: [{ name: "now", from: "2026-11-29", to: "2026-11-29" }] } };
    world.until(CLOSES);
    expect(world.rows.get(row!.id)!.state).toBe("Withdrawn");
    expect(world.told).toEqual([]);
    // A freeze moves what has not started (W7), and it counts when it has rested an hour.
    expect(world.upgrade?.planned?.start).toBe("2026-12-06T00:00:00Z");
  });

  it("what both Sockets have not done is said of both", () => {
    const world = new SiteWorld(TUESDAY);
    for (const serial of ["S-2001", "S-2002"]) world.report(serial, { polledMilliseconds: 3_600_000 });
    world.look();
    const said = JSON.stringify([world.status.conditions, world.status.ha]);
    expect(said).toContain("S-2001 and S-2002 have not polled in time");
    expect(said).toContain("S-2001 and S-2002 have not said whether they hear the other");
    expect(said).not.toMatch(/S-2002 (has|is|does) /);
  });

  it("[S3] a serial that is claimed twice: nothing is announced, what was announced shows no start, and corrected it shows it again", () => {
    const twice = new Map([["S-2001", { sameAccount: "acme/munich" }]]);
    const fresh = new SiteWorld(TUESDAY, { claimedTwice: twice });
    fresh.until("2026-11-24T13:00:00Z");
    expect([fresh.upgrade, fresh.status.next]).toEqual([undefined, undefined]);
    expect(fresh.status.holds).toMatchObject([{ reason: "SerialNotOwned" }]);
    const world = new SiteWorld(TUESDAY);
    world.look();
    const { start, localStart } = world.upgrade!;
    world.seen = { ...world.seen, claimedTwice: twice };
    world.until("2026-11-24T13:00:00Z");
    expect([world.upgrade?.localStart, world.status.next]).toEqual([undefined, undefined]);
    const upToDate = () => world.status.conditions!.find(({ type }) => type === "UpToDate");
    expect(upToDate()).toMatchObject({ reason: "Behind", message: expect.stringContaining("S-2001 is named by another site") as string });
    world.seen = { ...world.seen, claimedTwice: new Map() };
    world.until("2026-11-24T14:00:00Z");
    expect(world.upgrade).toMatchObject({ start, localStart });
    expect(upToDate()).toMatchObject({ reason: "Planned" });
  });

  it("a site that is deleted takes back what nobody has, and starts nothing", () => {
    const { site } = berlin();
    const inventory = inventoryOf([device("S-2001")], { commands: new Map([["c", commandRow({ id: "c" })]]) });
    const decision = decide(berlin({ site: { ...site, deleting: true }, inventory }), Date.parse(TUESDAY));
    expect(decision).toMatchObject({ actions: [{ kind: "WithdrawCommand", id: "c" }] });
    expect(decision.status).toBeUndefined();
  });
});

describe("rest", () => {
  it("[G9] without the inventory nothing is concluded, offered or written", () => {
    const { inventory: _, ...seen } = berlin();
    const decision = decide(seen, Date.parse("2026-11-29T00:50:00Z"));
    expect([decision.status, decision.actions, decision.events]).toEqual([undefined, [], []]);
    expect(decision.holds).toMatchObject([{ reason: "InventoryUnavailable" }]);
  });

  it("[G9] a site in its window says that the inventory is away, once; back again it says what holds it, also while it rests", () => {
    const world = new SiteWorld(TUESDAY);
    world.until("2026-11-29T00:36:00Z");
    expect(world.upgrade?.command).toBeDefined();
    const { inventory: _, ...seen } = world.seen;
    const away = decide(seen, world.now);
    expect(away).toMatchObject({ actions: [], events: [], holds: [{ reason: "InventoryUnavailable" }] });
    const { holds, ...rest } = away.status!;
    expect(holds).toMatchObject([{ rule: "G9", reason: "InventoryUnavailable" }]);
    const { holds: __, ...before } = world.status;
    expect(rest, "nothing else of the ledger moves").toEqual(before);
    const told = { ...seen, site: { ...seen.site, status: away.status! } };
    expect(decide(told, world.now + MINUTE).status).toBeUndefined();
    const back = decide({ ...told, inventory: world.inventory() }, world.now + MINUTE);
    expect(back.status?.holds).toBeUndefined();
  });

  it("[G11] planned, open, done, mixed or held: the same an hour later is no write and no effect", () => {
    const worlds = [
      new SiteWorld(TUESDAY),
      new SiteWorld(TUESDAY, { hasNoticeChannel: true }),
      new SiteWorld(TUESDAY, { rollouts: [] }),
      new SiteWorld(TUESDAY, {
        inventory: inventoryOf([device("S-2001", { version: "18.0" }), device("S-2002", { version: "15.0" })]),
        rollouts: [],
      }),
      new SiteWorld(TUESDAY, { fleet: { ...fleet, paused: true } }),
      new SiteWorld("2026-11-30T00:00:00Z", {
        inventory: inventoryOf([device("S-2001", { version: "18.3.3" }), device("S-2002", { version: "18.3.3" })]),
      }),
    ];
    for (const world of worlds) {
      world.look();
      const { writes } = world;
      for (let hours = 0; hours < 48; hours += 1) {
        world.now += HOUR;
        world.look();
      }
      expect(world.writes).toBe(writes);
    }
  });

  it("[S14] polls are told once: from half an hour before the site's own start to the end of its window", () => {
    const world = new SiteWorld(TUESDAY);
    world.until("2026-11-28T23:57:00Z");
    const hint = decide(
      { ...world.seen, inventory: { ...world.inventory(), polls: undefined } as never },
      Date.parse("2026-11-28T23:57:00Z"),
    );
    expect(hint.actions).toEqual([
      {
        kind: "HintPolls",
        serials: ["S-2001", "S-2002"],
        from: Date.parse("2026-11-29T00:05:30Z"),
        first: Date.parse("2026-11-29T00:35:30Z"),
        until: Date.parse("2026-11-29T02:00:00Z"),
      },
    ]);
    expect(decide({ ...world.seen, inventory: world.inventory() }, Date.parse("2026-11-28T23:57:00Z")).actions).toEqual([]);
  });

  it("[G12] what a device says of itself is stripped and cut, and a version that does not parse counts as unknown", () => {
    const world = new SiteWorld(TUESDAY);
    world.report("S-2001", { version: `17\u001b[2J${"9".repeat(200)}`, model: `X\n${"y".repeat(100)}`, pop: "fra1\u202e" });
    world.look();
    expect(world.status.sockets![0]!.version).toMatch(/^17 \[2J9+…$/);
    expect(world.status.pop).toBeUndefined();
    expect(world.upgrade).toBeUndefined();
    expect(world.status.holds!.map(({ reason }) => reason)).toEqual(["ModelMismatch", "HealthUnknown"]);
  });

  it("[G6] a Socket that is replaced is brought up to date like a new one, with a notice of its own", () => {
    const world = new SiteWorld(TUESDAY);
    world.until("2026-12-29T12:00:00Z");
    expect(world.upgrade?.step).toBe("Completed");
    const { site } = world.seen;
    const sockets = [site.spec.sockets[0]!, { serial: "S-2009", role: "Secondary" as const, model: "X1600" }];
    world.devices.delete("S-2002");
    world.devices.set("S-2009", device("S-2009", { version: "17.2", ha: { state: "Standby", keepalive: true } }));
    world.report("S-2001", { ha: { state: "Active", keepalive: true } });
    world.seen = { ...world.seen, site: { ...site, spec: socketSiteSpec.parse({ ...site.spec, sockets }) } };
    world.until("2027-01-03T02:00:00Z");
    expect(world.told.at(-1)).toMatchObject({ serial: "S-2009", version: "18.3.3" });
    expect([...world.rows.values()].every(({ state }) => isOver(state))).toBe(true);
  });
});
