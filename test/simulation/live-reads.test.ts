import { describe, expect, it } from "vitest";
import { FLEET, MAINTENANCE_WINDOW, POP_CLUSTER } from "../../src/api/resources.ts";
import type { Operation } from "../../src/simulation/cluster/in-memory-cluster.ts";
import { InMemoryCluster } from "../../src/simulation/cluster/in-memory-cluster.ts";
import { seededRandom } from "../../src/simulation/clock.ts";
import { SimulatedOperator } from "../../src/simulation/operator-process.ts";
import { FLEET_NAMESPACE, fleetDraft, popDraft, sundayWindow, World } from "../../src/simulation/world.ts";

const HOUR = 3_600_000;
const NODES = 4;

/** Rolls 2.0.0 over four nodes that need no soak, and answers what the operator asked of the API server for it, in order. */
async function callsOfRoll(): Promise<readonly string[]> {
  const world = await World.create({ start: "2026-11-22T00:10:00Z" });
  await world.bootNodes("fra1", NODES);
  await world.apply(FLEET, fleetDraft());
  await world.apply(MAINTENANCE_WINDOW, sundayWindow());
  const strategy = { bake: "1s", perNode: { expected: "40s", deadline: "60s", soak: "0s", retries: 1 } };
  const node = [{ name: "ready", http: { port: 8080, path: "/healthz" }, successes: 1, failures: 2, interval: "1s", timeout: "1s" }];
  await world.apply(POP_CLUSTER, popDraft("fra1", { strategy, health: { node, pop: [] } }));
  const calls: string[] = [];
  const said = ({ verb, kind, name, subresource }: Operation) => [verb, kind, name, subresource].filter((part) => part).join(" ");
  const hub = new InMemoryCluster(world.store, {
    clock: world.clock,
    user: "rollward",
    lagMilliseconds: 2,
    latencyMilliseconds: 1,
    fault: (operation) => void calls.push(said(operation)),
  });
  new SimulatedOperator({
    clock: world.clock,
    hub,
    prober: world.prober,
    random: seededRandom(1),
    namespace: FLEET_NAMESPACE,
    onEvent: () => {},
  }).start();
  await world.until("fra1", (status) => status.run?.state === "Passed", HOUR, "the first version");
  calls.splice(0);
  await world.editPop("fra1", (spec) => ({ ...spec, version: "2.0.0" }));
  await world.until("fra1", (status) => status.run?.version === "2.0.0" && status.run.state === "Baking", HOUR, "2.0.0 on all nodes");
  return calls;
}

describe("what is read from the API server for a roll of four nodes without soak", () => {
  it("[G5] nodes are listed after the ledger's claim and before the node hears of it; [P14] a node costs 6 writes, Done and the next claim being one with the word that it serves", async () => {
    const calls = await callsOfRoll();
    const patches = calls.flatMap((call, index) => (call.startsWith("patch Node") ? [{ call, index }] : []));
    expect(patches).toHaveLength(4 * NODES);
    const claims = patches.filter(({ call }, index) => patches.findIndex((other) => other.call === call) === index);
    expect(claims).toHaveLength(NODES);
    const isStatus = (call: string) => /^update\S* PoPCluster fra1 ?status?/.test(call) || call === "updateStatus PoPCluster fra1";
    for (const { call, index } of claims) {
      const ledger = calls.slice(0, index).findLastIndex(isStatus);
      const listed = calls.slice(ledger, index);
      expect(ledger, `the claim in the ledger before ${call}`).toBeGreaterThan(-1);
      expect(listed, `between the ledger's claim and ${call}`).toEqual(expect.arrayContaining(["list Pod", "list Node"]));
    }
    const spell = calls.slice(claims[0]!.index, claims[NODES - 1]!.index);
    const writes = spell.filter((call) => call.startsWith("patch Node") || isStatus(call));
    expect(writes.length / (NODES - 1), spell.join("\n")).toBe(6);
  });

  it("a node that is up again within a second costs one listing: label on and taint off go by single objects", async () => {
    const calls = await callsOfRoll();
    const first = calls.findIndex((call) => call.startsWith("patch Node"));
    const last = calls.findLastIndex((call) => call.startsWith("patch Node"));
    const lists = calls.slice(first, last).filter((call) => call === "list Node");
    // The first node was listed for before the first patch.
    expect(lists.length, calls.slice(first, last).join("\n")).toBe(NODES - 1);
  });
});
