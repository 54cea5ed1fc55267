import { Counter, Gauge, Histogram, Registry, openMetricsContentType } from "prom-client";
import {
  COUNTERS,
  GAUGES,
  HISTOGRAMS,
  PREFIX,
  type CounterName,
  type GaugeName,
  type HistogramName,
  type LabelsOf,
} from "./metric-names.ts";

/** One value of a gauge. */
export type GaugeReading = {
  [Name in GaugeName]: { readonly name: Name; readonly labels: LabelsOf<Name>; readonly value: number };
}[GaugeName];

/**
 * The metrics of this process. Series belong to an owner (the key of an object, or a part of the operator) and vanish with it: a
 * deleted PoP must not go on telling its last state.
 */
export interface Metrics {
  /** Replaces all gauges of the owner; what is not named any more vanishes. */
  publish(owner: string, readings: readonly GaugeReading[]): void;
  count<Name extends CounterName>(name: Name, labels: LabelsOf<Name>, owner?: string): void;
  observe<Name extends HistogramName>(name: Name, labels: LabelsOf<Name>, value: number, owner?: string): void;
  /** Shows a histogram with nothing in it: increase() does not see the sample that a series is born with. Only for a series that is not there. */
  begin<Name extends HistogramName>(name: Name, labels: LabelsOf<Name>, owner: string): void;
  /** Removes every series of the owner. */
  forget(owner: string): void;
  /** Called before each page is rendered: for what changes with time alone. Returns the unsubscription. */
  onScrape(refresh: () => void): () => void;
  /** The page in OpenMetrics. */
  page(): Promise<string>;
  readonly contentType: string;
}

interface Removable {
  remove(labels: Readonly<Record<string, string>>): void;
}

/** Metrics on prom-client, in a registry of their own: several operators in one process (simulation, tests) share nothing. */
export function createMetrics(): Metrics {
  const registry = new Registry<typeof openMetricsContentType>();
  registry.setContentType(openMetricsContentType);
  const { gauges, counters, histograms } = createSeries(registry);
  // A gauge without labels is born with 0, and that of one who has no inventory would say for ever that it does not answer.
  gauges.inventory_answers.remove({});
  /** Per owner: series key → how to remove it. */
  const owned = new Map<string, Map<string, () => void>>();
  const refreshes = new Set<() => void>();

  const own = (owner: string | undefined, name: string, labels: Readonly<Record<string, string>>, series: Removable): void => {
    if (owner === undefined) return;
    const its = owned.get(owner) ?? new Map<string, () => void>();
    owned.set(
      owner,
      its.set(seriesKey(name, labels), () => series.remove(labels)),
    );
  };

  return {
    publish(owner, readings) {
      const key = `gauges ${owner}`;
      const before = owned.get(key);
      owned.delete(key);
      for (const { name, labels, value } of readings) {
        gauges[name].set(labels, value);
        own(key, name, labels, gauges[name]);
      }
      const kept = owned.get(key);
      for (const [series, remove] of before ?? []) if (kept?.has(series) !== true) remove();
    },
    count(name, labels, owner) {
      counters[name].inc(labels);
      own(owner, name, labels, counters[name]);
    },
    observe(name, labels, value, owner) {
      histograms[name].observe(labels, value);
      own(owner, name, labels, histograms[name]);
    },
    begin(name, labels, owner) {
      histograms[name].zero(labels);
      own(owner, name, labels, histograms[name]);
    },
    forget(owner) {
      for (const key of [owner, `gauges ${owner}`]) {
        for (const remove of owned.get(key)?.values() ?? []) remove();
        owned.delete(key);
      }
    },
    onScrape(refresh) {
      refreshes.add(refresh);
      return () => void refreshes.delete(refresh);
    },
    page() {
      for (const refresh of refreshes) refresh();
      return registry.metrics();
    },
    contentType: openMetricsContentType,
  };
}

const seriesKey = (name: string, labels: Readonly<Record<string, string>>): string =>
  JSON.stringify([name, Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))]);

function createSeries(registry: Registry<typeof openMetricsContentType>) {
  const registers = [registry];
  const all = <Name extends string, Series>(table: Readonly<Record<Name, unknown>>, create: (name: Name) => Series) =>
    Object.fromEntries((Object.keys(table) as Name[]).map((name) => [name, create(name)])) as Record<Name, Series>;
  const common = (name: string, { help, labels }: { help: string; labels: readonly string[] }) => ({
    name: `${PREFIX}${name}`,
    help,
    labelNames: [...labels],
    registers,
  });
  return {
    gauges: all(GAUGES, (name) => new Gauge<string>(common(name, GAUGES[name]))),
    counters: all(COUNTERS, (name) => new Counter<string>(common(name, COUNTERS[name]))),
    histograms: all(
      HISTOGRAMS,
      (name) => new Histogram<string>({ ...common(name, HISTOGRAMS[name]), buckets: [...HISTOGRAMS[name].buckets] }),
    ),
  };
}
