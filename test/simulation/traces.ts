import { POP_CLUSTER } from "../../src/api/resources.ts";
import { BEHAVIOURS } from "../../src/simulation/nodes/behaviour.ts";
import type { ContainerInstance } from "../../src/simulation/nodes/container-runtime.ts";
import { FLEET_NAMESPACE } from "../../src/simulation/world.ts";
import { HOUR, type Scenario } from "./scenario.ts";

/** What the API server answered to the patches of one node by one operator, in order. */
export const answers = (scenario: Scenario, user: string, node: string): number[] =>
  scenario.world.store.audit
    .filter((entry) => entry.user === user && entry.verb === "patch" && entry.kind === "Node" && entry.name === node)
    .map((entry) => entry.code);

export const claimOf = (scenario: Scenario, node: string) => scenario.node(node)?.metadata.annotations?.["rollward.dev/claim"];
export const step = (scenario: Scenario, node: string) => scenario.pop()?.status?.nodes?.find((entry) => entry.name === node)?.step;
export const run = (scenario: Scenario) => scenario.pop()?.status?.run;

export async function goesThrough(scenario: Scenario, limit = 2 * HOUR): Promise<void> {
  await scenario.until(() => scenario.isFinal(), limit, "the final state");
  scenario.invariants.check();
}

export async function remove(scenario: Scenario, pop = "fra1"): Promise<void> {
  await scenario.world.while(scenario.world.kubectl.delete(POP_CLUSTER, pop, FLEET_NAMESPACE));
}

export const pause = (scenario: Scenario, paused: boolean) => scenario.edit("fra1", (spec) => ({ ...spec, paused }));
export const takeBack = (scenario: Scenario) =>
  scenario.edit("fra1", (spec) => ({ ...spec, requests: { takeBack: { at: "2026-11-22T00:02:00Z" } } }));

/** A process that is none of ours listens on the health port of the node. */
export function takePort(scenario: Scenario, node: string): Promise<ContainerInstance> {
  const address = scenario.node(node)!.status!.addresses!.find((one) => one.type === "InternalIP")!.address;
  const identity = { node, pop: "fra1", podUID: "somebody", containerID: "else", version: "0" };
  return scenario.world.runtime.start({
    identity,
    behaviour: BEHAVIOURS.get("bad-health")!,
    container: { name: "other", image: "other:1", ports: [{ containerPort: 8080 }] },
    address,
  });
}
