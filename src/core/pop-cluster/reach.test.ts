import { describe, expect, it } from "vitest";
import { popDraft } from "../../simulation/world.ts";
import { reachHolds, throughOf } from "./reach.ts";

const POD = { name: "fra1-abc", namespace: "rollward-data-plane" };
const BEHIND = { reach: "ApiServerProxy", kubeconfigSecretRef: { name: "fra1-kubeconfig" } };

const specOf = (spec: object, health: object = {}) => popDraft("fra1", { spec, health }).spec;
const sentences = (spec: Parameters<typeof reachHolds>[0]["spec"]) => reachHolds({ spec }).map(({ message }) => message);

describe("[P17] how the pods of a PoP are asked", () => {
  it("directly where nothing else is written; else by their names, in the cluster of that Secret and UID and no other", () => {
    expect(throughOf({ namespace: "fleet", spec: specOf({}) }, "uid-1", POD)).toEqual({});
    expect(throughOf({ namespace: "fleet", spec: specOf(BEHIND) }, "uid-1", POD)).toEqual({
      through: { secret: { name: "fra1-kubeconfig", namespace: "fleet" }, clusterUID: "uid-1", namespace: POD.namespace, pod: POD.name },
    });
  });

  it("what an API server cannot ask is refused by name, with what to write", () => {
    const tcp = { name: "bgp", tcp: { port: 179 } };
    const http = { name: "ready", address: "Node", http: { port: 8080, path: "/healthz" } };
    const health = { node: [tcp, http].map((check) => ({ interval: "1s", timeout: "1s", successes: 2, failures: 2, ...check })) };
    expect(sentences(specOf(BEHIND, health))).toEqual([
      "spec.health.node check bgp: tcp cannot be asked through the API server; write http, or reach: Direct",
    ]);
    const own = specOf(BEHIND, health);
    const ofItsOwn = { ...own, template: { spec: { ...(own.template.spec as object), hostNetwork: false } } };
    expect(sentences(ofItsOwn as typeof own).at(-1)).toContain("check ready: the API server leads to pods");
    expect(sentences(specOf({}, health))).toEqual([]);
  });
});
