import type { Fleet } from "../../api/fleet.ts";
import type { MaintenanceWindow } from "../../api/maintenance-window.ts";
import { POP_LABEL } from "../../api/names.ts";
import type { PopCluster } from "../../api/pop-cluster.ts";
import type { PopRollout } from "../../api/pop-rollout.ts";
import { FLEET, MAINTENANCE_WINDOW, POP_CLUSTER } from "../../api/resources.ts";
import type { ObservedSite } from "../../core/pop-cluster/observation.ts";
import { CONTROLLER_REVISION, DAEMON_SET, NODE, type NodeObject, POD, type PodObject } from "../kinds.ts";
import type { PopMemory } from "../pop-memory.ts";
import { ApiError, type Cluster } from "../ports.ts";
import type { Site } from "../sites.ts";
import { readAssignments } from "./assignments.ts";
import { readContentSources } from "./content-sources.ts";
import type { PopObjects } from "./pop-cluster.ts";
import { membersAmong, selectorOf, selectsAnything, strayEntries } from "./selected-nodes.ts";

/** Where one PoP is read: `podsAround` are its own and everybody's on these nodes, from a cache; `cachedRollouts` only name whom to ask. */
export interface PopServers {
  readonly hub: Cluster;
  readonly site: Site;
  readonly podsAround: (nodes: readonly NodeObject[]) => readonly PodObject[];
  readonly cachedRollouts: readonly PopRollout[];
}

/**
 * Everything read from the servers just now; undefined when the PoPCluster is gone. A site that does not answer is part of what is seen.
 * `known` is the PoPCluster as it was last seen: what it names is asked for together with it, and once more when it has changed since, so
 * that nodes and pods are never older than the ledger.
 */
export async function readLive(
  servers: PopServers,
  known: PopCluster,
  memory: PopMemory,
  elapsed: number,
): Promise<PopObjects | undefined> {
  const { name, namespace } = known.metadata;
  const [pop, around] = await Promise.all([
    servers.hub.get<PopCluster>(POP_CLUSTER, name, namespace),
    readAround(servers, known).catch((error: unknown) => ({ error })),
  ]);
  if (!pop) return undefined;
  const isKnown = pop.metadata.uid === known.metadata.uid && pop.metadata.resourceVersion === known.metadata.resourceVersion;
  if (isKnown && "error" in around) throw around.error;
  return withSite(servers, pop, isKnown && !("error" in around) ? around : await readAround(servers, pop), memory, elapsed);
}

/** What a PoPCluster names, read side by side. */
async function readAround(servers: PopServers, pop: PopCluster) {
  const { hub, site } = servers;
  const { name, namespace } = pop.metadata;
  const [siteObjects, named, records] = await Promise.all([
    site.state === "Reachable" ? readSite(site.cluster, pop) : undefined,
    readNamed(servers, pop),
    hub.list(CONTROLLER_REVISION, { ...(namespace === undefined ? {} : { namespace }), labelSelector: `${POP_LABEL}=${name}` }),
  ]);
  return { siteObjects, named, records };
}

/** The single objects that a PoPCluster names at the hub. */
export async function readNamed(
  { hub, cachedRollouts }: PopServers,
  pop: PopCluster,
): Promise<Pick<PopObjects, "window" | "fleet" | "contentSources" | "assignments">> {
  const { namespace } = pop.metadata;
  const reading = readAssignments(hub, pop, cachedRollouts);
  const [window, fleet, assignments, contentSources] = await Promise.all([
    hub.get<MaintenanceWindow>(MAINTENANCE_WINDOW, pop.spec.windowRef.name, namespace),
    hub.get<Fleet>(FLEET, "fleet", namespace),
    reading,
    reading.then(({ content }) => readContentSources(hub, pop, content)),
  ]);
  return { window, fleet, contentSources, assignments };
}

function withSite(
  { site, podsAround }: PopServers,
  pop: PopCluster,
  { siteObjects, named, records }: Awaited<ReturnType<typeof readAround>>,
  memory: PopMemory,
  elapsed: number,
): PopObjects {
  const base = { pop, ...named, records, live: true };
  const nothing = { nodes: [], deselected: new Set<string>(), pods: [], allPods: [], daemonSets: [] };
  if (site.state === "CredentialsInvalid") return { ...base, ...nothing, site: { ...site, ageMilliseconds: lostFor(memory, elapsed) } };
  if (site.state === "Unreachable") return { ...base, ...nothing, site: silent(memory, site.message, elapsed) };
  if (siteObjects instanceof ApiError) {
    return { ...base, ...nothing, site: silent(memory, `${site.cluster.name} does not answer: ${siteObjects.message}`, elapsed) };
  }
  return { ...base, ...siteObjects!, allPods: podsAround(siteObjects!.nodes), site: reached(memory, pop, site.uid, elapsed) };
}

/** Nodes, pods and DaemonSets of one PoP; the error of a cluster that is not there, told from one that refuses. */
async function readSite(
  cluster: Cluster,
  pop: PopCluster,
): Promise<Pick<PopObjects, "nodes" | "deselected" | "pods" | "daemonSets"> | ApiError> {
  const places = { namespace: pop.spec.dataPlaneNamespace };
  const selector = { labelSelector: `${POP_LABEL}=${pop.metadata.name}` };
  try {
    // Pods before nodes, both after the ledger: a container seen on a node whose label and claim still stand afterwards is the one that
    // the claim is about. The other way round a drain could name the new container, which serves and has never heard the token.
    const [pods, daemonSets] = await Promise.all([
      cluster.list(POD, pop.spec.adopt ? places : { ...places, ...selector }),
      cluster.list(DAEMON_SET, pop.spec.adopt ? places : { ...places, ...selector }),
    ]);
    const nodes = selectsAnything(pop) ? await cluster.list(NODE, selectorOf(pop) ? { labelSelector: selectorOf(pop) } : {}) : [];
    return { ...(await withNodesInHand(cluster, pop, nodes)), pods, daemonSets };
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    return error;
  }
}

/** No answer, or one that says that the server is not there: told by code. */
export const isUnreachable = (error: unknown): error is ApiError => error instanceof ApiError && (error.code === 0 || error.code >= 500);

const silent = (memory: PopMemory, message: string, elapsed: number): ObservedSite => ({
  state: "Unreachable",
  message,
  ageMilliseconds: lostFor(memory, elapsed),
});

function lostFor(memory: PopMemory, elapsed: number): number {
  memory.unreachableSince ??= elapsed;
  return elapsed - memory.unreachableSince;
}

/** A cluster answers. It ends the PoP's silence only when it is the one that the PoP was pinned to (P17). */
export function reached(memory: PopMemory, pop: PopCluster, uid: string, elapsed: number): ObservedSite {
  const pinned = pop.status?.clusterUID;
  if (pinned !== undefined && pinned !== uid)
    return { state: "Reachable", uid, ageMilliseconds: lostFor(memory, elapsed), watchedMilliseconds: 0 };
  if (memory.unreachableSince !== undefined) memory.reachableSince = undefined;
  memory.unreachableSince = undefined;
  memory.reachableSince ??= elapsed;
  return { state: "Reachable", uid, ageMilliseconds: 0, watchedMilliseconds: elapsed - memory.reachableSince };
}

/** The same from the server: what the list by labels does not show is looked up by name. */
async function withNodesInHand(
  cluster: Cluster,
  pop: PopCluster,
  listed: readonly NodeObject[],
): Promise<Pick<PopObjects, "nodes" | "deselected">> {
  const strays = strayEntries(pop, listed);
  if (strays.length === 0) return { nodes: listed, deselected: new Set() };
  const found = new Map(await Promise.all(strays.map(async ({ name }) => [name, await cluster.get(NODE, name)] as const)));
  const others = [...found.values()].filter((node) => node !== undefined);
  const unlisted = others.filter((node) => !listed.some((one) => one.metadata.uid === node.metadata.uid));
  return membersAmong(pop, [...listed, ...unlisted], (name) => found.get(name));
}
