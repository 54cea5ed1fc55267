import { beforeEach, describe, expect, it } from "vitest";
import type { GatewayView } from "../../core/socket/answer.ts";
import { commandRow } from "../../core/socket/command.examples.ts";
import { VirtualClock } from "../clock.ts";
import { Agenda } from "./agenda.ts";
import type { Behaviour } from "./behaviour.ts";
import { Device } from "./device.ts";
import { DirectGateway } from "./direct.ts";
import { MemoryInventory } from "./inventory.ts";
import { PairLink } from "./pair-link.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.parse("2026-11-29T00:00:00Z");
/** The command of the world: S-2002 may be told from START on, for an hour. */
const ROW = commandRow({ notBefore: START, notAfter: START + HOUR });

let clock: VirtualClock;
let inventory: MemoryInventory;
let agenda: Agenda;
let devices: readonly Device[];
let view: GatewayView | undefined;

beforeEach(() => {
  clock = new VirtualClock(START - 2 * HOUR);
  inventory = new MemoryInventory(() => clock.elapsed());
  agenda = new Agenda({ clock });
  view = {
    fleet: { paused: false, freezes: [] },
    rollout: { paused: false },
    site: { zone: "Europe/Berlin", command: ROW.id, done: [] },
  };
});

/** S-2001, active, and S-2002 beside it, which behaves as it is told; both enrolled. */
async function pair(behaviour: Behaviour): Promise<Device> {
  const link = new PairLink(["S-2001", "S-2002"]);
  const one = async (serial: string, so: Behaviour, seed: number): Promise<Device> => {
    await inventory.enroll({ serial, account: "acme", tokenHash: serial, at: clock.now(), oldTokensUntil: clock.now() });
    const hints = { ordinary: 5 * MINUTE, near: MINUTE };
    const gateway = new DirectGateway({ clock, inventory, hints, viewOf: () => Promise.resolve(view) }, { account: "acme", serial });
    const device = new Device({
      account: "acme",
      serial,
      model: "X1600",
      version: "17.2",
      clock,
      agenda,
      gateway,
      behaviour: so,
      link,
      seed,
    });
    device.start();
    return device;
  };
  devices = [await one("S-2001", "ok", 1), await one("S-2002", behaviour, 2)];
  await clock.advance(30 * MINUTE);
  expect(await inventory.insertCommand(ROW)).toBe(true);
  return devices[1]!;
}

const reported = async (serial: string) =>
  (await inventory.site({ uid: "site-berlin", account: "acme", serials: [serial] })).devices.get(serial);
const row = async () =>
  (await inventory.site({ uid: "site-berlin", account: "acme", serials: ["S-2002"], named: ROW.id })).commands.get(ROW.id);

describe("a Socket of the simulation", () => {
  it("[S1] is told inside the row's time only, is away while it installs, and comes back as the standby on the new version", async () => {
    const device = await pair("ok");
    await clock.advance(1.5 * HOUR - 1);
    expect(device.ledger.entries).toEqual([]);
    await clock.advance(11 * MINUTE);
    const [entry] = device.ledger.entries;
    expect(entry?.toldAt).toHaveLength(1);
    // A poll that asks for attributes offers nothing: at the ordinary pace it is the second one.
    expect(entry!.toldAt[0]! - START).toBeLessThan(10 * MINUTE);
    expect(entry).toMatchObject({ wasActive: false, versionBefore: "17.2", version: "18.3.3" });
    await clock.advance(18 * MINUTE);
    expect(entry).toMatchObject({ outcome: "Installed", versionAfter: "18.3.3" });
    expect(entry!.ranUntil! - entry!.ranFrom!).toBeGreaterThanOrEqual(12 * MINUTE);
    expect(await row()).toMatchObject({ state: "Succeeded" });
    expect(await reported("S-2002")).toMatchObject({ version: "18.3.3", ha: { state: "Standby", keepalive: true } });
  });

  it("[S2] fails over: the active one that goes away hands over, and both say so", async () => {
    await pair("ok");
    devices[0]!.unplug();
    await clock.advance(6 * MINUTE);
    expect(await reported("S-2002")).toMatchObject({ ha: { state: "Active", keepalive: false } });
    devices[0]!.plug();
    await clock.advance(6 * MINUTE);
    expect(await reported("S-2001")).toMatchObject({ ha: { state: "Standby", keepalive: true } });
    expect(await reported("S-2002")).toMatchObject({ ha: { state: "Active", keepalive: true } });
    expect(devices[0]!.ledger.absences).toEqual([
      { from: expect.any(Number) as number, until: expect.any(Number) as number, why: "Unplugged" },
    ]);
  });

  it.each([
    ["fails", "Failed", "Failed", false],
    ["rollsBack", "RolledBack", "Failed", true],
    ["liesSuccess", "Lied", "Succeeded", false],
  ] as const)("[S12] one that %s ends %s, its row %s, and it runs what it ran before", async (behaviour, outcome, state, wasAway) => {
    const device = await pair(behaviour);
    await clock.advance(2 * HOUR + 10 * MINUTE);
    expect(device.ledger.entries).toMatchObject([{ outcome, versionAfter: "17.2" }]);
    expect(device.ledger.entries[0]!.ranFrom !== undefined).toBe(wasAway);
    expect(await row()).toMatchObject({ state });
    expect(device.version).toBe("17.2");
  });

  it("[S13] one that fetches ahead is told to wait before its window, and installs in it without a download", async () => {
    const device = await pair("prefetch");
    await clock.advance(HOUR);
    expect(device.ledger.entries).toMatchObject([{ toldAt: [] }]);
    expect(device.ledger.entries[0]!.aheadAt).toBeLessThan(START);
    await clock.advance(60 * MINUTE);
    const [entry] = device.ledger.entries;
    expect(entry!.toldAt[0]).toBeGreaterThanOrEqual(START);
    expect(entry!.ranFrom! - entry!.toldAt[0]!).toBeLessThan(2_000);
    expect(entry).toMatchObject({ outcome: "Installed" });
  });

  it("[S14] one that starts late begins after its last start, and the row tells", async () => {
    const device = await pair("lateStart");
    await clock.advance(6 * HOUR);
    expect(device.ledger.entries).toMatchObject([{ outcome: "Installed" }]);
    const { proceedingAt, notAfter } = (await row())!;
    expect(proceedingAt).toBeGreaterThan(notAfter);
  });

  it("[S4] a flaky one leaves gaps that are counted, an offline one is never heard", async () => {
    await pair("flaky");
    await clock.advance(8 * HOUR);
    expect((await reported("S-2002"))!.gaps).toBeGreaterThan(3);
    const device = devices[0]!;
    device.behaviour = "offline";
    const { polls } = device.ledger;
    await clock.advance(HOUR);
    expect(device.ledger.polls).toBe(polls);
    expect(device.ledger.absences.at(-1)).toMatchObject({ why: "Unreachable" });
  });

  it("[S5] one whose power is cut in the middle of an installation runs the old version when it is back, and says that it failed", async () => {
    const device = await pair("slow");
    await clock.advance(2 * HOUR + 25 * MINUTE);
    expect(device.isUp).toBe(false);
    device.unplug();
    await clock.advance(HOUR);
    device.plug();
    await clock.advance(MINUTE);
    expect(device.ledger.entries).toMatchObject([{ outcome: "RolledBack", versionAfter: "17.2" }]);
    expect(await row()).toMatchObject({ state: "Failed" });
  });

  it("[G15] is told nothing by a gateway whose view is not fresh, however often it polls", async () => {
    const device = await pair("ok");
    view = undefined;
    await clock.advance(3 * HOUR);
    expect(device.ledger.entries).toEqual([]);
    expect(await row()).toMatchObject({ state: "Open" });
  });

  it("[I19] a thousand of them wake on a handful of timers", async () => {
    await pair("ok");
    for (let index = 0; index < 1_000; index++) agenda.after(index % 60_000, () => Promise.resolve());
    expect(clock.pending).toBeLessThan(5);
  });
});
