import { beforeEach, describe, expect, it } from "vitest";
import { clientPolicies } from "../../api/client-policy.ts";
import type { ClientRollout } from "../../api/client-rollout.ts";
import type { ClientAccount } from "../../core/client/accounts.ts";
import { clientRollout, inPhase, inStage } from "../../core/client/client.examples.ts";
import { VirtualClock } from "../../simulation/clock.ts";
import { MemoryClientInventory } from "../../simulation/clients/inventory.ts";
import { InventoryUnavailable } from "../inventory.ts";
import { Census } from "./census.ts";

const START = Date.parse("2026-11-02T09:00:00Z");
const HOUR = 3_600_000;
const AUTOMATIC = { windows: { upgrade: "Automatic", pilotGroup: { groups: ["it"] } } };

let clock: VirtualClock;
let inventory: MemoryClientInventory;
let rollouts: ClientRollout[];
let accounts: Map<string, ClientAccount>;
let leads: boolean;
/** What was asked of the inventory, in order. */
let asked: string[];
let failed: unknown[];
let directories: ReadonlyMap<string, number>;

const account = (policies: object = AUTOMATIC): ClientAccount => ({
  labels: {},
  namespace: "acme",
  policies: clientPolicies.parse(policies),
  generation: 1,
});
const census = (hears: (call: string) => void = () => {}): Census =>
  new Census({
    clock,
    inventory: new Proxy(inventory, {
      get: (target, name): unknown => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        return async (...given: unknown[]): Promise<unknown> => {
          asked.push(String(name));
          hears(String(name));
          return (await Reflect.apply(value, target, given)) as unknown;
        };
      },
    }),
    isLeader: () => leads,
    rollouts: () => rollouts,
    accounts: () => accounts,
    directories: () => directories,
    every: HOUR,
    onCounted: () => void asked.push("counted!"),
    onError: (_, error) => void failed.push(error),
  });
/** Looks, and lets the walk go on between its slices. */
const look = async (one: Census, milliseconds = 1_000): Promise<void> => {
  const looked = one.look();
  await clock.advance(milliseconds);
  await looked;
};
const devices = (count: number, of = "acme") =>
  inventory.record(
    Array.from({ length: count }, (_, nth) => ({
      account: of,
      device: `pc-${nth}`,
      user: `user-${nth}`,
      os: "Windows" as const,
      version: "5.11.0",
      at: START,
      offered: false,
    })),
  );
const eligible = async (): Promise<number> => {
  const counted = await inventory.counted(rollouts[0]!.metadata.uid);
  return (counted?.rows ?? []).reduce((sum, { numbers }) => sum + numbers.eligible, 0);
};
const walks = (): number => asked.filter((name) => name === "recordCensus").length;

beforeEach(async () => {
  clock = new VirtualClock(START);
  inventory = new MemoryClientInventory(() => clock.elapsed());
  rollouts = [clientRollout({ status: inStage("Pilot") })];
  accounts = new Map([["acme", account()]]);
  [leads, asked, failed, directories] = [true, [], [], new Map()];
  await devices(1_200);
});

describe("[C4] the census", () => {
  it("counts when a version is announced, not when a stage opens, and each hour while the rollout is in flight", async () => {
    const one = census();
    rollouts = [clientRollout()];
    await look(one);
    expect([walks(), one.covers(rollouts[0]!)]).toEqual([0, false]);
    rollouts = [clientRollout({ status: inStage("Pilot") })];
    await look(one);
    expect([walks(), await eligible(), one.covers(rollouts[0]!)]).toEqual([1, 1_200, true]);
    for (const phase of [1, 2, 3]) {
      rollouts = [clientRollout({ status: inPhase(phase, 30 * phase, 30 * phase) })];
      await look(one, 60_000);
    }
    expect(walks()).toBe(1);
    await clock.advance(HOUR);
    await look(one);
    expect(walks()).toBe(2);
  });

  it("counts anew when phases, policies or a directory are edited, and no more often than it rests", async () => {
    const one = census();
    await look(one, 60_000);
    accounts = new Map([["acme", account({ windows: { upgrade: "Managed" } })]]);
    await look(one, 60_000);
    expect([walks(), await eligible()]).toEqual([2, 0]);
    accounts = new Map([["acme", account()]]);
    await look(one);
    rollouts = [clientRollout({ spec: { phases: [{ accountsPercent: 100, usersPercent: 100 }] }, status: inStage("Pilot") })];
    expect(one.covers(rollouts[0]!)).toBe(false);
    await look(one);
    expect(walks()).toBe(3);
    await clock.advance(60_000);
    await look(one, 60_000);
    expect([walks(), one.covers(rollouts[0]!)]).toEqual([4, true]);
    await inventory.importDirectory("acme", [{ user: "user-7", groups: ["it"], devices: [] }]);
    directories = await inventory.directories();
    await look(one, 60_000);
    const { rows } = (await inventory.counted(rollouts[0]!.metadata.uid))!;
    expect(rows.find(({ stage }) => stage === "pilot")).toMatchObject({ numbers: { eligible: 1 }, pilots: { eligible: 1 } });
  });

  it("walks in slices of 500 devices, and others have their turn between two of them", async () => {
    const one = census();
    const looked = one.look();
    await clock.settle();
    expect(asked.filter((name) => name === "clients")).toHaveLength(1);
    let turns = 0;
    for (; walks() === 0; turns += 1) await clock.advance(1);
    expect(turns).toBeGreaterThan(0);
    await looked;
    expect(asked.filter((name) => name === "clients")).toHaveLength(3);
  });

  it("[I10] records nothing once somebody else leads, nor when the inventory went away in the middle", async () => {
    let pages = 0;
    const deposed = census((call) => {
      if (call === "clients" && (pages += 1) === 2) leads = false;
    });
    await look(deposed);
    expect([walks(), await eligible()]).toEqual([0, 0]);
    leads = true;
    pages = 0;
    const cut = census((call) => {
      if (call === "clients" && (pages += 1) === 2) throw new InventoryUnavailable("away");
    });
    await look(cut);
    expect([walks(), failed]).toEqual([0, []]);
    await look(cut);
    expect([walks(), await eligible()]).toEqual([1, 1_200]);
  });

  it("[C2] keeps the day of each account's own pilots, of the systems that have some", async () => {
    await devices(3, "globex");
    accounts.set("globex", account({ windows: { upgrade: "Automatic" } }));
    accounts.set("acme", account({ windows: { upgrade: "Automatic", pilotGroup: { users: ["user-1", "USER-2"] } } }));
    const one = census();
    await look(one);
    await clock.advance(HOUR);
    await look(one);
    expect(asked.filter((name) => name === "recordPilots")).toHaveLength(1);
    expect(await inventory.days({ from: "2026-11-01", to: "2026-11-30", pilots: true })).toEqual([
      { day: "2026-11-02", account: "acme", os: "Windows", version: "5.11.0", devices: 2, users: 2 },
    ]);
  });

  it("[I19] keeps the day once a day, and forgets whom nobody has seen for half a year", async () => {
    const one = census();
    await look(one);
    await clock.advance(HOUR);
    await look(one);
    expect(asked.filter((name) => name === "recordDay")).toHaveLength(1);
    await clock.skipTo(START + 181 * 24 * HOUR);
    await look(one);
    expect(asked.filter((name) => name === "recordDay")).toHaveLength(2);
    expect((await inventory.deviceCounts()).get("acme") ?? 0).toBe(0);
    expect((await inventory.days({ from: "2026-11-01", to: "2026-11-30" })).map(({ day, devices: count }) => [day, count])).toEqual([
      ["2026-11-02", 1_200],
    ]);
  });
});
