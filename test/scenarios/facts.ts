import type { Condition } from "../../src/api/common.ts";
import type { Fleet } from "../../src/api/fleet.ts";
import { CLAIM_ANNOTATION, RELEASED_PREFIX, REVISION_LABEL, UPDATING_TAINT } from "../../src/api/names.ts";
import type { PopCluster, PopClusterStatus } from "../../src/api/pop-cluster.ts";
import { FLEET, POP_CLUSTER } from "../../src/api/resources.ts";
import { DAEMON_SET, type DaemonSetObject, NODE, type NodeObject, POD, type PodObject } from "../../src/control/kinds.ts";
import type { Kind } from "../../src/control/ports.ts";
import type { AuditEntry } from "../../src/simulation/cluster/store.ts";
import { DATA_PLANE_NAMESPACE, FLEET_NAMESPACE, type World } from "../../src/simulation/world.ts";

/** What is true of a world: the store's objects, the data planes that answer, and what the operator said and wrote. */
export class Facts {
  readonly world: World;

  constructor(world: World) {
    this.world = world;
  }

  get now(): number {
    return this.world.clock.now();
  }

  read<T>(kind: Kind | object, name: string, namespace?: string): T | undefined {
    return this.world.store.get(kind as Kind, name, namespace) as unknown as T | undefined;
  }

  pop(name = "fra1"): PopCluster {
    const found = this.read<PopCluster>(POP_CLUSTER, name, FLEET_NAMESPACE);
    if (!found) throw new Error(`there is no PoPCluster ${name}`);
    return found;
  }

  status(name = "fra1"): PopClusterStatus {
    return this.pop(name).status ?? {};
  }

  fleet(): Fleet {
    return this.read<Fleet>(FLEET, "fleet", FLEET_NAMESPACE)!;
  }

  condition(type: string, pop = "fra1"): Pick<Condition, "status" | "reason" | "message"> | undefined {
    return this.status(pop).conditions?.find((condition) => condition.type === type);
  }

  holds(pop = "fra1"): readonly string[] {
    return (this.status(pop).holds ?? []).map((hold) => hold.reason);
  }

  nodes(pop = "fra1"): NodeObject[] {
    return (this.world.store.list(NODE) as unknown as NodeObject[]).filter((node) => node.metadata.labels?.["rollward.dev/pop"] === pop);
  }

  pods(pop = "fra1"): PodObject[] {
    return (this.world.store.list(POD) as unknown as PodObject[]).filter((pod) => pod.metadata.labels?.["rollward.dev/pop"] === pop);
  }

  daemonSets(): DaemonSetObject[] {
    return (this.world.store.list(DAEMON_SET) as unknown as DaemonSetObject[]).filter(
      (set) => set.metadata.namespace === DATA_PLANE_NAMESPACE,
    );
  }

  /** The version that the data plane on each node says it runs, `-` where nothing answers; in the order of names. */
  versions(pop = "fra1"): string[] {
    return this.nodes(pop).map((node) => {
      const plane = this.plane(node.metadata.name);
      return plane === undefined ? "-" : `${plane.identity.version}${plane.behaviour.name === "good" ? "" : `-${plane.behaviour.name}`}`;
    });
  }

  plane(node: string) {
    const address = this.read<NodeObject>(NODE, node)?.status?.addresses?.find((one) => one.type === "InternalIP")?.address;
    return address === undefined ? undefined : this.world.runtime.listener(address, 8080)?.instance.plane;
  }

  serving(pop = "fra1"): string[] {
    return this.nodes(pop)
      .map((node) => node.metadata.name)
      .filter((name) => {
        const plane = this.plane(name);
        return plane?.health === "Healthy" && !plane.draining;
      });
  }

  /** Nodes that bear an unended claim or our taint. */
  claimed(pop = "fra1"): string[] {
    return this.nodes(pop)
      .filter(({ metadata, spec }) => {
        const claim = metadata.annotations?.[CLAIM_ANNOTATION];
        return (claim !== undefined && !claim.startsWith(RELEASED_PREFIX)) || spec?.taints?.some((taint) => taint.key === UPDATING_TAINT);
      })
      .map((node) => node.metadata.name);
  }

  label = (node: string): string | undefined => this.read<NodeObject>(NODE, node)?.metadata.labels?.[REVISION_LABEL];

  outcomes(pop = "fra1"): string[] {
    return (this.status(pop).history ?? []).map((entry) => `${entry.version} ${entry.outcome}`);
  }

  /** What the operator said, as `Reason: sentence`; the Fleet's own events apart. */
  narration(pop = "fra1"): string[] {
    return this.world.said.filter(({ event }) => event.regarding.name === pop).map(({ event }) => `${event.reason}: ${event.note}`);
  }

  reasons(pop = "fra1"): string[] {
    return this.world.said.filter(({ event }) => event.regarding.name === pop).map(({ event }) => event.reason);
  }

  /** Writes of the operator that reached the API server. */
  writes(of: (entry: AuditEntry) => boolean = () => true): AuditEntry[] {
    return this.world.store.audit.filter(
      (entry) => entry.user === "rollward" && entry.code < 300 && !entry.dryRun && entry.subresource !== "eviction" && of(entry),
    );
  }

  /** Where everything stood, in lines short enough to be read when a wait was in vain. */
  describe(): string {
    const pops = (this.world.store.list(POP_CLUSTER) as unknown as PopCluster[]).flatMap(({ metadata, status = {} }) => [
      `${metadata.name}: run ${JSON.stringify({ ...status.run, frozen: undefined })}; grant ${JSON.stringify(status.grant)}`,
      ...(status.holds ?? []).map((hold) => `  holds ${hold.rule} ${hold.reason} ${hold.until ?? ""}: ${hold.message}`),
      ...(status.nodes ?? []).map(
        (node) =>
          `  ${node.name} ${node.step} ${node.skipped ?? ""} attempt ${node.attempt} since ${node.since} ${node.revision ?? ""}: ${node.message ?? ""}`,
      ),
      ...(status.conditions ?? []).map((condition) => `  ${condition.type} ${condition.status} ${condition.reason}: ${condition.message}`),
      ...(status.history ?? []).map((entry) => `  ${entry.version} ${entry.outcome}: ${entry.evidence ?? ""}`),
    ]);
    const nodes = (this.world.store.list(NODE) as unknown as NodeObject[]).map(
      ({ metadata, status }) =>
        `node ${metadata.name} ${this.label(metadata.name)} claim ${metadata.annotations?.[CLAIM_ANNOTATION]} Ready ${status?.conditions?.find((one) => one.type === "Ready")?.status}`,
    );
    const pods = (this.world.store.list(POD) as unknown as PodObject[]).map(
      ({ metadata, spec, status }) =>
        `pod ${metadata.name} on ${spec.nodeName} ${status?.phase} Ready ${status?.conditions?.find((one) => one.type === "Ready")?.status} ${metadata.deletionTimestamp ? "terminating" : ""}`,
    );
    return [...pops, ...nodes, ...pods, ...this.world.said.slice(-12).map(({ event }) => `said ${event.reason}: ${event.note}`)].join("\n");
  }
}
