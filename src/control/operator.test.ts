import { expect, test } from "vitest";
import { MAINTENANCE_WINDOW } from "../api/resources.ts";
import type { MaintenanceWindow } from "../api/maintenance-window.ts";
import { QUIET } from "../simulation/operator-process.ts";
import { SimulatedSites } from "../simulation/sites.ts";
import { FLEET_NAMESPACE, sundayWindow, World } from "../simulation/world.ts";
import { InMemoryCluster } from "../simulation/cluster/in-memory-cluster.ts";
import type { OperatorPorts } from "./operator-ports.ts";
import { ApiError, type Cluster, type ClusterEvent } from "./ports.ts";
import { Operator } from "./operator.ts";

/** The cluster, where no status can be written. */
const refusing = (cluster: InMemoryCluster, error: Error): Cluster =>
  new Proxy<Cluster>(cluster, {
    get: (_, name) => {
      if (name === "updateStatus") return () => Promise.reject(error);
      const value: unknown = Reflect.get(cluster, name);
      return typeof value === "function" ? (value.bind(cluster) as unknown) : value;
    },
  });

async function stage({ lagMilliseconds = 0, failing }: { lagMilliseconds?: number; failing?: Error } = {}) {
  const world = await World.create({ start: "2026-11-22T00:00:30Z" });
  const view = new InMemoryCluster(world.store, { clock: world.clock, user: "rollward", lagMilliseconds });
  const hub = failing === undefined ? view : refusing(view, failing);
  const published: ClusterEvent[] = [];
  const operatorWith = (inventory: OperatorPorts["inventory"]) =>
    new Operator({
      clock: world.clock,
      random: () => 0.5,
      hub,
      sites: new SimulatedSites(view),
      prober: world.prober,
      events: { publish: (event) => void published.push(event), flush: () => Promise.resolve() },
      told: QUIET,
      readSecret: () => Promise.resolve(undefined),
      namespace: FLEET_NAMESPACE,
      tzdata: "2026a",
      inventory,
      notices: undefined,
    });
  return { world, operatorWith, published };
}

test("[G5] a term whose start fails is stopped whole: what of it had begun to work does nothing more, though the lease may last", async () => {
  const { world, operatorWith } = await stage();
  const broken = new Proxy(world.inventory, {
    get: (inventory, name) => {
      if (name === "onChange") throw new Error("no listener to be had");
      const value: unknown = Reflect.get(inventory, name);
      return typeof value === "function" ? (value.bind(inventory) as unknown) : value;
    },
  });
  const operator = operatorWith(broken);
  await expect(world.while(operator.lead(new AbortController().signal, () => true))).rejects.toThrow("no listener to be had");
  await world.apply(MAINTENANCE_WINDOW, sundayWindow());
  await world.clock.advance(60_000);
  const window = world.store.get(MAINTENANCE_WINDOW, "pop-sunday", FLEET_NAMESPACE) as unknown as MaintenanceWindow;
  expect(window.status).toBeUndefined();
  operator.stop();
});

test("what is not in sync yet is named once: of MaintenanceWindows there are two views, the fleet's and those of accounts", async () => {
  const { operatorWith } = await stage({ lagMilliseconds: 500 });
  const operator = operatorWith(undefined);
  const named = operator.unsynced();
  expect(named).toContain("MaintenanceWindow");
  expect(named).toHaveLength(new Set(named).size);
  operator.stop();
});

async function eventsWhileFailing(failing: Error, milliseconds: number, namespace = FLEET_NAMESPACE) {
  const { world, operatorWith, published } = await stage({ failing });
  const term = new AbortController();
  const operator = operatorWith(undefined);
  const led = operator.lead(term.signal, () => true);
  const { metadata, ...sunday } = sundayWindow();
  await world.apply(MAINTENANCE_WINDOW, { ...sunday, metadata: { ...metadata, namespace } });
  const window = world.store.get(MAINTENANCE_WINDOW, "pop-sunday", namespace)!;
  await world.clock.advance(milliseconds);
  term.abort();
  await world.while(led);
  operator.stop();
  return { window, told: published.filter(({ reason }) => reason === "ReconcileFailing") };
}

test("what fails again and again is told on the object itself, with the error: nobody needs the log for it; a moment's failure is not", async () => {
  const error = new Error("the API server keeps the status of MaintenanceWindow pop-sunday otherwise than it was written");
  expect((await eventsWhileFailing(error, 500)).told).toEqual([]);
  const { window, told } = await eventsWhileFailing(error, 20_000);
  expect(told.length).toBeGreaterThan(1);
  expect(told[0]).toEqual({
    type: "Warning",
    reason: "ReconcileFailing",
    action: "Reconcile",
    note: `The operator cannot work on it, and tries again ever more seldom, at least once a minute: ${error.message}`,
    regarding: {
      apiVersion: MAINTENANCE_WINDOW.apiVersion,
      kind: "MaintenanceWindow",
      name: "pop-sunday",
      namespace: FLEET_NAMESPACE,
      uid: window.metadata.uid,
    },
  });
});

test("[I15] in an account's namespace the words of the API server are told, which are about the object, and no others", async () => {
  const ours = new Error("no space left on the provider's disk");
  const { told } = await eventsWhileFailing(ours, 20_000, "acme");
  expect(told[0]?.note).toMatch(/: the provider reads in its log what is wrong$/);
  const refused = new ApiError(403, "Forbidden", "a policy of the cluster denies it");
  expect((await eventsWhileFailing(refused, 20_000, "acme")).told[0]?.note).toContain("denies it");
});

test.each([0, 429, 503])("a server that answers %i takes no Event either, and is told of by alerts of its own", async (code) => {
  expect((await eventsWhileFailing(new ApiError(code, "Unreachable", "no answer"), 20_000)).told).toEqual([]);
});
