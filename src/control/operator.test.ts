import { expect, test } from "vitest";
import { MAINTENANCE_WINDOW } from "../api/resources.ts";
import type { MaintenanceWindow } from "../api/maintenance-window.ts";
import { QUIET } from "../simulation/operator-process.ts";
import { SimulatedSites } from "../simulation/sites.ts";
import { FLEET_NAMESPACE, sundayWindow, World } from "../simulation/world.ts";
import { InMemoryCluster } from "../simulation/cluster/in-memory-cluster.ts";
import { Operator } from "./operator.ts";

test("[G5] a term whose start fails is stopped whole: what of it had begun to work does nothing more, though the lease may last", async () => {
  const world = await World.create({ start: "2026-11-22T00:00:30Z" });
  const hub = new InMemoryCluster(world.store, { clock: world.clock, user: "rollward" });
  const broken = new Proxy(world.inventory, {
    get: (inventory, name) => {
      if (name === "onChange") throw new Error("no listener to be had");
      const value: unknown = Reflect.get(inventory, name);
      return typeof value === "function" ? (value.bind(inventory) as unknown) : value;
    },
  });
  const operator = new Operator({
    clock: world.clock,
    random: () => 0.5,
    hub,
    sites: new SimulatedSites(hub),
    prober: world.prober,
    events: { publish: () => {}, flush: () => Promise.resolve() },
    told: QUIET,
    readSecret: () => Promise.resolve(undefined),
    namespace: FLEET_NAMESPACE,
    tzdata: "2026a",
    inventory: broken,
    notices: undefined,
  });
  await expect(world.while(operator.lead(new AbortController().signal, () => true))).rejects.toThrow("no listener to be had");
  await world.apply(MAINTENANCE_WINDOW, sundayWindow());
  await world.clock.advance(60_000);
  const window = world.store.get(MAINTENANCE_WINDOW, "pop-sunday", FLEET_NAMESPACE) as unknown as MaintenanceWindow;
  expect(window.status).toBeUndefined();
  operator.stop();
});
