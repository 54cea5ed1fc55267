import type { Fleet } from "../../src/api/fleet.ts";
import { CLAIM_ANNOTATION, RELEASED_PREFIX, REVISION_LABEL } from "../../src/api/names.ts";
import type { PopCluster } from "../../src/api/pop-cluster.ts";
import { FLEET, POP_CLUSTER } from "../../src/api/resources.ts";
import { NODE, type NodeObject, POD, type PodObject } from "../../src/control/kinds.ts";
import { claimToken } from "../../src/core/pop-cluster/token.ts";
import type { World } from "../../src/simulation/world.ts";

/** What is so: the store's objects and the data planes that listen, never what an operator believes. */
export class Truth {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  nodes(): NodeObject[] {
    return [...this.#world.store.list(NODE)];
  }

  pops(): PopCluster[] {
    return this.#world.store.list(POP_CLUSTER) as unknown as PopCluster[];
  }

  popOf(node: NodeObject): PopCluster | undefined {
    return this.pops().find((pop) => selected(pop, node));
  }

  nodesOf(pop: PopCluster): NodeObject[] {
    return this.nodes().filter((node) => selected(pop, node));
  }

  node(name: string): NodeObject | undefined {
    return this.#world.store.get(NODE, name);
  }

  podsOn(node: NodeObject): PodObject[] {
    return (this.#world.store.list(POD) as unknown as PodObject[]).filter(
      (pod) => pod.spec.nodeName === node.metadata.name && pod.metadata.labels?.["rollward.dev/revision"] !== undefined,
    );
  }

  plane(node: NodeObject) {
    const address = node.status?.addresses?.find((one) => one.type === "InternalIP")?.address;
    return address === undefined ? undefined : this.#world.runtime.listener(address, 8080)?.instance.plane;
  }

  servingPod(node: NodeObject): PodObject | undefined {
    return this.podsOn(node).find(
      (pod) =>
        podReady(pod) &&
        pod.metadata.deletionTimestamp === undefined &&
        labelOf(node)?.endsWith(`-${pod.metadata.labels?.["rollward.dev/revision"]}`),
    );
  }

  fleet(): Fleet | undefined {
    return this.#world.store.list(FLEET)[0] as unknown as Fleet | undefined;
  }
}

export const claimOf = (node: NodeObject): string | undefined => node.metadata.annotations?.[CLAIM_ANNOTATION];
export const labelOf = (node: NodeObject): string | undefined => node.metadata.labels?.[REVISION_LABEL];
export const isActive = (claim: string | undefined): claim is string => claim !== undefined && !claim.startsWith(RELEASED_PREFIX);
export const ready = (node: NodeObject): boolean => node.status?.conditions?.find((one) => one.type === "Ready")?.status === "True";
export const podReady = (pod: PodObject): boolean => pod.status?.conditions?.find((one) => one.type === "Ready")?.status === "True";

const selected = (pop: PopCluster, node: NodeObject): boolean =>
  Object.entries(pop.spec.nodeSelector.matchLabels ?? {}).every(([key, value]) => node.metadata.labels?.[key] === value);

/** Every token that this PoPCluster may ever use for that node UID. */
export function tokensOf(pop: PopCluster, uid: string): ReadonlySet<string> {
  const tokens = new Set<string>();
  for (let run = 0; run <= (pop.status?.runs ?? 0) + 2; run++) {
    for (let attempt = 0; attempt <= 60; attempt++) tokens.add(claimToken(pop.metadata.uid, run, uid, attempt));
  }
  return tokens;
}
