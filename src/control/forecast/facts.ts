import { createHash } from "node:crypto";
import type { PopCluster, PopNodeStatus } from "../../api/pop-cluster.ts";
import type { PopRollout } from "../../api/pop-rollout.ts";
import { canonicalJson } from "../../core/canonical-json.ts";
import type { ForecastInput } from "../ports.ts";

/** What of the fleet a forecast is computed from; the rest of the objects is left behind before they are handed to a thread. */
export function forecastFacts(input: ForecastInput): ForecastInput {
  const { now, namespace, fleet, windows, pops, rollouts, approvals, partners } = input;
  return {
    now,
    namespace,
    ...(fleet
      ? {
          fleet: {
            ...fleet,
            metadata: slimMetadata(fleet),
            status: { disruptions: fleet.status?.disruptions ?? [], waiting: fleet.status?.waiting ?? [] },
          },
        }
      : {}),
    windows: windows.map(({ apiVersion, kind, metadata, spec }) => ({ apiVersion, kind, metadata: slimMetadata({ metadata }), spec })),
    pops: pops.map(popFacts),
    rollouts: rollouts.map(rolloutFacts),
    approvals: approvals.map(({ status: _, ...approval }) => ({ ...approval, metadata: slimMetadata(approval) })),
    partners,
  };
}

/**
 * Of these facts and of the time-zone data, never of the time of the look: `sha256:…`. The facts are those of `forecastFacts`. A look
 * that ended before its rollouts did says where (`until`), so that it never passes for the whole.
 */
export function forecastDigest({ now: _, partners, ...facts }: ForecastInput, until?: string): string {
  const known = byName(facts.pops);
  const content = {
    ...facts,
    pops: known,
    windows: byName(facts.windows),
    rollouts: byName(facts.rollouts),
    approvals: byName(facts.approvals),
    partners: [...partners].map(([pop, others]) => [pop, [...others].toSorted(byKey)] as const).toSorted(byKey),
    tzdata: process.versions.tz,
    ...(until === undefined ? {} : { until }),
  };
  return `sha256:${createHash("sha256").update(canonicalJson(content)).digest("hex")}`;
}

const byKey = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1);
const byName = <T extends { readonly metadata: { readonly name: string } }>(objects: readonly T[]): readonly T[] =>
  objects.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));

function slimMetadata({ metadata }: Pick<PopCluster, "metadata">): PopCluster["metadata"] {
  const { name, namespace, uid, labels, creationTimestamp, deletionTimestamp } = metadata;
  return {
    name,
    uid,
    // Every write changes it, and nothing of the forecast is written.
    resourceVersion: "",
    ...(namespace === undefined ? {} : { namespace }),
    ...(labels === undefined ? {} : { labels }),
    ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
  };
}

function popFacts({ apiVersion, kind, metadata, spec, status }: PopCluster): PopCluster {
  const { next: _, checks: __, holds: ___, conditions: ____, plan: _____, nodes, run, ...ledger } = status ?? {};
  return {
    apiVersion,
    kind,
    metadata: slimMetadata({ metadata }),
    spec: { ...spec, template: {}, health: { node: [], pop: [] } } as unknown as PopCluster["spec"],
    status: {
      ...ledger,
      ...(run ? { run: { ...run, frozen: { members: run.frozen.members, order: [] } } } : {}),
      ...(nodes ? { nodes: nodes.map(nodeFacts) } : {}),
    },
  };
}

const nodeFacts = ({ name, uid, step, since, attempt, revision, token }: PopNodeStatus): PopNodeStatus => ({
  name,
  uid,
  step,
  since,
  attempt,
  ...(revision === undefined ? {} : { revision }),
  ...(token === undefined ? {} : { token }),
});

function rolloutFacts({ apiVersion, kind, metadata, spec, status }: PopRollout): PopRollout {
  const { forecast: _, conditions: __, holds: ___, numbers: ____, observedGeneration: _____, ...ledger } = status ?? {};
  const { generation } = metadata;
  return {
    apiVersion,
    kind,
    metadata: { ...slimMetadata({ metadata }), ...(generation === undefined ? {} : { generation }) },
    spec,
    status: ledger,
  };
}
