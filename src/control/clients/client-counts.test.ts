import { beforeEach, describe, expect, it } from "vitest";
import type { ClientRollout } from "../../api/client-rollout.ts";
import { clientRollout, inPhase, inStage } from "../../core/client/client.examples.ts";
import { VirtualClock } from "../../simulation/clock.ts";
import { MemoryClientInventory } from "../../simulation/clients/inventory.ts";
import { type Outage, withOutages } from "../../simulation/devices/outages.ts";
import { ClientCounts } from "./client-counts.ts";

const START = Date.parse("2026-11-02T09:00:00Z");
const [SECOND, MINUTE] = [1_000, 60_000];

let clock: VirtualClock;
let inventory: MemoryClientInventory;
let outage: Outage;
let rollouts: ClientRollout[];
let woken: string[];
let told: string[];
let versions: number;
let counts: ClientCounts;
const { uid, name } = clientRollout().metadata;

beforeEach(async () => {
  clock = new VirtualClock(START);
  inventory = new MemoryClientInventory(() => clock.elapsed());
  [outage, rollouts, woken, told, versions] = ["None", [clientRollout({ status: inStage("Pilot") })], [], [], 0];
  counts = new ClientCounts({
    clock,
    inventory: withOutages(inventory, () => outage),
    rollouts: () => rollouts,
    every: 10 * SECOND,
    onRollouts: (uids) => void woken.push(...uids),
    onAccount: (account, pilots) => void told.push(`${account}${pilots ? " pilots" : ""}`),
    onRead: () => {},
    onVersions: () => void (versions += 1),
    onError: (message) => {
      throw new Error(message);
    },
  });
  await inventory.recordCensus(uid, START, [{ stage: "pilot", account: "acme", devices: 2, pilots: 1 }]);
});

const report = (device: string, pilot: boolean, meaning?: "Failed") =>
  inventory.record([
    {
      account: "acme",
      device,
      os: "Windows",
      version: "5.11.0",
      at: clock.now(),
      offered: true,
      requestId: `${device} ${clock.now()}`,
      reached: { rollout: uid, revision: "r", stage: "pilot", pilot },
      ...(meaning === undefined ? {} : { said: { meaning } }),
    },
  ]);

describe("[C4] what is counted of Clients", () => {
  it("is read each ten seconds while a rollout is in flight, and wakes whom it concerns alone", async () => {
    await counts.start();
    expect(counts.of(uid)!.stages.get("pilot")).toMatchObject({ eligible: 2, offered: 0 });
    expect([woken, told, versions]).toEqual([[uid], ["acme pilots"], 1]);
    await clock.advance(40 * SECOND);
    expect([woken.length, told.length]).toEqual([1, 1]);
    await report("pc-1", false);
    await clock.advance(10 * SECOND);
    expect(counts.of(uid)!.accounts.get("acme")).toMatchObject({ all: { offered: 1 }, pilots: { offered: 0 } });
    // That of others than its pilots moves all the time, and can wait.
    expect([woken.length, told]).toEqual([2, ["acme pilots", "acme"]]);
    await report("pc-2", true);
    await clock.advance(10 * SECOND);
    // Once for its pilots, once for one device more.
    expect(told.slice(2)).toEqual(["acme pilots", "acme"]);
    expect(counts.devicesOf("acme")?.get("Windows")).toBe(2);
  });

  it("of a rollout that stands each minute, and of one that is gone no more", async () => {
    await counts.start();
    rollouts = [clientRollout({ status: { ...inPhase(3, 100, 100), standingSince: "2026-11-02T09:00:00Z" } })];
    await report("pc-1", false);
    await clock.advance(30 * SECOND);
    expect(counts.of(uid)!.stages.get("pilot")!.offered).toBe(0);
    await clock.advance(MINUTE);
    expect(counts.of(uid)!.stages.get("pilot")!.offered).toBe(1);
    rollouts = [];
    await clock.advance(10 * SECOND);
    expect(counts.of(uid)).toBeUndefined();
  });

  it("[G9] is nothing while the inventory is away, which every rollout hears once, and there again when it is back", async () => {
    await counts.start();
    const replicas = () => counts.replicas();
    outage = "Away";
    await clock.advance(10 * SECOND);
    expect([counts.of(uid), await replicas(), woken]).toEqual([undefined, undefined, [uid, uid]]);
    await clock.advance(MINUTE);
    expect(woken).toHaveLength(2);
    outage = "None";
    await clock.advance(10 * SECOND);
    expect([counts.of(uid)!.stages.size, await replicas(), woken.length]).toEqual([1, [], 3]);
  });

  it("is nothing before a census of the rollout, though the inventory answers", async () => {
    rollouts = [clientRollout({ name: "macos", spec: { os: "macOS" }, status: inStage("Pilot") })];
    await counts.start();
    expect(counts.of(rollouts[0]!.metadata.uid)).toBeUndefined();
    expect(name).not.toBe("macos");
  });

  it("[C7] files that live gateways cannot read: told once when they change, and of a silent gateway not at all", async () => {
    const beat = (name: string, missing: ReadonlyMap<string, string>) =>
      inventory.beat({ name, pauses: new Map(), policies: new Map(), missing });
    await counts.start();
    await beat("one", new Map([[uid, "put the file there"]]));
    await beat("two", new Map());
    await clock.advance(10 * SECOND);
    expect([counts.missingOf(uid), woken.slice(1)]).toEqual([[{ gateway: "one", problem: "put the file there" }], [uid]]);
    await beat("one", new Map([[uid, "put the file there"]]));
    await clock.advance(10 * SECOND);
    expect(woken).toHaveLength(2);
    await clock.advance(10 * SECOND);
    expect([counts.missingOf(uid), woken.length], "silent for 20 s").toEqual([[], 3]);
  });

  it("[G15] gateways are asked for once for all who look within half a second", async () => {
    await inventory.beat({ name: "one", pauses: new Map([[uid, 3]]), policies: new Map() });
    expect(await counts.replicas()).toMatchObject([{ name: "one", silentMilliseconds: 0 }]);
    await clock.advance(400);
    expect(await counts.replicas()).toMatchObject([{ silentMilliseconds: 0 }]);
    await clock.advance(200);
    expect(await counts.replicas()).toMatchObject([{ silentMilliseconds: 600 }]);
  });
});
