import { expect, it } from "vitest";
import type { PopCluster } from "../api/pop-cluster.ts";
import type { PopAction } from "../core/pop-cluster/action.ts";
import { POP_CLUSTER } from "../api/resources.ts";
import { QUIET } from "../simulation/operator-process.ts";
import { SimulatedSites } from "../simulation/sites.ts";
import { InMemoryCluster } from "../simulation/cluster/in-memory-cluster.ts";
import { FLEET_NAMESPACE, popDraft, World } from "../simulation/world.ts";
import { openHubCaches } from "./hub-caches.ts";
import { type ObservedPopCluster, PopReconciler } from "./pop-reconciler.ts";
import type { ClusterEvent } from "./ports.ts";
import { SiteCacheSet } from "./site-caches.ts";
import { breachOf } from "./window-breach.ts";

const OPEN = { start: "2026-11-22T02:00:00Z", end: "2026-11-22T06:00:00Z" };
const rolling = (kind: "Roll" | "Rollback") => ({ status: { run: { kind }, next: [OPEN] } }) as unknown as PopCluster;
const label = (row: "LabelOff" | "LabelOn") => ({ kind: "SetLabel", row, node: { name: "fra1-a", uid: "1" } }) as unknown as PopAction;

it("[W4] a label that leaves for a roll outside every occurrence in status is a breach, and names the node and what was promised", () => {
  const at = (instant: string, pop = rolling("Roll"), action = label("LabelOff")) => breachOf(pop, action, Date.parse(instant));
  expect(at("2026-11-22T02:00:00Z")).toBeUndefined();
  expect(at("2026-11-22T05:59:59Z")).toBeUndefined();
  expect(at("2026-11-22T06:00:00Z")).toMatchObject({
    type: "Warning",
    reason: "WindowBreached",
    message: expect.stringMatching(
      /^The label of node fra1-a left outside the window \(status\.next: 2026-11-22T02:00:00Z to 2026-11-22T06/,
    ) as string,
  });
  expect(at("2026-11-22T01:59:59Z")).toBeDefined();
  expect(at("2026-11-22T06:00:00Z", rolling("Rollback"))).toBeUndefined();
  expect(at("2026-11-22T06:00:00Z", rolling("Roll"), label("LabelOn"))).toBeUndefined();
});

it("[W4] a breach is told on the PoP: its Events name the node, and nobody needs the log", async () => {
  const world = await World.create({ start: "2026-11-22T12:00:00Z" });
  const hub = new InMemoryCluster(world.store, { clock: world.clock, user: "rollward" });
  await world.apply(POP_CLUSTER, popDraft("fra1"));
  const created = world.store.get(POP_CLUSTER, "fra1", FLEET_NAMESPACE)!;
  const published: ClusterEvent[] = [];
  let breaches = 0;
  const hubCaches = openHubCaches(hub, FLEET_NAMESPACE);
  const reconciler = new PopReconciler({
    clock: world.clock,
    hub,
    hubCaches,
    sites: new SimulatedSites(hub),
    siteCaches: new SiteCacheSet({ node: () => {}, pod: () => {}, silence: () => {}, daemonSet: () => {} }),
    prober: world.prober,
    events: { publish: (event) => void published.push(event), flush: () => Promise.resolve() },
    told: { ...QUIET, windowBreached: () => void breaches++ },
    namespace: FLEET_NAMESPACE,
    defaultPrometheus: undefined,
    partnersOf: () => undefined,
    samplesOf: () => ({ keys: [], samples: () => [] }),
  });
  const pop = { ...created, ...rolling("Roll") };
  const observed = {
    objects: { pop, records: [] },
    site: { state: "Reachable", cluster: hub, uid: "hub" },
  } as unknown as ObservedPopCluster;
  // There is no such node; that its label was to leave is what counts.
  await world.while(reconciler.act(observed, label("LabelOff")).catch(() => undefined));
  expect(breaches).toBe(1);
  expect(published).toEqual([
    expect.objectContaining({
      reason: "WindowBreached",
      regarding: expect.objectContaining({ kind: "PoPCluster", name: "fra1" }) as object,
    }),
  ]);
});
