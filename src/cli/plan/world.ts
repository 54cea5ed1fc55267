import { isDeepStrictEqual } from "node:util";
import { ACCOUNT_POLICY, type AccountPolicy } from "../../api/account-policy.ts";
import type { Approval } from "../../api/approval.ts";
import { CLIENT_ROLLOUT, type ClientRollout } from "../../api/client-rollout.ts";
import { API_VERSION } from "../../api/common.ts";
import type { Fleet } from "../../api/fleet.ts";
import type { MaintenanceWindow } from "../../api/maintenance-window.ts";
import type { PopCluster } from "../../api/pop-cluster.ts";
import type { PopRollout } from "../../api/pop-rollout.ts";
import { APPROVAL, FLEET, MAINTENANCE_WINDOW, POP_CLUSTER, POP_ROLLOUT, TUNNEL_SITE } from "../../api/resources.ts";
import type { TunnelSite } from "../../api/tunnel-site.ts";
import type { Cluster } from "../../control/ports.ts";
import { allowed } from "../accounts.ts";
import { formatInstant } from "../../core/time/instant.ts";
import { plural } from "../../simulation/foresight/dates.ts";
import { madeUpUid } from "../../simulation/foresight/foresee.ts";
import { partnersOf } from "../../simulation/foresight/partners.ts";
import type { ForesightInput } from "../../simulation/foresight/types.ts";
import { type ManifestObject, type Manifests, OF_ACCOUNTS, specOf } from "./manifests.ts";

/** How many nodes a PoP has that no cluster tells; on the PoPCluster. */
export const NODES_ANNOTATION = "rollward.dev/plan-nodes";

export interface Assumed {
  readonly nodesPerPop: number;
  /** What PoPs run of which nobody tells it. */
  readonly running: string;
}

/** What there is, with what was assumed to be so, each a sentence. */
export interface PlannedWorld {
  readonly input: ForesightInput;
  readonly assumed: readonly string[];
}

/** Everything of the fleet namespace that stands in the cluster, and the tunnel sites of the accounts. */
export async function readCluster(cluster: Cluster, namespace: string): Promise<Manifests> {
  const inFleet = { namespace };
  const [fleets, windows, pops, rollouts, approvals, sites, clientRollouts, policies] = await Promise.all([
    cluster.list<Fleet>(FLEET, inFleet),
    cluster.list<MaintenanceWindow>(MAINTENANCE_WINDOW, inFleet),
    cluster.list<PopCluster>(POP_CLUSTER, inFleet),
    cluster.list<PopRollout>(POP_ROLLOUT, inFleet),
    cluster.list<Approval>(APPROVAL, inFleet),
    cluster.list<TunnelSite>(TUNNEL_SITE),
    cluster.list<ClientRollout>(CLIENT_ROLLOUT, inFleet),
    allowed(() => cluster.list<AccountPolicy>(ACCOUNT_POLICY)),
  ]);
  return { fleets, windows, pops, rollouts, approvals, sites, clientRollouts, policies: policies ?? [] };
}

export const NOTHING: Manifests = {
  fleets: [],
  windows: [],
  pops: [],
  rollouts: [],
  approvals: [],
  sites: [],
  clientRollouts: [],
  policies: [],
};

interface Named {
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** Objects of one kind with the files laid over them: one of a file takes the place of the spec of that of its name, and keeps its ledger. */
export function laidOver<T extends Named>(
  known: readonly T[],
  kind: ManifestObject["kind"],
  files: readonly ManifestObject[],
  namespace: string,
  now: number,
): T[] {
  const mine = files.filter((one) => one.kind === kind && (OF_ACCOUNTS.has(kind) || (one.metadata.namespace ?? namespace) === namespace));
  const laid = new Map(known.map((one) => [keyOf(one.metadata, namespace), one]));
  for (const one of mine) {
    const key = keyOf(one.metadata, namespace);
    laid.set(key, objectOf(one, laid.get(key), namespace, now) as unknown as T);
  }
  return [...laid.values()];
}

/** The cluster with the files laid over it. */
export function worldOf(
  cluster: Manifests,
  files: readonly ManifestObject[],
  namespace: string,
  now: number,
  assumed: Assumed,
): PlannedWorld {
  const lay = <T extends Named>(known: readonly T[], kind: ManifestObject["kind"]): T[] => laidOver(known, kind, files, namespace, now);
  const notes: string[] = [];
  const elsewhere = files.filter(({ kind, metadata }) => !OF_ACCOUNTS.has(kind) && (metadata.namespace ?? namespace) !== namespace);
  if (elsewhere.length > 0)
    notes.push(
      `left out, for they are not of namespace ${namespace}: ${elsewhere.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`).join(", ")}`,
    );
  const pops = lay(cluster.pops, "PoPCluster").map((pop) => knownPop(pop, files, assumed));
  notes.push(...nodeNotes(pops, assumed), ...versionNotes(pops, assumed));
  const sites = lay(cluster.sites, "TunnelSite");
  const claimed = sites.filter(({ spec, status }) => spec.secondaryPoP !== undefined && (status?.tunnels ?? []).length === 0);
  if (claimed.length > 0)
    notes.push(
      `${plural(claimed.length, "site")} ${claimed.length === 1 ? "names" : "name"} two PoPs that have not reported their tunnels: they limit nothing (F2)`,
    );
  notes.push(...siteNotes(sites, new Set(pops.map(({ pop }) => pop.metadata.name))));
  const rollouts = lay(cluster.rollouts, "PoPRollout");
  notes.push(...approvalNotes(files, rollouts));
  const fleet = lay(cluster.fleets, "Fleet").find(({ metadata }) => metadata.name === "fleet");
  return {
    input: {
      now,
      namespace,
      ...(fleet ? { fleet } : {}),
      windows: lay(cluster.windows, "MaintenanceWindow"),
      pops: pops.map(({ pop }) => pop),
      rollouts,
      approvals: lay(cluster.approvals, "Approval"),
      partners: partnersOf(sites),
      sites,
      thorough: true,
    },
    assumed: notes,
  };
}

/** The object of a cluster whose place one of a file would take. */
export function standingIn(cluster: Manifests, namespace: string) {
  const known = new Map(
    Object.values(cluster)
      .flat()
      .map((one: Fleet | PopCluster | TunnelSite) => [`${one.kind} ${keyOf(one.metadata, namespace)}`, one]),
  );
  return (kind: string, { metadata }: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> | undefined =>
    known.get(`${kind} ${keyOf(metadata as { readonly name: string }, namespace)}`) as Readonly<Record<string, unknown>> | undefined;
}

/** What files would change or bring, `Kind name` in their order; an object that stands in the cluster as it is in a file is no change. */
export function changedBy(files: readonly ManifestObject[], cluster: Manifests, namespace: string): string[] {
  const known = [
    ...cluster.fleets,
    ...cluster.windows,
    ...cluster.pops,
    ...cluster.rollouts,
    ...cluster.approvals,
    ...cluster.sites,
    ...cluster.clientRollouts,
    ...cluster.policies,
  ];
  const specs = new Map(known.map(({ kind, metadata, spec }) => [`${kind} ${keyOf(metadata, namespace)}`, specOf(kind, spec)]));
  return files
    .filter(({ kind, metadata, spec }) => !isDeepStrictEqual(specs.get(`${kind} ${keyOf(metadata, namespace)}`), spec))
    .map(({ kind, metadata }) => `${kind} ${metadata.name}`);
}

const keyOf = ({ namespace, name }: { readonly namespace?: string; readonly name: string }, fallback: string): string =>
  `${namespace ?? fallback}/${name}`;

function objectOf({ kind, metadata, spec, status }: ManifestObject, known: object | undefined, namespace: string, now: number): object {
  if (known !== undefined) return { ...known, spec };
  return {
    apiVersion: API_VERSION,
    kind,
    metadata: {
      uid: madeUpUid(kind, metadata.namespace ?? namespace, metadata.name),
      creationTimestamp: formatInstant(now),
      resourceVersion: "",
      generation: 1,
      namespace,
      ...metadata,
    },
    spec,
    ...(status === undefined ? {} : { status }),
  };
}

interface KnownPop {
  readonly pop: PopCluster;
  readonly nodes: "Told" | "Annotated" | "Assumed";
  readonly version: "Told" | "Pinned" | "Assumed";
}

function knownPop(pop: PopCluster, files: readonly ManifestObject[], { nodesPerPop, running }: Assumed): KnownPop {
  const file = files.find(({ kind, metadata }) => kind === "PoPCluster" && metadata.name === pop.metadata.name);
  const annotations = (file?.metadata["annotations"] as Record<string, unknown> | undefined) ?? pop.metadata.annotations;
  const written = Number(annotations?.[NODES_ANNOTATION]);
  const told = pop.status?.members !== undefined;
  const annotated = Number.isInteger(written) && written > 0;
  const members = pop.status?.members ?? { total: annotated ? written : nodesPerPop, out: 0 };
  // A PoP whose nodes a cluster has counted, and that runs nothing, gets its first version; of one in a file nobody knows what it runs.
  const known = pop.status?.version !== undefined || told;
  const version = pop.status?.version ?? (told ? undefined : (pop.spec.version ?? running));
  return {
    pop: {
      ...pop,
      status: {
        ...pop.status,
        members,
        ...(version === undefined ? {} : { version, revisions: { current: version, ...pop.status?.revisions } }),
      },
    },
    nodes: told ? "Told" : annotated ? "Annotated" : "Assumed",
    version: known ? "Told" : pop.spec.version === undefined ? "Assumed" : "Pinned",
  };
}

const MOST_NAMED = 8;

/** Tunnels that end nowhere: they limit nothing, and somebody has made a mistake. */
function siteNotes(sites: readonly TunnelSite[], pops: ReadonlySet<string>): string[] {
  const nameOf = ({ metadata }: TunnelSite): string => `${metadata.namespace ?? ""}/${metadata.name}`;
  const some = (names: readonly string[]): string =>
    `${names.slice(0, MOST_NAMED).join(", ")}${names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : ""}`;
  const lost = sites.flatMap((site) =>
    [site.spec.primaryPoP, site.spec.secondaryPoP].flatMap((pop) =>
      pop === undefined || pops.has(pop) ? [] : [`${nameOf(site)} (${JSON.stringify(pop)})`],
    ),
  );
  return lost.length === 0 ? [] : [`tunnels that end in no PoP limit nothing; write names of PoPs: TunnelSite ${some(lost)}`];
}

/** Approvals of files that are for nothing: of a rollout that is not there, or of another object of that name. */
function approvalNotes(files: readonly ManifestObject[], rollouts: readonly PopRollout[]): string[] {
  return files.flatMap(({ kind, metadata, spec }) => {
    if (kind !== "Approval" || (spec as Approval["spec"]).for.kind !== "PoPRollout") return [];
    const { name, uid } = (spec as Approval["spec"]).for;
    const found = rollouts.find((rollout) => rollout.metadata.name === name);
    if (found?.metadata.uid === uid) return [];
    const why = found === undefined ? `there is no PoPRollout ${name}` : `PoPRollout ${name} has not the UID ${uid}`;
    return [`Approval ${metadata.name} decides nothing: ${why}; create the rollout first, then rollward approve popro/${name}`];
  });
}

function nodeNotes(pops: readonly KnownPop[], { nodesPerPop }: Assumed): string[] {
  const guessed = pops.filter(({ nodes }) => nodes === "Assumed");
  if (guessed.length === 0) return [];
  return [
    `${guessed.length} of ${pops.length} PoPs are taken to have ${nodesPerPop} nodes each; --nodes-per-pop says how many, or the annotation ${NODES_ANNOTATION} of a PoPCluster, or --cluster`,
  ];
}

function versionNotes(pops: readonly KnownPop[], { running }: Assumed): string[] {
  const guessed = pops.filter(({ version }) => version === "Assumed");
  if (guessed.length === 0) return [];
  return [`${guessed.length} of ${pops.length} PoPs are taken to run ${running}; --running says which version, or --cluster`];
}
