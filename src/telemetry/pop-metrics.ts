import { NODE_STEPS, type CheckStatus, type PopCluster, type PopClusterStatus } from "../api/pop-cluster.ts";
import type { WaitingReason } from "../api/reasons.ts";
import type { GaugeReading, Metrics } from "./metrics.ts";
import { finishedRoll } from "./roll-durations.ts";
import { firstWait, waitingReadings, waitingReason } from "./waiting.ts";

const VERDICTS = ["Healthy", "Unhealthy", "Unknown", "NotEnoughSamples"] as const satisfies readonly CheckStatus["verdict"][];
/** The most serious first: of a check on many nodes the worst is shown. */
const BY_SERIOUSNESS = ["Unhealthy", "Unknown", "NotEnoughSamples", "Healthy"] as const satisfies readonly CheckStatus["verdict"][];

/**
 * The series of every PoPCluster, derived from its status alone: what a scrape says and what `kubectl` shows cannot differ. Handed
 * each PoP after it was reconciled; what happened in between is read from the difference to the status before.
 */
export class PopMetrics {
  readonly #metrics: Metrics;
  readonly #now: () => number;
  readonly #seen = new Map<string, PopCluster>();

  /** `now` is the operator's calendar clock: windows open with time alone, without any change of the object. */
  constructor(metrics: Metrics, now: () => number) {
    this.#metrics = metrics;
    this.#now = now;
    metrics.onScrape(() => this.#refresh());
  }

  /** The PoP as it now is. */
  observe(pop: PopCluster): void {
    const key = keyOf(pop.metadata);
    const before = this.#seen.get(key);
    // A new object of an old name is a new thing (rule G6): its counters begin at zero.
    if (before !== undefined && before.metadata.uid !== pop.metadata.uid) this.forget(pop.metadata);
    const known = this.#seen.get(key);
    this.#seen.set(key, pop);
    // A PoP of one node has one sample a roll: it must not be the one that nobody sees.
    if (known === undefined) this.#metrics.begin("pop_reconnect_seconds", labelsOf(pop), key);
    this.#count(key, known?.status, pop);
  }

  /** The PoP is gone, and all its series with it. */
  forget(name: { readonly namespace?: string; readonly name: string }): void {
    const key = keyOf(name);
    this.#seen.delete(key);
    this.#metrics.forget(key);
  }

  /** What was seen of every PoP is forgotten: a replica that leads no more must not go on telling what it last knew. */
  clear(): void {
    for (const key of this.#seen.keys()) this.#metrics.forget(key);
    this.#seen.clear();
    this.#metrics.forget("waiting/PoPCluster");
  }

  #count(key: string, before: PopClusterStatus | undefined, pop: PopCluster): void {
    const labels = labelsOf(pop);
    const after = pop.status ?? {};
    // Without a status before, nothing is known to be new: after a restart of the operator the past is not counted again.
    if (before === undefined) return;
    const roll = finishedRoll(before, after);
    for (const [cause, seconds] of Object.entries(roll?.spent ?? {})) {
      this.#metrics.observe("pop_roll_duration_seconds", { ...labels, outcome: roll!.outcome, spent: cause }, seconds, key);
    }
    const reason = rollbackReason(before, after);
    if (reason !== undefined) this.#metrics.count("pop_rollbacks_total", { ...labels, reason }, key);
    for (const seconds of newReconnects(before, after)) this.#metrics.observe("pop_reconnect_seconds", labels, seconds, key);
  }

  #refresh(): void {
    const now = this.#now();
    const waiting: WaitingReason[] = [];
    for (const [key, pop] of this.#seen) {
      this.#metrics.publish(key, popReadings(pop, now));
      const reason = waitingReason(pop.status?.holds);
      if (reason !== undefined) waiting.push(reason);
    }
    this.#metrics.publish("waiting/PoPCluster", waitingReadings("PoPCluster", waiting));
  }
}

/** The gauges of one PoP at an instant. */
export function popReadings(pop: PopCluster, now: number): GaugeReading[] {
  const labels = labelsOf(pop);
  const { conditions = [], nodes = [], checks = [], next = [], version = "", holds } = pop.status ?? {};
  const wait = firstWait(holds);
  const state = conditions.find((condition) => condition.type === "Ready")?.reason ?? "Unknown";
  const slots = next.map(({ start, end }) => ({ start: Date.parse(start), end: Date.parse(end) }));
  const opens = slots.find(({ start }) => start > now)?.start;
  return [
    { name: "pop_info", labels: { ...labels, region: pop.spec.region ?? "", version }, value: 1 },
    { name: "pop_state", labels: { ...labels, state }, value: 1 },
    ...(wait === undefined
      ? []
      : [{ name: "pop_waits_until_timestamp_seconds", labels: { ...labels, reason: wait.reason }, value: wait.until } as const]),
    ...NODE_STEPS.map((step): GaugeReading => ({
      name: "pop_nodes",
      labels: { ...labels, step },
      value: nodes.filter((node) => node.step === step).length,
    })),
    ...checkReadings(labels, checks),
    ...rollbackReadings(labels, pop),
    { name: "window_active", labels, value: slots.some(({ start, end }) => start <= now && now < end) ? 1 : 0 },
    ...(opens === undefined ? [] : [{ name: "window_next_open_timestamp_seconds", labels, value: opens / 1000 } as const]),
  ];
}

function checkReadings(labels: { namespace: string; pop: string }, checks: readonly CheckStatus[]): GaugeReading[] {
  return [...new Set(checks.map((check) => check.name))].flatMap((name) => {
    const found = new Set(checks.filter((check) => check.name === name).map((check) => check.verdict));
    const worst = BY_SERIOUSNESS.find((verdict) => found.has(verdict));
    return VERDICTS.map((verdict): GaugeReading => ({
      name: "health_verdict",
      labels: { ...labels, check: name, verdict },
      value: verdict === worst ? 1 : 0,
    }));
  });
}

/** The last rollback that ended. Its evidence begins with the check that did it, behind the node that was asked (`node NAME: CHECK: …`). */
function rollbackReadings(labels: { namespace: string; pop: string }, { spec, status = {} }: PopCluster): GaugeReading[] {
  const last = status.history?.findLast(({ outcome }) => outcome === "RolledBack" || outcome === "RollbackFailed");
  if (last === undefined) return [];
  const names = [...spec.health.node, ...spec.health.pop].map(({ name }) => name);
  const check = names.find((name) => last.evidence?.startsWith(`${name}: `) || last.evidence?.includes(`: ${name}: `)) ?? "node";
  const value = Date.parse(last.endedAt) / 1000;
  return [{ name: "pop_last_rollback_timestamp_seconds", labels: { ...labels, version: last.version, check }, value }];
}

/** Why a rollback began between the two, as one of three words; undefined when none did. */
function rollbackReason(before: PopClusterStatus, after: PopClusterStatus): "Requested" | "NodeFailed" | "CheckFailed" | undefined {
  const began = after.run?.kind === "Rollback" && (before.run?.kind !== "Rollback" || before.run.id !== after.run.id);
  if (!began) return undefined;
  const asked = ({ handled }: PopClusterStatus) => [handled?.takeBack, handled?.assignedTakeBack].join();
  if (asked(after) !== asked(before)) return "Requested";
  // The ledger words what a node is to blame for as `node NAME: …`; its step is no sign, because it waits for its way back already.
  return after.nodes?.some(({ name }) => after.run?.cause?.startsWith(`node ${name}: `)) === true ? "NodeFailed" : "CheckFailed";
}

/** Reconnect times that were not there before: one for each drain of a node. */
function newReconnects(before: PopClusterStatus, after: PopClusterStatus): number[] {
  const known = new Map(before.nodes?.map((node) => [node.uid, node]));
  return (after.nodes ?? [])
    .filter((node) => node.reconnectSeconds !== undefined && node.reconnectSeconds !== known.get(node.uid)?.reconnectSeconds)
    .map((node) => node.reconnectSeconds!);
}

const keyOf = ({ namespace, name }: { readonly namespace?: string; readonly name: string }): string =>
  `PoPCluster/${namespace ?? ""}/${name}`;
const labelsOf = ({ metadata }: PopCluster): { namespace: string; pop: string } => ({
  namespace: metadata.namespace ?? "",
  pop: metadata.name,
});
