import { expect, it } from "vitest";
import { openHubCaches } from "../../../src/control/hub-caches.ts";
import { RolloutReconciler } from "../../../src/control/rollout-reconciler.ts";
import { InMemoryCluster } from "../../../src/simulation/cluster/in-memory-cluster.ts";
import { QUIET } from "../../../src/simulation/operator-process.ts";
import { FLEET_NAMESPACE } from "../../../src/simulation/world.ts";
import { FleetScenario, SECOND } from "./fleet-scenario.ts";
import { ask } from "./people.ts";
import { popsOf } from "./pops.ts";

it("[I11] [I12] a rollout is read before its PoPs: what its status has noted is never judged by ledgers that are older", async () => {
  const scenario = await FleetScenario.create({ start: "2026-11-20T10:00:00Z", pops: popsOf(1) });
  const { world } = scenario;
  await scenario.done(ask(scenario, "r1", { version: "2.0.0" }));
  // The list of rollouts is answered two seconds late; meanwhile a PoP moves on.
  const fault = ({ kind }: { readonly kind: string }) => (kind === "PoPRollout" ? { delayMilliseconds: 2 * SECOND } : undefined);
  const hub = new InMemoryCluster(world.store, { clock: world.clock, fault });
  const reconciler = new RolloutReconciler({
    hub,
    hubCaches: openHubCaches(hub, FLEET_NAMESPACE),
    events: { publish: () => {}, flush: () => Promise.resolve() },
    told: QUIET,
    namespace: FLEET_NAMESPACE,
    samplesOf: () => new Map(),
    defaultPrometheus: undefined,
    forecastOf: () => undefined,
  });
  const observed = reconciler.observeLive("r1");
  await world.clock.advance(SECOND);
  await scenario.done(scenario.edit("p00", (spec) => ({ ...spec, version: "1.5.0" })));
  await world.clock.advance(3 * SECOND);
  expect((await observed)?.seen.pops.map(({ pinned }) => pinned)).toEqual(["1.5.0"]);
  await hub.close();
});
