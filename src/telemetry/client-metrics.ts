import type { ClientRollout } from "../api/client-rollout.ts";
import type { WaitingReason } from "../api/reasons.ts";
import type { GaugeReading, Metrics } from "./metrics.ts";
import { rolloutReadings } from "./rollout-readings.ts";
import { waitingReadings, waitingReason } from "./waiting.ts";

const KIND = "ClientRollout";
const VERSIONS = "client_versions";
/** Clients say what they run: what they make up must not become series without end (rule I19). */
const MOST_VERSIONS = 200;

/** Devices of one account by what they report. */
interface VersionRow {
  readonly os: string;
  readonly version: string;
  readonly devices: number;
}

/** The series of every ClientRollout, derived from its status alone, and how many Clients run which version. */
export class ClientMetrics {
  readonly #metrics: Metrics;
  readonly #now: () => number;
  readonly #rollouts = new Map<string, ClientRollout>();
  #versions: readonly VersionRow[] = [];

  /** `now` is the operator's calendar clock: an approval waits by it. */
  constructor(metrics: Metrics, now: () => number) {
    this.#metrics = metrics;
    this.#now = now;
    metrics.onScrape(() => this.#refresh());
  }

  observe(rollout: ClientRollout): void {
    const { name, uid } = rollout.metadata;
    // A new object of an old name is a new thing (rule G6).
    if (this.#rollouts.get(name)?.metadata.uid !== uid) this.forget(name);
    this.#rollouts.set(name, rollout);
  }

  forget(name: string): void {
    this.#rollouts.delete(name);
    this.#metrics.forget(`${KIND}/${name}`);
  }

  /** As they were counted last, of all accounts. */
  versions(rows: readonly VersionRow[]): void {
    const sums = new Map<string, VersionRow>();
    for (const { os, version, devices } of rows) {
      const key = JSON.stringify([os, version]);
      sums.set(key, { os, version, devices: devices + (sums.get(key)?.devices ?? 0) });
    }
    this.#versions = [...sums.values()].filter(({ devices }) => devices > 0).toSorted((one, other) => other.devices - one.devices);
  }

  /** All that was seen is forgotten: the next leader tells the same series. */
  clear(): void {
    for (const name of this.#rollouts.keys()) this.#metrics.forget(`${KIND}/${name}`);
    this.#rollouts.clear();
    this.#versions = [];
    for (const owner of [VERSIONS, `waiting/${KIND}`]) this.#metrics.forget(owner);
  }

  #refresh(): void {
    const waiting: WaitingReason[] = [];
    for (const [name, rollout] of this.#rollouts) {
      this.#metrics.publish(`${KIND}/${name}`, clientRolloutReadings(rollout, this.#now()));
      const reason = waitingReason(rollout.status?.holds);
      if (reason !== undefined) waiting.push(reason);
    }
    this.#metrics.publish(`waiting/${KIND}`, waitingReadings(KIND, waiting));
    this.#metrics.publish(VERSIONS, versionReadings(this.#versions));
  }
}

/** The gauges of one rollout at an instant. Shares are of the devices that it will reach. */
function clientRolloutReadings({ metadata, spec, status = {} }: ClientRollout, now: number): GaugeReading[] {
  const labels = { kind: KIND, name: metadata.name };
  const { numbers, forecast, stopped } = status;
  const share = (count = 0): number => (numbers === undefined || numbers.eligible === 0 ? 0 : count / numbers.eligible);
  const since = pendingSince(status);
  return [
    ...rolloutReadings(labels, spec.version, status.holds),
    { name: "rollout_state", labels: { ...labels, state: stateOf({ status }) }, value: 1 },
    ...(["offered", "attempted", "confirmed", "failed", "unreachable"] as const).map((measure): GaugeReading => ({
      name: "rollout_progress_ratio",
      labels: { ...labels, measure },
      value: share(numbers?.[measure]),
    })),
    ...(forecast === undefined || stopped !== undefined
      ? []
      : [{ name: "rollout_forecast_finish_timestamp_seconds", labels, value: Date.parse(forecast.standsAt) / 1_000 } as const]),
    ...(since === undefined ? [] : [{ name: "approval_pending_seconds", labels, value: Math.max(0, (now - since) / 1_000) } as const]),
  ];
}

/** What a person has to look at first: that it paused itself, whoever else paused it too. */
function stateOf({ status }: Pick<ClientRollout, "status">): string {
  if (status?.stopped === undefined && status?.monitoring?.paused !== undefined) return "PausedByMonitoring";
  return status?.conditions?.find(({ type }) => type === "Progressing")?.reason ?? "Unknown";
}

/** Since when it has stood still until a person decides: there is a digest to decide on, and nothing else holds it. */
function pendingSince({ digest, conditions = [] }: NonNullable<ClientRollout["status"]>): number | undefined {
  const progressing = conditions.find(({ type }) => type === "Progressing");
  const waits = digest !== undefined && progressing?.status === "False" && progressing.reason === "AwaitingEvidence";
  return waits ? Date.parse(progressing.lastTransitionTime) : undefined;
}

function versionReadings(versions: readonly VersionRow[]): GaugeReading[] {
  const rest = versions.slice(MOST_VERSIONS).reduce((sum, { devices }) => sum + devices, 0);
  const shown = versions.slice(0, MOST_VERSIONS).map(({ os, version, devices }): GaugeReading => ({
    name: "client_versions",
    labels: { os, version: version === "" ? "none" : version },
    value: devices,
  }));
  return rest === 0 ? shown : [...shown, { name: "client_versions", labels: { os: "other", version: "other" }, value: rest }];
}
