import { describe, expect, it } from "vitest";
import { FINALIZER, UPDATING_TAINT } from "../../src/api/names.ts";
import type { JsonPatchOperation, KubernetesObject } from "../../src/control/ports.ts";
import { CLAIM_PATH, type Sabotage } from "./faulty-operator.ts";
import { Storm } from "./storm.ts";

/**
 * Small known-bad operators: what one rule of the protocol asks for is taken away at the ports, and the storms must notice. An oracle
 * that catches none of these proves nothing.
 */
const withoutTest = (path: string) => (operations: readonly JsonPatchOperation[]) => operations.filter((one) => one.op !== "test" || one.path !== path);

type Loose = Record<string, any>; // eslint-disable-line @typescript-eslint/no-explicit-any -- objects are changed as somebody who knows no rules would

const change = <T extends KubernetesObject>(object: T, edit: (draft: Loose) => void): T => {
  const draft = structuredClone(object) as Loose;
  edit(draft);
  return draft as T;
};

const SABOTAGE: Readonly<Record<string, Sabotage>> = {
  "counts no dead or cordoned node": {
    list: (kind, found) =>
      kind.kind !== "Node" ? found : found.map((node) => change(node, ({ spec, status }) => {
        spec.unschedulable = false;
        for (const condition of status?.conditions ?? []) if (condition.type === "Ready") condition.status = "True";
      })),
  },
  "patches nodes without testing the claim": {
    patch: (kind, operations) => (kind.kind === "Node" ? withoutTest(CLAIM_PATH)(operations) : operations),
  },
  "removes the claim instead of ending it": {
    patch: (kind, operations, effect) =>
      kind.kind === "Node" && effect === "release" ? operations.map((one) => (one.op === "add" && one.path === CLAIM_PATH ? { op: "remove", path: CLAIM_PATH } : one)) : operations,
  },
  "writes its ledger whatever was written meanwhile": { ignoresConflicts: true },
  "gives a node back without cancelling the drain": { drain: (body, verb) => (verb === "drain.cancel" ? undefined : body) },
  "sends drain.start to whichever container runs": {
    drain: (body, _verb, world, url) => {
      const plane = world.runtime.listener(new URL(url).hostname, 8080)?.instance.plane;
      const { sequence: _, ...rest } = body;
      return plane ? { ...rest, podUID: plane.identity.podUID, containerID: plane.identity.containerID } : body;
    },
  },
  "does not see that somebody paused the PoP": {
    get: (kind, found) => (kind.kind === "PoPCluster" && found ? change(found, ({ spec }) => (spec.paused = false)) : found),
  },
  "lifts people's cordons when it releases a node": {
    patch: (kind, operations, effect) => (kind.kind === "Node" && effect === "release" ? [...operations, { op: "add", path: "/spec/unschedulable", value: false }] : operations),
  },
  "takes all taints off when it releases a node": {
    patch: (kind, operations, effect) =>
      kind.kind === "Node" && effect === "release" ? operations.map((one) => (one.path === "/spec/taints" && one.op === "replace" ? { op: "remove", path: one.path } : one)) : operations,
  },
  "starts without the Fleet's grant": {
    get: (kind, found) =>
      kind.kind !== "Fleet" || !found ? found : change(found, (fleet) => {
        // Every PoP reads its own grant into the ledger.
        fleet.status = { ...fleet.status, disruptions: new Proxy([], { get: (list: Loose, key) => (key === "some" ? () => true : list[key as string]) }) };
      }),
  },
  "takes the finalizer off before nodes are given back": {
    get: (kind, found) =>
      kind.kind === "PoPCluster" && found?.metadata.deletionTimestamp && found.metadata.finalizers?.includes(FINALIZER)
        ? change(found, (pop) => {
            pop.status = { ...pop.status, nodes: [] };
          })
        : found,
    list: (kind, found) =>
      kind.kind !== "Node" ? found : found.map((node) => change(node, ({ spec }) => (spec.taints = (spec.taints ?? []).filter((taint: Loose) => taint.key !== UPDATING_TAINT)))),
  },
};

const MOST_SEEDS = 40;

describe("sabotage", () => {
  it.each(Object.entries(SABOTAGE))(`an operator that %s is caught within ${MOST_SEEDS} storms`, { timeout: 120_000 }, async (_name, sabotage) => {
    let caught: string | undefined;
    for (let seed = 1; seed <= MOST_SEEDS && caught === undefined; seed++) {
      await Storm.run(seed, { sabotage }).catch((error: unknown) => {
        caught = `seed ${seed}: ${(error as Error).message}`;
      });
    }
    expect(caught).toBeDefined();
  });
});
