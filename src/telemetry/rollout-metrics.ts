import type { Assignment, PopRollout } from "../api/pop-rollout.ts";
import type { WaitingReason } from "../api/reasons.ts";
import type { GaugeReading, Metrics } from "./metrics.ts";
import { rolloutReadings } from "./rollout-readings.ts";
import { waitingReadings, waitingReason } from "./waiting.ts";

const KIND = "PoPRollout";
/** Nothing was begun there yet. */
const UNBEGUN: ReadonlySet<Assignment["state"]> = new Set(["Assigned", "Skipped"]);

/** The series of every PoPRollout, derived from its status alone; handed each one after it was reconciled. */
export class RolloutMetrics {
  readonly #metrics: Metrics;
  readonly #now: () => number;
  readonly #seen = new Map<string, PopRollout>();

  /** `now` is the operator's calendar clock: an approval waits by it. */
  constructor(metrics: Metrics, now: () => number) {
    this.#metrics = metrics;
    this.#now = now;
    metrics.onScrape(() => this.#refresh());
  }

  observe(rollout: PopRollout): void {
    const before = this.#seen.get(keyOf(rollout.metadata.name));
    // A new object of an old name is a new thing (rule G6).
    if (before !== undefined && before.metadata.uid !== rollout.metadata.uid) this.forget(rollout.metadata.name);
    this.#seen.set(keyOf(rollout.metadata.name), rollout);
  }

  forget(name: string): void {
    this.#seen.delete(keyOf(name));
    this.#metrics.forget(keyOf(name));
  }

  /** What was seen of every rollout is forgotten: see PopMetrics. */
  clear(): void {
    for (const key of this.#seen.keys()) this.#metrics.forget(key);
    this.#seen.clear();
    this.#metrics.forget(`waiting/${KIND}`);
  }

  #refresh(): void {
    const waiting: WaitingReason[] = [];
    for (const [key, rollout] of this.#seen) {
      this.#metrics.publish(key, popRolloutReadings(rollout, this.#now()));
      const reason = waitingReason(rollout.status?.holds);
      if (reason !== undefined) waiting.push(reason);
    }
    this.#metrics.publish(`waiting/${KIND}`, waitingReadings(KIND, waiting));
  }
}

/** The gauges of one rollout at an instant. */
export function popRolloutReadings({ metadata, spec, status = {} }: PopRollout, now: number): GaugeReading[] {
  const labels = { kind: KIND, name: metadata.name };
  const { assignments = [], numbers, forecast, conditions = [] } = status;
  const state = conditions.find(({ type }) => type === "Progressing")?.reason ?? "Unknown";
  const share = (count: number): number => (numbers === undefined || numbers.pops === 0 ? 0 : count / numbers.pops);
  const measures = {
    offered: share(assignments.filter((one) => one.state !== "Skipped").length),
    attempted: share(assignments.filter((one) => !UNBEGUN.has(one.state)).length),
    confirmed: share(numbers?.passed ?? 0),
    failed: share(numbers?.failed ?? 0),
    unreachable: share(assignments.filter(({ reason }) => reason === "ClusterUnreachable").length),
  };
  const pendingSince = status.holds?.some(({ reason }) => reason === "AwaitingApproval") ? approvalPendingSince(status) : undefined;
  return [
    ...rolloutReadings(labels, spec.version ?? spec.content?.version ?? "", status.holds),
    { name: "rollout_state", labels: { ...labels, state }, value: 1 },
    ...Object.entries(measures).map(([measure, value]): GaugeReading => ({
      name: "rollout_progress_ratio",
      labels: { ...labels, measure },
      value,
    })),
    ...(forecast === undefined ? [] : [{ name: "rollout_fits_window", labels, value: forecast.fits ? 1 : 0 } as const]),
    ...(forecast?.finishAt === undefined
      ? []
      : [{ name: "rollout_forecast_finish_timestamp_seconds", labels, value: Date.parse(forecast.finishAt) / 1000 } as const]),
    ...(pendingSince === undefined
      ? []
      : [{ name: "approval_pending_seconds", labels, value: Math.max(0, (now - pendingSince) / 1000) } as const]),
  ];
}

/** The last thing that happened before people were waited for: the end of the wave before, or the first sight of the rollout. */
function approvalPendingSince({ waves = [], seenAt }: NonNullable<PopRollout["status"]>): number | undefined {
  const ended = waves.flatMap(({ endedAt }) => (endedAt === undefined ? [] : [Date.parse(endedAt)]));
  const since = Math.max(...ended, seenAt === undefined ? -Infinity : Date.parse(seenAt));
  return Number.isFinite(since) ? since : undefined;
}

const keyOf = (name: string): string => `${KIND}/${name}`;
