import type { WaitingReason } from "../api/reasons.ts";
import type { SocketRollout } from "../api/socket-rollout.ts";
import type { SocketSite } from "../api/socket-site.ts";
import type { GaugeReading, Metrics } from "./metrics.ts";
import { rolloutReadings } from "./rollout-readings.ts";
import { waitingReadings, waitingReason } from "./waiting.ts";

const SITES = "SocketSite";
const ROLLOUTS = "SocketRollout";
/** Devices write models and versions: what they make up must not become series without end (rule I19). */
const MOST_VERSIONS = 200;

/** What is kept of one site: with 100,000 of them little has to do. */
interface SiteFacts {
  readonly uid: string;
  readonly waits: WaitingReason | undefined;
  readonly haNotReady: string | undefined;
  /** Since when it has had the open story, in calendar milliseconds. */
  readonly mixedSince: number | undefined;
  readonly noticePending: boolean;
  readonly sockets: readonly { readonly model: string; readonly version: string }[];
}

/** The series of every SocketSite, summed up, and of every SocketRollout, derived from their status alone. */
export class SocketMetrics {
  readonly #metrics: Metrics;
  readonly #now: () => number;
  readonly #sites = new Map<string, SiteFacts>();
  readonly #rollouts = new Map<string, SocketRollout>();

  /** `now` is the operator's calendar clock: a story lasts by it. */
  constructor(metrics: Metrics, now: () => number) {
    this.#metrics = metrics;
    this.#now = now;
    metrics.onScrape(() => this.#refresh());
  }

  observeSite(site: SocketSite): void {
    this.#sites.set(`${site.metadata.namespace ?? ""}/${site.metadata.name}`, factsOf(site));
  }

  forgetSite(name: string, namespace: string): void {
    this.#sites.delete(`${namespace}/${name}`);
  }

  observeRollout(rollout: SocketRollout): void {
    const { name, uid } = rollout.metadata;
    // A new object of an old name is a new thing (rule G6).
    if (this.#rollouts.get(name)?.metadata.uid !== uid) this.forgetRollout(name);
    this.#rollouts.set(name, rollout);
  }

  forgetRollout(name: string): void {
    this.#rollouts.delete(name);
    this.#metrics.forget(`${ROLLOUTS}/${name}`);
  }

  /** All that was seen is forgotten: the next leader tells the same series. */
  clear(): void {
    this.#sites.clear();
    for (const name of this.#rollouts.keys()) this.#metrics.forget(`${ROLLOUTS}/${name}`);
    this.#rollouts.clear();
    for (const owner of [SITES, `waiting/${ROLLOUTS}`]) this.#metrics.forget(owner);
  }

  #refresh(): void {
    this.#metrics.publish(SITES, siteReadings([...this.#sites.values()], this.#now()));
    for (const [name, rollout] of this.#rollouts) this.#metrics.publish(`${ROLLOUTS}/${name}`, socketRolloutReadings(rollout));
    const reasons = [...this.#rollouts.values()].flatMap(({ status }) => waitingReason(status?.holds) ?? []);
    this.#metrics.publish(`waiting/${ROLLOUTS}`, waitingReadings(ROLLOUTS, reasons));
  }
}

function factsOf({ metadata, status = {} }: SocketSite): SiteFacts {
  const { ha, upgrade, sockets = [], holds } = status;
  const bad = ha?.status === "NotReady" ? ha.checks.find((check) => check.status === "NotReady") : undefined;
  const planned = upgrade?.step === "Announced" || upgrade?.step === "Scheduled";
  return {
    uid: metadata.uid,
    waits: waitingReason(holds),
    haNotReady: ha?.status === "NotReady" ? (bad?.reason ?? "Unknown") : undefined,
    mixedSince: ha?.story === undefined ? undefined : Date.parse(ha.story.openedAt),
    // Without a channel it counts as taken when it stands in status, so then this is there from the first write on.
    noticePending: planned && upgrade.notice !== undefined && upgrade.announced?.noticeAcceptedAt === undefined,
    sockets: sockets.flatMap(({ model = "unknown", version }) => (version === undefined ? [] : [{ model, version }])),
  };
}

/** The gauges of all sites at an instant. */
function siteReadings(sites: readonly SiteFacts[], now: number): GaugeReading[] {
  if (sites.length === 0) return [];
  const mixed = Math.min(...sites.flatMap(({ mixedSince }) => mixedSince ?? []));
  const pending = sites.filter(({ noticePending }) => noticePending).length;
  return [
    ...[...counted(sites.flatMap(({ haNotReady }) => haNotReady ?? []))].map(([reason, value]): GaugeReading => ({
      name: "site_ha_not_ready",
      labels: { reason },
      value,
    })),
    { name: "site_mixed_pair_seconds", labels: {}, value: Number.isFinite(mixed) ? Math.max(0, (now - mixed) / 1_000) : 0 },
    { name: "notice_pending", labels: {}, value: pending },
    ...versionReadings(sites.flatMap(({ sockets }) => sockets)),
    ...waitingReadings(
      SITES,
      sites.flatMap(({ waits }) => waits ?? []),
    ),
  ];
}

function versionReadings(sockets: SiteFacts["sockets"]): GaugeReading[] {
  const by = [...counted(sockets.map(({ model, version }) => JSON.stringify([model, version])))].toSorted(([, a], [, b]) => b - a);
  const rest = by.slice(MOST_VERSIONS).reduce((sum, [, value]) => sum + value, 0);
  const shown = by.slice(0, MOST_VERSIONS).map(([key, value]): GaugeReading => {
    const [model, version] = JSON.parse(key) as [string, string];
    return { name: "socket_versions", labels: { model, version }, value };
  });
  return rest === 0 ? shown : [...shown, { name: "socket_versions", labels: { model: "other", version: "other" }, value: rest }];
}

/** The gauges of one rollout. Shares are of sites. */
function socketRolloutReadings({ metadata, spec, status = {} }: SocketRollout): GaugeReading[] {
  const labels = { kind: ROLLOUTS, name: metadata.name };
  const { numbers, forecast, conditions = [], stopped } = status;
  // A person's stop is nobody's alarm; one for failures is.
  const state = stopped?.by === "Failures" ? "Halted" : (conditions.find(({ type }) => type === "Progressing")?.reason ?? "Unknown");
  const share = (count = 0): number => (numbers === undefined || numbers.sites === 0 ? 0 : count / numbers.sites);
  return [
    ...rolloutReadings(labels, spec.version, status.holds),
    { name: "rollout_state", labels: { ...labels, state }, value: 1 },
    ...(["offered", "attempted", "confirmed", "failed", "unreachable"] as const).map((measure): GaugeReading => ({
      name: "rollout_progress_ratio",
      labels: { ...labels, measure },
      value: share(numbers?.[measure]),
    })),
    ...(forecast?.finishAt === undefined || stopped !== undefined
      ? []
      : [{ name: "rollout_forecast_finish_timestamp_seconds", labels, value: Date.parse(forecast.finishAt) / 1_000 } as const]),
  ];
}

function counted<Key>(keys: readonly Key[]): Map<Key, number> {
  const found = new Map<Key, number>();
  for (const key of keys) found.set(key, (found.get(key) ?? 0) + 1);
  return found;
}

/** What a gateway tells of each check-in: polls of Sockets (DDI) and requests of Clients (Omaha). */
export function checkinMetrics(metrics: Metrics, protocol: "ddi" | "omaha"): (answer: string, seconds: number) => void {
  return (answer, seconds) => {
    metrics.count("device_checkins_total", { protocol, answer });
    metrics.observe("device_checkin_seconds", {}, seconds);
  };
}

/** Whether the inventory answers this process. */
export const inventoryMetric =
  (metrics: Metrics): ((answers: boolean) => void) =>
  (answers) =>
    metrics.publish("inventory", [{ name: "inventory_answers", labels: {}, value: Number(answers) }]);

/** What a gateway tells of its host's clock, where it compares it with the inventory's. */
export const skewMetric =
  (metrics: Metrics): ((seconds: number) => void) =>
  (seconds) =>
    metrics.publish("gateway/clock", [{ name: "gateway_clock_skew_seconds", labels: {}, value: seconds }]);
