import type { Fleet, FleetSpec } from "../../../src/api/fleet.ts";
import type { MaintenanceWindow } from "../../../src/api/maintenance-window.ts";
import type { PopClusterStatus } from "../../../src/api/pop-cluster.ts";
import { FLEET, MAINTENANCE_WINDOW } from "../../../src/api/resources.ts";
import { NODE, type NodeObject, POD, type PodObject } from "../../../src/control/kinds.ts";
import { DATA_PLANE_NAMESPACE, DRAIN, fleetDraft, type PopOptions, sundayWindow } from "../../../src/simulation/world.ts";
import { vi } from "vitest";
import { LineProcess } from "../virtual-nodes/child-process.ts";
import type { ClusterWorld } from "./cluster-world.ts";
import type { RealWorld } from "./real-world.ts";

/** Inside Sunday's window of Europe/Berlin, 01:00 to 05:00. */
export const SUNDAY = "2026-11-22T00:10:00Z";
export const HOUR = 3_600_000;

/** Steps as short as they can be with checks once a second. */
export const QUICK = { bake: "1s", perNode: { expected: "40s", deadline: "60s", soak: "1s", retries: 1 } } as const;

/** A drain that is over in 5 s, whoever is still there. */
export const SHORT_DRAIN = { ...DRAIN, lease: "10s", timeout: "5s" } as const;

/** The same with a deadline for what only a deadline judges: far longer than a busy machine takes for a node that is well (3 s at rest). */
export const IMPATIENT = {
  bake: "1s",
  perNode: { expected: "5s", deadline: "20s", soak: "1s", retries: 1 },
  drain: SHORT_DRAIN,
} as const;

/** A fleet that lets every PoP of a test roll at once, and the Sunday window. */
export async function openFleet(world: ClusterWorld, spec: Partial<FleetSpec> = {}): Promise<void> {
  const room = { maxConcurrentPoPs: 100, maxConcurrentPerRegion: 100, maxConcurrentRollbacks: 100, ...spec };
  await world.apply<Fleet>(FLEET, fleetDraft(room));
  await world.apply<MaintenanceWindow>(MAINTENANCE_WINDOW, sundayWindow());
}

/**
 * Applies PoPs and waits until their first versions serve. Nodes that serve nobody join all at once; after that as many may be out as
 * the options say, 1 by default.
 */
export async function firstVersions(world: ClusterWorld, pops: Readonly<Record<string, PopOptions>>): Promise<void> {
  await Promise.all(
    Object.entries(pops).map(async ([name, options]) => {
      const wanted = options.strategy?.maxUnavailable ?? 1;
      await world.applyPop(name, { ...options, strategy: { ...QUICK, ...options.strategy, maxUnavailable: "100%" } });
      await world.until(name, "the first version", (status) => status.run?.state === "Passed");
      await world.editPop(name, (spec) => ({ ...spec, strategy: { ...spec.strategy, maxUnavailable: wanted } }));
    }),
  );
}

/** Sets a version as a person would. */
export const setVersion = (world: ClusterWorld, pop: string, version: string): Promise<void> =>
  world.editPop(pop, (spec) => ({ ...spec, version }));

export const passed =
  (version: string) =>
  ({ run }: PopClusterStatus): boolean =>
    run?.version === version && run.state === "Passed";

export const rolledBack =
  (version: string) =>
  ({ history, run }: PopClusterStatus): boolean =>
    run === undefined && history?.at(-1)?.version === version && history.at(-1)?.outcome === "RolledBack";

export const holdOf = (status: PopClusterStatus | undefined, reason: string) => status?.holds?.find((hold) => hold.reason === reason);
export const stepOf = (status: PopClusterStatus | undefined, name: string) => status?.nodes?.find((entry) => entry.name === name)?.step;

export async function node(world: ClusterWorld, name: string): Promise<NodeObject> {
  const found = await world.cluster.get(NODE, name);
  if (!found) throw new Error(`there is no node ${name}`);
  return found;
}

/** Looks again until the assertion holds. `expect.poll` belongs to one test at a time; several run at once here. */
export const eventually = <Found>(look: () => Promise<Found> | Found, assertion: (found: Found) => void, timeout = 60_000): Promise<void> =>
  vi.waitFor(async () => assertion(await look()), { timeout, interval: 100 });

/** What `kubectl cordon` and `uncordon` write. */
export const cordon = (world: ClusterWorld, name: string, unschedulable = true): Promise<unknown> =>
  world.cluster.patch(NODE, name, undefined, [{ op: "add", path: "/spec/unschedulable", value: unschedulable }]);

/** The data-plane pods of a PoP that are not going away, by node. */
export async function podsOf(world: ClusterWorld, pop: string): Promise<ReadonlyMap<string, PodObject>> {
  const pods = await world.cluster.list(POD, { namespace: DATA_PLANE_NAMESPACE, labelSelector: `rollward.dev/pop=${pop}` });
  return new Map(pods.filter((pod) => pod.metadata.deletionTimestamp === undefined).map((pod) => [pod.spec.nodeName ?? "", pod]));
}

/** What each node of a PoP answers when it is asked itself, over HTTP: its version, or undefined when it does not serve. */
export async function servedVersions(world: RealWorld, pop: string): Promise<Record<string, string | undefined>> {
  const answers = world.addresses(pop).map(async ({ name, address }): Promise<[string, string | undefined]> => {
    try {
      const response = await fetch(`http://${address}:8080/healthz`, { signal: AbortSignal.timeout(2_000) });
      const health = (await response.json()) as { version: string; draining: boolean };
      return [name, response.ok && !health.draining ? health.version : undefined];
    } catch {
      return [name, undefined];
    }
  });
  return Object.fromEntries(await Promise.all(answers));
}

/** The independent watcher: asks every node every 200 ms whether it serves. Resolves when it has seen all of them serve. */
export async function startWatcher(world: ClusterWorld, pops: readonly string[]): Promise<LineProcess> {
  const watcher = new LineProcess("src/simulation/load/watcher.ts", ["--nodes", world.directory], world.enter);
  const all = pops.flatMap((pop) => world.addresses(pop)).map(({ name }) => name);
  await vi.waitFor(
    () => {
      const seen = new Set(watcher.lines.filter((line) => line.type === "node" && line["serving"] === true).map((line) => line["node"]));
      const unseen = all.filter((name) => !seen.has(name));
      if (unseen.length > 0) throw new Error(`the watcher has not seen ${unseen.join(", ")} serve`);
    },
    { timeout: 30_000, interval: 50 },
  );
  return watcher;
}

/** Ends the watcher; the most nodes of each PoP that it saw out at once. */
export async function mostOut(watcher: LineProcess): Promise<Record<string, number>> {
  await watcher.end();
  const summary = watcher.lines.find((line) => line.type === "summary") as unknown as { maximumOut: Record<string, { count: number }> };
  return Object.fromEntries(Object.entries(summary.maximumOut).map(([pop, { count }]) => [pop, count]));
}
