// B1: how long a roll of N nodes takes with instant health and without soak, beside the native DaemonSet's RollingUpdate with
// maxUnavailable 1 on the same virtual nodes. B12: how many writes Rollward sends for it, counted in the API server's audit log.
import { setTimeout as sleep } from "node:timers/promises";
import { POP_LABEL } from "../src/api/names.ts";
import { DAEMON_SET, type DaemonSetObject } from "../src/control/kinds.ts";
import type { Draft } from "../src/control/ports.ts";
import { DATA_PLANE_NAMESPACE } from "../src/simulation/world.ts";
import { type AuditEntry, isWrite } from "../tools/control-plane/audit-log.ts";
import { type Figures, median, type Row, spread } from "./figures.ts";
import { type BenchWorld, changeIn } from "./world.ts";

const NODES = 8;
/** A is Rollward, B the DaemonSet. */
const ORDER = ["A", "B", "B", "A", "A", "B", "B", "A"] as const;
const POP = "fra1";
const TARGET = 1.25;
const WRITES_TARGET = 8;

/** Claim and taint, drain, label off and on, verify, taint off; no soak. One good answer is enough. */
const instant = {
  strategy: { bake: "1s", perNode: { expected: "40s", deadline: "60s", soak: "0s", retries: 1 } },
  health: {
    node: [{ name: "ready", http: { port: 8080, path: "/healthz" }, successes: 1, failures: 2, interval: "1s", timeout: "1s" }],
    pop: [],
  },
};

export async function nodeRoll(world: BenchWorld, program: string): Promise<Figures[]> {
  const operator = await world.startOperator(program);
  await world.createPop(POP, instant);
  await world.until(POP, "the first version is on all nodes", ({ status }) => status?.run?.state === "Passed");
  const native = new NativeDaemonSet(world);
  await native.create();
  const times = { A: [] as number[], B: [] as number[] };
  const begun: number[] = [];
  const counted: AuditEntry[][] = [];
  for (const [index, who] of ORDER.entries()) {
    const tag = `2.${index}.0`;
    if (who === "B") times.B.push(await native.roll(tag));
    else {
      const from = Date.now();
      const roll = await rollwardRoll(world, tag);
      times.A.push(roll.whole);
      begun.push(roll.untilFirstClaim);
      counted.push(writesOf(world, from));
    }
    // Caches, events and status writes of the one must not fall into the time of the other.
    await sleep(2_000);
  }
  await operator.stop();
  native.stop();
  const perNode = { A: times.A.map((time) => time / NODES), B: times.B.map((time) => time / NODES) };
  const ratio = median(times.A) / median(times.B);
  const rolls: Figures = {
    title: "B1: a roll, node by node, beside the native DaemonSet",
    how: `${NODES} virtual nodes on a real API server, instant health, soak 0s, from the write of the new version to the last node done; order ${ORDER.join(" ")}`,
    rows: [
      { what: "Rollward, a node", value: spread(perNode.A, "ms") },
      { what: "  of it once a roll: announced, dry run, recorded, granted, preflight", value: spread(begun, "ms") },
      {
        what: "  of it each node, from claim to claim",
        value: spread(
          times.A.map((time, index) => (time - begun[index]!) / NODES),
          "ms",
        ),
      },
      { what: "DaemonSet RollingUpdate, maxUnavailable 1, a node", value: spread(perNode.B, "ms") },
      { what: "ratio of the medians", value: `${ratio.toFixed(2)} ×`, target: `≤ ${TARGET} ×`, met: ratio <= TARGET },
    ],
  };
  return [rolls, writesPerNode(counted)];
}

async function rollwardRoll(world: BenchWorld, version: string): Promise<{ readonly whole: number; readonly untilFirstClaim: number }> {
  const started = await world.editPop(POP, (spec) => ({ ...spec, version }));
  const claimed = await world.until(
    POP,
    `the first node is claimed for ${version}`,
    ({ status }) =>
      status?.run?.version === version && status.run.state !== "Preflight" && (status.nodes ?? []).some(({ step }) => step !== "Pending"),
  );
  const { at } = await world.until(
    POP,
    `${version} is on all nodes`,
    ({ status }) => status?.run?.version === version && status.run.state !== "Preflight" && status.run.state !== "Rolling",
  );
  // The next roll begins when this one has baked.
  await world.until(POP, `${version} has baked`, ({ status }) => status?.run?.version === version && status.run.state === "Passed");
  return { whole: at - started, untilFirstClaim: claimed.at - started };
}

/** The operator's writes since a wall-clock instant; the lease and events apart, dry runs and evictions' dry runs in. */
function writesOf(world: BenchWorld, from: number): AuditEntry[] {
  return world.controlPlane
    .auditEntries()
    .filter(
      (entry) =>
        isWrite(entry) &&
        entry.userAgent.startsWith("rollward/") &&
        entry.objectRef?.resource !== "leases" &&
        Date.parse(entry.requestReceivedTimestamp) >= from,
    );
}

const byTime = (one: AuditEntry, other: AuditEntry): number => Date.parse(one.stageTimestamp) - Date.parse(other.stageTimestamp);
const nameOf = ({ verb, objectRef }: AuditEntry): string =>
  `${verb} ${objectRef?.resource ?? ""}${objectRef?.subresource ? `/${objectRef.subresource}` : ""}`;

/**
 * The writes for nodes: from the ledger's word for the first claim to the one that says that the last node soaks, without the
 * Fleet's. What comes before and after is what a roll costs once, however many nodes it has.
 */
function forNodes(entries: readonly AuditEntry[]): AuditEntry[] {
  const isStatus = (entry: AuditEntry) => nameOf(entry) === "update popclusters/status";
  const isPatch = (entry: AuditEntry) => nameOf(entry) === "patch nodes";
  const firstClaim = entries.slice(0, entries.findIndex(isPatch)).findLastIndex(isStatus);
  const lastRelease = entries.findLastIndex(isPatch);
  const soaks = entries.findIndex((entry, index) => index > lastRelease && isStatus(entry));
  return entries.slice(firstClaim, soaks + 1).filter((entry) => entry.objectRef?.resource !== "fleets");
}

function writesPerNode(counted: readonly AuditEntry[][]): Figures {
  const isEvent = (entry: AuditEntry) => entry.objectRef?.resource === "events";
  const state = counted.map((entries) => entries.filter((entry) => !isEvent(entry)).sort(byTime));
  const nodes = state.map(forNodes);
  const events = counted.map((entries) => entries.filter(isEvent));
  const failed = counted.flat().filter((entry) => (entry.responseStatus?.code ?? 0) >= 400).length;
  const perNode = nodes.map((entries) => entries.length / NODES);
  const once = state.map((entries, index) => entries.length - nodes[index]!.length);
  const kinds = new Map<string, number>();
  for (const entry of state.flat()) kinds.set(nameOf(entry), (kinds.get(nameOf(entry)) ?? 0) + 1);
  const byKind = [...kinds]
    .sort(([, one], [, other]) => other - one)
    .map(([kind, count]): Row => ({ what: `  ${kind}, a roll`, value: (count / counted.length).toFixed(1) }));
  return {
    title: "B12: writes to the API server for each node rolled",
    how: `counted in the API server's audit log over ${counted.length} rolls of ${NODES} nodes, what a roll costs once apart (announcement, dry run, record, DaemonSet, finalizer, grant, start, preflight, end); the lease and events apart`,
    rows: [
      {
        what: "writes, a node",
        value: spread(perNode, "", 1),
        target: `≤ ${WRITES_TARGET}`,
        met: Math.max(...perNode) <= WRITES_TARGET,
        gated: true,
      },
      { what: "writes, once a roll", value: spread(once, "", 0) },
      ...byKind,
      {
        what: "events, a node",
        value: spread(
          events.map((entries) => entries.length / NODES),
          "",
          1,
        ),
      },
      { what: "writes refused, in all", value: String(failed) },
    ],
  };
}

/** The peer: a DaemonSet as Kubernetes rolls it by itself, on ports of its own. */
class NativeDaemonSet {
  readonly #world: BenchWorld;
  readonly #cache;

  constructor(world: BenchWorld) {
    this.#world = world;
    this.#cache = world.cluster.cache(DAEMON_SET, { namespace: DATA_PLANE_NAMESPACE });
  }

  async create(): Promise<void> {
    await this.#world.cluster.create(DAEMON_SET, daemonSet("1.0.0"));
    await this.#settled(1);
  }

  /** Milliseconds from the write of the new image until the controller says that all nodes are updated and available. */
  async roll(tag: string): Promise<number> {
    const started = performance.now();
    const written = await this.#world.cluster.patch(DAEMON_SET, "native", DATA_PLANE_NAMESPACE, [
      { op: "replace", path: "/spec/template/spec/containers/0/image", value: imageOf(tag) },
    ]);
    return (await this.#settled(written.metadata.generation ?? 0)) - started;
  }

  stop(): void {
    this.#cache.stop();
  }

  async #settled(generation: number): Promise<number> {
    const { at } = await changeIn(
      this.#cache,
      () => this.#cache.get("native", DATA_PLANE_NAMESPACE),
      ({ status }) =>
        (status?.observedGeneration ?? 0) >= generation && status?.updatedNumberScheduled === NODES && status.numberAvailable === NODES,
      120_000,
      () => `the native DaemonSet did not settle; it stood at ${JSON.stringify(this.#cache.get("native", DATA_PLANE_NAMESPACE)?.status)}`,
    );
    return at;
  }
}

const imageOf = (tag: string): string => `registry.example/pop:${tag}`;

function daemonSet(tag: string): Draft<DaemonSetObject> {
  const labels = { app: "native" };
  const ports = [
    { name: "health", containerPort: 9080, hostPort: 9080 },
    { name: "sessions", containerPort: 9000, hostPort: 9000 },
  ];
  return {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name: "native", namespace: DATA_PLANE_NAMESPACE },
    spec: {
      selector: { matchLabels: labels },
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1 } },
      template: {
        metadata: { labels },
        spec: {
          hostNetwork: true,
          terminationGracePeriodSeconds: 2,
          nodeSelector: { [POP_LABEL]: POP },
          tolerations: [{ operator: "Exists" }],
          containers: [{ name: "pop", image: imageOf(tag), ports, readinessProbe: { httpGet: { path: "/healthz", port: 9080 } } }],
        },
      },
    },
  } as unknown as Draft<DaemonSetObject>;
}

if (import.meta.main) {
  const { build, DIST } = await import("../tools/build.ts");
  const { inWorld } = await import("./world.ts");
  const { printFigures } = await import("./figures.ts");
  const { program } = await build(DIST);
  (await inWorld({ [POP]: NODES }, (world) => nodeRoll(world, program))).forEach(printFigures);
}
