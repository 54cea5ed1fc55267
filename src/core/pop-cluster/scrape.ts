import type { HealthCheck } from "../../api/pop-cluster.ts";
import { histogramNames, type MetricSample } from "../health/exposition.ts";
import type { Probe, Sample } from "../health/probe.ts";
import { type ReconnectCounts, sumReconnects } from "../health/reconnect.ts";
import { healthSpec, urlOf } from "./health-spec.ts";
import type { DataPlanePod } from "./observation.ts";
import { podThrough } from "./reach.ts";
import type { PopView } from "./view.ts";

/** A scrape older than this says nothing about now; elapsed milliseconds. */
const SCRAPE_FRESH = 5_000;
const SCRAPE_TIMING = { intervalMilliseconds: 1_000, timeoutMilliseconds: 1_000, keep: 3 };

/** The check of P11, when the PoP has one. */
export const reconnectCheck = (view: PopView): HealthCheck | undefined =>
  healthSpec(view).pop.find((check) => check.reconnect !== undefined);

interface Page {
  readonly port: number;
  readonly path: string;
  readonly names: readonly string[];
}

/** The metrics pages of a pod: the gauge of sessions and the histogram of returns, as one page where they are one. */
function pagesOf(view: PopView): Page[] {
  const { sessions } = view.seen.pop.spec.strategy.drain;
  const reconnect = reconnectCheck(view)?.reconnect;
  const gauge: Page[] = sessions ? [{ port: sessions.port, path: sessions.path, names: [sessions.metric] }] : [];
  const port = reconnect?.port ?? sessions?.port;
  if (!reconnect?.histogram || port === undefined) return gauge;
  const histogram: Page = { port, path: reconnect.path ?? sessions?.path ?? "/metrics", names: histogramNames(reconnect.histogram) };
  const same = gauge.find((page) => page.port === histogram.port && page.path === histogram.path);
  return same ? [{ ...same, names: [...same.names, ...histogram.names] }] : [...gauge, histogram];
}

const pageKey = (pod: DataPlanePod, page: Pick<Page, "port" | "path">): string => `scrape/${pod.uid}/${page.port}${page.path}`;
const idsKey = (pod: DataPlanePod): string => `sessions/${pod.uid}`;

/** Pods that can be asked; one on a node that is dead in the API server's eyes takes no sessions, and would be unreadable for ever. */
function running(view: PopView): readonly DataPlanePod[] {
  const dead = new Set(view.seen.members.filter((member) => member.ready !== "True").map((member) => member.name));
  return view.seen.pods.filter((pod) => !pod.deleting && pod.address && pod.phase === "Running" && !dead.has(pod.node));
}

/** Sessions and returns are read from every pod while nodes are moved: a return is counted where it happens, not where it began. */
export function scrapeProbes(view: PopView): Probe[] {
  if (!["Preflight", "Rolling", "RollingBack"].includes(view.run?.state ?? "")) return [];
  const lists = reconnectCheck(view)?.reconnect?.sessions;
  return running(view).flatMap((pod): Probe[] => [
    ...pagesOf(view).map((page): Probe => ({
      ...SCRAPE_TIMING,
      key: pageKey(pod, page),
      kind: "metrics",
      url: urlOf(pod.address!, { ...page, scheme: "HTTP" }),
      names: page.names,
      ...podThrough(view, pod),
    })),
    ...(lists
      ? [
          {
            ...SCRAPE_TIMING,
            key: idsKey(pod),
            kind: "sessions" as const,
            url: urlOf(pod.address!, { ...lists, scheme: "HTTP" }),
            ...podThrough(view, pod),
          },
        ]
      : []),
  ]);
}

const fresh = (samples: readonly Sample[] | undefined): Sample | undefined => {
  const last = samples?.at(-1);
  return last && last.ageMilliseconds <= SCRAPE_FRESH && last.result.ok ? last : undefined;
};

function metricsOf(
  view: PopView,
  pod: DataPlanePod,
  name: string,
): { readonly metrics: readonly MetricSample[]; readonly ageMilliseconds: number } | undefined {
  const page = pagesOf(view).find((candidate) => candidate.names.includes(name));
  const sample = page && fresh(view.seen.samples.get(pageKey(pod, page)));
  return sample?.result.ok && sample.result.metrics
    ? { metrics: sample.result.metrics, ageMilliseconds: sample.ageMilliseconds }
    : undefined;
}

/** The ids of the sessions that a pod holds, by its own list. */
export function sessionIds(view: PopView, pod: DataPlanePod): readonly string[] | undefined {
  const sample = fresh(view.seen.samples.get(idsKey(pod)));
  return sample?.result.ok ? sample.result.sessions : undefined;
}

/** How many sessions the pod holds now, by its gauge or its list; undefined when nobody can say. */
export function sessionsHeld(
  view: PopView,
  pod: DataPlanePod | undefined,
): { readonly count: number; readonly ageMilliseconds: number } | undefined {
  if (!pod) return undefined;
  const metric = view.seen.pop.spec.strategy.drain.sessions?.metric;
  if (metric === undefined) {
    const sample = fresh(view.seen.samples.get(idsKey(pod)));
    return sample?.result.ok && sample.result.sessions
      ? { count: sample.result.sessions.length, ageMilliseconds: sample.ageMilliseconds }
      : undefined;
  }
  const scrape = metricsOf(view, pod, metric);
  const values = scrape?.metrics.filter((line) => line.name === metric).map((line) => line.value) ?? [];
  if (!scrape || values.length === 0 || values.some((value) => !Number.isFinite(value))) return undefined;
  return { count: Math.round(values.reduce((sum, value) => sum + value, 0)), ageMilliseconds: scrape.ageMilliseconds };
}

/** Does the PoP count sessions at all? */
export const countsSessions = (view: PopView): boolean =>
  view.seen.pop.spec.strategy.drain.sessions !== undefined || reconnectCheck(view)?.reconnect?.sessions !== undefined;

/** Sessions from `node` that the PoP's pods have seen come back, and the pods that could not be read; one left out goes away with its counters. */
export function returnCounts(
  view: PopView,
  node: string,
  without?: string,
): { readonly counts: ReconnectCounts; readonly unreadable: readonly DataPlanePod[] } {
  const reconnect = reconnectCheck(view)?.reconnect;
  if (!reconnect?.histogram) return { counts: { count: 0, buckets: [] }, unreadable: [] };
  const name = `${reconnect.histogram}_count`;
  const scrapes = running(view)
    .filter((pod) => pod.uid !== without)
    .map((pod) => ({ pod, metrics: metricsOf(view, pod, name)?.metrics }));
  const read = scrapes.flatMap(({ metrics }) => (metrics === undefined ? [] : [metrics]));
  const unreadable = scrapes.filter(({ metrics }) => metrics === undefined).map(({ pod }) => pod);
  return { counts: sumReconnects(read, reconnect.histogram, reconnect.from, node), unreadable };
}

/** The ids on every pod but `without`, and how many pods could not be read. */
export function idsElsewhere(view: PopView, without: string): { readonly ids: ReadonlySet<string>; readonly unreadable: number } {
  const lists = running(view)
    .filter((pod) => pod.uid !== without)
    .map((pod) => sessionIds(view, pod));
  return { ids: new Set(lists.flatMap((list) => list ?? [])), unreadable: lists.filter((list) => list === undefined).length };
}
